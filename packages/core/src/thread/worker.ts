import { EventEmitter } from 'node:events';
import { parentPort } from 'node:worker_threads';
import type { DeliveryError } from '../contract/errors.js';
import { DEFAULT_CLOSE_TIMEOUT_MS } from '../options/delivery-options.js';
import { type CoreShipper, createCoreShipper } from '../shipper.js';
import { type Command, FAILURE, type Failure, parseLine, REPORT, type Report, type ThreadPlan } from './protocol.js';
import { loadModule, makeDestination } from './recipe.js';

/** At the exit of the process the main thread waits 10 s, and no longer. */
const MAX_EXIT_CLOSE_MS = 9000;

/** Longest time between a change and the report of it. */
const REPORT_MS = 250;

/** Called by thread-stream in the worker: makes the shipper, behind a stream of lines. */
export default async function start(plan: ThreadPlan): Promise<LineShipper> {
  const destination = makeDestination(plan.recipe, await loadModule(plan.recipe.module));
  // Failures and losses are written on stderr here: while the process exits, the main thread cannot do it.
  const shipper = createCoreShipper(destination, plan.delivery, { onFailure: postFailure });
  return new LineShipper(shipper, plan);
}

/** The part of a stream that thread-stream uses. It takes all lines: the shipper drops records that do not fit. */
class LineShipper extends EventEmitter {
  readonly #shipper: CoreShipper;
  readonly #plan: ThreadPlan;
  #unfinishedLine = '';
  #readChars = 0;
  #reportedChars = 0;
  #reportTimer: NodeJS.Timeout | undefined;

  constructor(shipper: CoreShipper, plan: ThreadPlan) {
    super();
    this.#shipper = shipper;
    this.#plan = plan;
  }

  write(chunk: string): true {
    const lines = this.#unfinishedLine + chunk;
    let start = 0;
    for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', start)) {
      this.#handleLine(lines.slice(start, end));
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
    const timeoutMs = Math.min(closeTimeoutMs, MAX_EXIT_CLOSE_MS);
    void this.#shipper.close({ timeoutMs }).then(() => this.emit('close'));
  }

  #handleLine(line: string): void {
    const parsed = parseLine(line);
    if ('record' in parsed) this.#shipper.accept(parsed.record);
    else this.#obey(parsed.command);
  }

  #obey(command: Command): void {
    if (command.do === 'note-drops') {
      this.#shipper.noteDrops(command.drop);
      return;
    }
    const { id, timeoutMs } = command;
    if (command.do === 'flush') void this.#shipper.flush({ timeoutMs }).then(() => this.#report(id));
    else
      void this.#shipper.close({ timeoutMs }).then(() => {
        this.#report(id);
        this.emit('close');
      });
  }

  #report(reply?: number): void {
    clearTimeout(this.#reportTimer);
    const stats = this.#shipper.stats();
    this.#reportedChars = this.#readChars;
    this.#reportTimer = stats.pending > 0 ? setTimeout(() => this.#report(), REPORT_MS) : undefined;
    post(REPORT, { readChars: this.#readChars, stats, reply } satisfies Report);
  }
}

function postFailure({ code, message, retryAfterMs, ambiguous, requestId }: DeliveryError): void {
  post(FAILURE, { code, message, retryAfterMs, ambiguous, requestId } satisfies Failure);
}

/** thread-stream emits it as an event of the main thread's stream. */
function post(name: string, content: Report | Failure): void {
  parentPort?.postMessage({ code: 'EVENT', name, args: [content] });
}
