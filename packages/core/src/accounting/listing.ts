import { sharedState } from '../tools/shared-state.js';
import { type DeliveryStats, sumStats, withNothingInUse } from './stats.js';

/**
 * Reads the counters of all shippers that `createShipper` made in this thread, added up by the name of their destination: those
 * of transports and streams in this thread, and of `thread: true`. The counts of shippers that are closed, or that the application
 * has let go, stay in the sums: no counter ever goes down, and the sums add up. What is in use now, such as `bufferBytes`, is that
 * of the open shippers.
 */
export function statsByDestination(): ReadonlyMap<string, DeliveryStats> {
  const sums = new Map(registry.gone);
  for (const { destination, stats } of registry.listings) addTo(sums, destination, stats);
  return sums;
}

/**
 * A shipper in the list of its thread. The list does not keep a shipper that the application has let go: it has the counters of
 * the last time that nothing was pending, and only then can a shipper be let go.
 */
export class Listing {
  readonly destination: string;
  #shipper: WeakRef<Counting> | undefined;
  #last: DeliveryStats | undefined;
  #isClosed = false;

  constructor(destination: string) {
    this.destination = destination;
  }

  /** Puts the shipper into the list. */
  begin(shipper: Counting): void {
    this.#shipper = new WeakRef(shipper);
    registry.listings.add(this);
    registry.letGo.register(shipper, this);
  }

  /** Nothing is pending: the application may let the shipper go. */
  idle(stats: DeliveryStats): void {
    this.#last = stats;
  }

  /** The shipper is closed. It is still asked, since it counts the records that come later. */
  close(): void {
    this.#isClosed = true;
  }

  /** The counters of now; of a shipper that is gone the last ones. `undefined` if it went before it had any. */
  get stats(): DeliveryStats | undefined {
    const shipper = this.#shipper?.deref();
    if (shipper) this.#last = shipper.stats();
    return this.#last && (!shipper || this.#isClosed) ? withNothingInUse(this.#last) : this.#last;
  }
}

interface Counting {
  stats(): DeliveryStats;
}

interface Registry {
  readonly listings: Set<Listing>;
  /** Sums of the shippers that are gone, by destination. */
  readonly gone: Map<string, DeliveryStats>;
  readonly letGo: FinalizationRegistry<Listing>;
}

const registry = sharedState<Registry>('shippers', () => {
  const listings = new Set<Listing>();
  const gone = new Map<string, DeliveryStats>();
  const letGo = new FinalizationRegistry<Listing>((listing) => {
    listings.delete(listing);
    addTo(gone, listing.destination, listing.stats);
  });
  return { listings, gone, letGo };
});

function addTo(sums: Map<string, DeliveryStats>, destination: string, stats: DeliveryStats | undefined): void {
  const sum = sums.get(destination);
  if (stats) sums.set(destination, sum ? sumStats([sum, stats]) : stats);
}
