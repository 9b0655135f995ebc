/** The routes with records waiting or in flight: with an open batch, or with sealed ones. Those of records that are read back do not count. */
export class LiveRoutes {
  /** The number of places that hold batches of a route: 1 or 2. */
  readonly #places = new Map<string, number>();

  /** Number of routes. */
  get size(): number {
    return this.#places.size;
  }

  has(route: string): boolean {
    return this.#places.has(route);
  }

  /** A place holds the first batch of a route. */
  enter(route: string): void {
    this.#places.set(route, (this.#places.get(route) ?? 0) + 1);
  }

  /** A place has no more batch of a route. */
  leave(route: string): void {
    const left = (this.#places.get(route) ?? 0) - 1;
    if (left > 0) this.#places.set(route, left);
    else this.#places.delete(route);
  }
}
