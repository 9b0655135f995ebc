import { DeliveryError, type Destination, type FullDestination, type LogRecord } from '../../src/index.js';
import { MemoryDestination, type TestService } from '../../src/testing/index.js';

type Respond = MemoryDestination['respond'];

/** The services of this process, by which a recipe makes a destination again. */
const services: Respond[] = [];

/** A strict service without HTTP. `plant` puts a fault into each of its destinations. */
export function startMemoryService(plant: (destination: FullDestination) => Destination): TestService {
  const stored: string[] = [];
  const violations: string[] = [];
  let requests = 0;
  let failure = 'never';
  const respond: Respond = async ({ events }, signal) => {
    const turn = ['throttle', 'serverError', 'reset'][requests++ % 6] ?? 'never';
    const how = failure === 'often' ? turn : failure;
    if (how === 'throttle') throw new DeliveryError('THROTTLED', 'slow down');
    if (how === 'serverError') throw new DeliveryError('UNAVAILABLE', 'HTTP 500', { ambiguous: true });
    if (how === 'reset') throw new DeliveryError('NETWORK', 'connection reset', { ambiguous: true });
    if (how === 'refuse') throw new DeliveryError('INVALID', 'HTTP 400');
    if (how === 'tooLarge') throw new DeliveryError('TOO_LARGE', 'HTTP 413');
    if (how === 'hang') await aborted(signal);
    const bytes = events.reduce((sum, { payload }) => sum + Buffer.byteLength(payload), 0);
    if (bytes > 1_000_000 || events.length > 1000) violations.push(`${events.length} events, ${bytes} bytes`);
    stored.push(...events.map(({ payload }) => Buffer.from(payload).toString()));
  };
  const service = services.push(respond) - 1;
  return {
    create: () => plant(createMemory({ service })),
    texts: () => stored,
    requests: () => requests,
    violations: () => violations,
    fail(how) {
      failure = how;
    },
    close: () => {},
  };
}

interface MemoryOptions {
  readonly service: number;
  /** @default 'memory' */
  readonly name?: string;
  /** Name of a field whose text is added to each payload. */
  readonly append?: string;
}

/** Makes a destination for a service of this process. */
export function createMemory(options: MemoryOptions): FullDestination {
  const { service, name = 'memory', append = 'nothing' } = options;
  const destination = new MemoryDestination();
  return Object.assign(destination, {
    name,
    respond: services[service] as Respond,
    encode: (record: LogRecord) => {
      const text = record.text + String(record.fields[append] ?? '');
      return MemoryDestination.prototype.encode.call(destination, { ...record, text });
    },
    recipe: () => ({ module: import.meta.url, factory: 'createMemory', options }),
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new DeliveryError('TIMEOUT', 'aborted', { ambiguous: true })));
  });
}
