import { subscribe } from 'node:diagnostics_channel';
import type { ReportedMessage } from '../page/ledger-report.js';

/** Different messages between two reports; what comes beyond them is left out. */
const MAX_MESSAGES = 50;
/** Of one message: the page refuses a report that is too large, and shows no more of a text. */
const MAX_TEXT_LENGTH = 1000;

/** The messages of Logferry's channels, as far as they are shown. They are read by name, without the package that publishes them. */
interface ChannelMessage {
  readonly destination: string;
  readonly events: number;
  readonly durationMs: number;
  readonly records: number;
  readonly reason: string;
  readonly code: string;
  readonly delayMs: number;
  readonly error: { readonly code: string; readonly message: string };
}

/** The text of a message, and the amount that it is about: messages with the same text are counted as one. */
const KINDS: Readonly<Record<string, (message: ChannelMessage) => { text: string; amount: number; unit: string }>> = {
  delivered: ({ events }) => ({ text: 'delivered', amount: events, unit: 'record' }),
  dropped: ({ reason, records }) => ({ text: `dropped: ${reason}`, amount: records, unit: 'record' }),
  retry: ({ code, events }) => ({ text: `sent again after ${code}`, amount: events, unit: 'record' }),
  error: ({ error }) => ({ text: `failed: ${error.code}: ${error.message}`, amount: 1, unit: 'attempt' }),
};

/** Subscribes to Logferry's channels. Returns a function that takes the messages since its last call; equal ones are added up. */
export function collectMessages(): () => ReportedMessage[] {
  let sums = new Map<string, { message: ReportedMessage; amount: number; unit: string }>();
  for (const [kind, describe] of Object.entries(KINDS))
    subscribe(`logferry:${kind}`, (published) => {
      try {
        add(kind, published as ChannelMessage, describe);
      } catch {
        // A later version of the package publishes another form; a subscriber that throws would end the application.
      }
    });
  return () => {
    const taken = [...sums.values()];
    sums = new Map();
    return taken.map(({ message, amount, unit }) => ({
      ...message,
      text: `${amount} ${unit}${amount === 1 ? '' : 's'} ${message.text}`,
    }));
  };

  function add(kind: string, published: ChannelMessage, describe: (typeof KINDS)[string]): void {
    const { text: whole, amount, unit } = describe(published);
    const text = whole.slice(0, MAX_TEXT_LENGTH);
    const { destination } = published;
    const key = `${kind} ${destination} ${text}`;
    const known = sums.get(key);
    if (known) known.amount += amount;
    else if (sums.size < MAX_MESSAGES)
      sums.set(key, { message: { time: Date.now(), kind, destination, text }, amount, unit });
  }
}
