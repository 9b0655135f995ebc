import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { stderrReporter } from '../accounting/reporter.js';
import type { Destination } from '../contract/destination.js';
import { DEFAULT_CLOSE_TIMEOUT_MS } from '../options/delivery-options.js';
import { type CoreShipper, createCoreShipper } from '../shipper.js';
import { type Command, FAILURE, type Failure, parseLine, REPORT, type Report, type ThreadPlan } from './protocol.js';

/** At the exit of the process the main thread waits 10 s, and no longer. */
const MAX_EXIT_CLOSE_MS = 9000;

/** How old the main thread's counters get while something changes. */
const REPORT_MS = 250;

/** What thread-stream runs in the worker: the shipper, behind a stream of lines. */
export default function start(plan: ThreadPlan): LineShipper {
  const { module, factory, options } = plan.recipe;
  const exported = createRequire(module)(fileURLToPath(module)) as Record<string, (options: object) => Destination>;
  const destination = (exported[factory] as (options: object) => Destination)(options);
  const stderr = stderrReporter(destination.name);
  const shipper = createCoreShipper(destination, {
    ...plan.delivery,
    // Said here: while the process exits nobody else can.
    onDrop: stderr.onDrop,
    onError(error) {
      stderr.onError(error);
      const { code, message, retryAfterMs, ambiguous, requestId } = error;
      post(FAILURE, { code, message, retryAfterMs, ambiguous, requestId } satisfies Failure);
    },
  });
  return new LineShipper(shipper, plan, () => stderr.flush());
}

/** The part of a stream that thread-stream uses. It takes all that comes: what does not fit is the shipper's to drop. */
class LineShipper extends EventEmitter {
  readonly #shipper: CoreShipper;
  readonly #plan: ThreadPlan;
  readonly #sayLast: () => void;
  #unfinishedLine = '';
  #readChars = 0;
  #reportedChars = 0;
  #reportTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(shipper: CoreShipper, plan: ThreadPlan, sayLast: () => void) {
    super();
    this.#shipper = shipper;
    this.#plan = plan;
    this.#sayLast = sayLast;
  }

  write(chunk: string): true {
    const lines = this.#unfinishedLine + chunk;
    let start = 0;
    for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', start)) {
      this.#take(lines.slice(start, end));
      start = end + 1;
    }
    this.#unfinishedLine = lines.slice(start);
    this.#readChars += chunk.length;
    if (this.#readChars - this.#reportedChars >= this.#plan.reportChars) this.#report();
    else this.#reportTimer ??= setTimeout(() => this.#report(), REPORT_MS);
    return true;
  }

  /** Called by thread-stream when the process exits. */
  end(): void {
    const { closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = this.#plan.delivery;
    void this.#close(Math.min(closeTimeoutMs, MAX_EXIT_CLOSE_MS)).then(() => this.emit('close'));
  }

  #take(line: string): void {
    const parsed = parseLine(line);
    if ('record' in parsed) this.#shipper.accept(parsed.record);
    else this.#follow(parsed.order);
  }

  #follow(order: Command): void {
    if (order.do === 'mention') {
      this.#shipper.noteDrops(order.drop);
      return;
    }
    const { id, timeoutMs } = order;
    if (order.do === 'flush') void this.#shipper.flush({ timeoutMs }).then(() => this.#report(id));
    else
      void this.#close(timeoutMs).then(() => {
        this.#report(id);
        this.emit('close');
      });
  }

  #close(timeoutMs: number | undefined): Promise<void> {
    this.#closing ??= this.#shipper.close({ timeoutMs }).then(this.#sayLast);
    return this.#closing;
  }

  #report(answer?: number): void {
    clearTimeout(this.#reportTimer);
    const stats = this.#shipper.stats();
    this.#reportedChars = this.#readChars;
    this.#reportTimer = stats.pending > 0 ? setTimeout(() => this.#report(), REPORT_MS) : undefined;
    post(REPORT, { readChars: this.#readChars, stats, reply: answer } satisfies Report);
  }
}

/** thread-stream emits it on the main thread's stream. */
function post(name: string, content: Report | Failure): void {
  parentPort?.postMessage({ code: 'EVENT', name, args: [content] });
}
