import type { DeliveryError } from '@logferry/core';
import type { NewLogstore, Place } from '../options/resolve-options.js';
import type { LogServiceClient } from '../send/client.js';
import { Provisioner } from './provisioner.js';

/** The logstores that were missing, each with its {@link Provisioner}. */
export class Provisioners {
  readonly #client: LogServiceClient;
  readonly #settings: NewLogstore;
  /** By logstore, the one that was missing last at the end. */
  readonly #provisioners = new Map<string, Provisioner>();

  constructor(client: LogServiceClient, settings: NewLogstore) {
    this.#client = client;
    this.#settings = settings;
  }

  /** That of a logstore that was missing. */
  find(logstore: string): Provisioner | undefined {
    return this.#provisioners.get(logstore);
  }

  /** That of a logstore that is missing. */
  add(place: Place): Provisioner {
    const provisioner = this.find(place.logstore) ?? new Provisioner(this.#client, place, this.#settings);
    this.#provisioners.delete(place.logstore);
    this.#provisioners.set(place.logstore, provisioner);
    const [oldest] = this.#provisioners;
    if (oldest && this.#provisioners.size > MAX_REMEMBERED) {
      const [logstore, forgotten] = oldest;
      this.#provisioners.delete(logstore);
      forgotten.close();
    }
    return provisioner;
  }

  /** Takes out the faults that no outcome has reported. */
  takeFaults(): readonly DeliveryError[] {
    return [...this.#provisioners.values()].flatMap((provisioner) => provisioner.takeFaults());
  }

  /** Warns of faults that no later batch will report. */
  close(): void {
    for (const provisioner of this.#provisioners.values()) provisioner.close();
  }
}

/** A field that names logstores may have any number of values. */
const MAX_REMEMBERED = 1000;
