/** A priority queue by time: the item that is due first comes out first. */
export class TimeHeap<Item extends { readonly atMs: number }> {
  #items: Item[] = [];

  get first(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= item.atMs) break;
      items[index] = items[parent] as Item;
      index = parent;
    }
    items[index] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last !== undefined && items.length > 0) this.#sink(last);
    return first;
  }

  /** Takes out all items, in no order. */
  drain(): readonly Item[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** Puts the item at the top and lets it sink to its place. */
  #sink(item: Item): void {
    const items = this.#items;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      if (this.#at(child + 1) < this.#at(child)) child++;
      if (this.#at(child) >= item.atMs) break;
      items[index] = items[child] as Item;
      index = child;
    }
    items[index] = item;
  }

  #at(index: number): number {
    return this.#items[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }
}
