import { EventEmitter } from 'node:events';
import { withCause } from '../accounting/ledger.js';
import { Reporter } from '../accounting/reporter.js';
import type { Timer } from '../contract/clock.js';
import type { Destination } from '../contract/destination.js';
import { ConfigError } from '../contract/errors.js';
import { CoreShipper } from '../core-shipper.js';
import { DEFAULT_CLOSE_TIMEOUT_MS, resolveDeliveryOptions } from '../options/delivery-options.js';
import { EndOfTurn } from '../tools/end-of-turn.js';
import { systemClock } from '../tools/system-clock.js';
import { type Hooks, loadHooks } from './hooks.js';
import { loadModule } from './load-module.js';
import {
  type Command,
  type Failure,
  type Misconfigured,
  parseLine,
  type Report,
  type ReportedDrop,
  type ThreadPlan,
  toCause,
  toFailure,
} from './protocol.js';
import { makeDestination } from './recipe.js';

/** Longest time between a change and the report of it. */
const REPORT_MS = 250;

/**
 * Called by thread-stream in the worker: makes the shipper, behind a stream of lines. An uncaught error here ends this thread alone:
 * the main thread counts its records, tells the error and starts another.
 */
export default async function start(plan: ThreadPlan): Promise<LineShipper> {
  const { recipe, line } = plan;
  try {
    const hooks = await hooksOf(plan);
    const { onError, onDrop, transform, ...own } = hooks;
    const delivery = { ...plan.delivery, ...(transform && { transform }) };
    const ownRecipe = { ...recipe, options: { ...recipe.options, ...own } };
    const destination = makeDestination(ownRecipe, await loadModule(recipe.module, recipe.format));
    return new LineShipper({ ...plan, delivery }, destination, hooks);
  } catch (error) {
    if (ConfigError.is(error)) {
      line.port.postMessage({ option: error.option, message: error.message } satisfies Misconfigured);
      wake(line);
    }
    throw error;
  }
}

async function hooksOf({ hooks, delivery, recipe }: ThreadPlan): Promise<Hooks> {
  return hooks === undefined ? {} : loadHooks(hooks, delivery, recipe.options);
}

/** Wakes the main thread, if it waits for what was posted. */
function wake({ reports }: ThreadPlan['line']): void {
  Atomics.add(reports, 0, 1);
  Atomics.notify(reports, 0);
}

/** The part of a stream that thread-stream uses. It takes all lines: the shipper drops records that do not fit. */
class LineShipper extends EventEmitter {
  readonly #plan: ThreadPlan;
  readonly #reporter: Reporter;
  readonly #shipper: CoreShipper;
  /** For the next report. */
  #failures: Failure[] = [];
  #drops: ReportedDrop[] = [];
  readonly #endOfTurn = new EndOfTurn(systemClock, () => this.#report());
  #unfinishedLine = '';
  #readChars = 0;
  #reportedChars = 0;
  #reportTimer: Timer | undefined;

  constructor(plan: ThreadPlan, destination: Destination, hooks: Pick<Hooks, 'onError' | 'onDrop'>) {
    super();
    const options = resolveDeliveryOptions(plan.delivery, destination);
    this.#plan = plan;
    this.#reporter = new Reporter(
      destination.name,
      {
        onError: (error) => {
          this.#failures.push({ ...toFailure(error), isTold: hooks.onError !== undefined });
          this.#endOfTurn.request();
          return hooks.onError?.(error);
        },
        onDrop: (drop) => {
          const { cause, ...counts } = drop;
          const isTold = hooks.onDrop !== undefined;
          this.#drops.push({ ...counts, events: [], isTold, ...withCause(toCause(cause)) });
          this.#endOfTurn.request();
          return hooks.onDrop?.(drop);
        },
      },
      systemClock,
    );
    this.#shipper = new CoreShipper(destination, options, this.#reporter, {
      // No line tells of records of dead processes.
      onRecovered: () => this.#reportSoon(),
    });
    plan.line.port.on('message', (id: number) => this.#report(id));
    plan.line.port.unref();
    // The main thread waits to hear that the functions were found.
    if (plan.hooks !== undefined) this.#report();
  }

  write(chunk: string): true {
    const lines = this.#unfinishedLine + chunk;
    let start = 0;
    /** Up to the next command, which it returns. */
    const readRecords = (): Command | undefined => {
      for (let end = lines.indexOf('\n', start); end >= 0; end = lines.indexOf('\n', start)) {
        const parsed = parseLine(lines.slice(start, end));
        start = end + 1;
        if ('command' in parsed) return parsed.command;
        this.#shipper.accept(parsed.record);
      }
      return undefined;
    };
    const nextCommand = (): Command | undefined => this.#shipper.together(readRecords);
    for (let command = nextCommand(); command; command = nextCommand()) void this.#obey(command);
    this.#unfinishedLine = lines.slice(start);
    this.#readChars += chunk.length;
    if (this.#readChars - this.#reportedChars >= this.#plan.reportChars) this.#report();
    else this.#reportSoon();
    return true;
  }

  async #obey(command: Command): Promise<void> {
    if (command.do === 'note-drops') return this.#shipper.noteDrops(command.drop);
    const { closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = this.#plan.delivery;
    const { id, timeoutMs } = command;
    if (command.do === 'flush') await this.#shipper.flush({ timeoutMs });
    else if (command.do === 'drain') await this.#shipper.drain();
    // The process waits for it: what dead ones left stays on disk.
    else if (command.do === 'settle') await this.#shipper.settle(timeoutMs ?? closeTimeoutMs, false);
    else await this.#shipper.close({ timeoutMs });
    this.#report(id);
    if (command.do === 'close') this.emit('close');
  }

  #reportSoon(): void {
    this.#reportTimer ??= systemClock.setTimer(() => this.#report(), REPORT_MS);
  }

  #report(reply?: number): void {
    this.#reportTimer?.cancel();
    this.#reportTimer = undefined;
    // Losses that are counted in the stats have to be in the same report, or the end of this thread could hide them.
    this.#reporter.flush();
    const stats = this.#shipper.stats();
    this.#reportedChars = this.#readChars;
    if (stats.pending + stats.spooled > 0) this.#reportSoon();
    const { line } = this.#plan;
    const [failures, drops] = [this.#failures, this.#drops];
    this.#failures = [];
    this.#drops = [];
    const { onDisk } = this.#shipper;
    line.port.postMessage({ readChars: this.#readChars, stats, onDisk, failures, drops, reply } satisfies Report);
    wake(line);
  }
}
