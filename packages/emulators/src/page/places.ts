/** A group and a stream, or a logstore and a topic, with the number of its events so far. */
export interface Place {
  /** Index of the cloud on the page. */
  readonly cloud: number;
  readonly parent: string;
  /** Empty for a parent without any, and for logs without a topic. */
  readonly child: string;
  records: number;
  /** Number of the last change of the page's state that changed this place. */
  change: number;
}

/** The places of all clouds, in order of their first event. */
export class Places {
  readonly #places = new Map<string, Place>();

  /** Adds events to a place, which may be new. */
  add(place: Pick<Place, 'cloud' | 'parent' | 'child'>, records: number, change: number): void {
    const { cloud, parent, child } = place;
    const key = `${cloud}\n${parent}\n${child}`;
    const known = this.#places.get(key);
    if (known === undefined) {
      this.#places.set(key, { cloud, parent, child, records, change });
    } else if (records > 0) {
      known.records += records;
      known.change = change;
    }
  }

  changedAfter(change: number): Place[] {
    return [...this.#places.values()].filter((place) => place.change > change);
  }
}
