import { createContext, Script } from 'node:vm';

/** Makes a function that tells of each text whether an expression is found in it. It throws if that takes too long for them all. */
export function createMatcher(
  { source, flags }: RegExp,
  timeoutMs: number = TIMEOUT_MS,
): (texts: readonly string[]) => readonly boolean[] {
  // A global expression would go on where it found something in the text before.
  const pattern = new RegExp(source, flags.replace(/[gy]/g, ''));
  const call: { run?: () => void } = {};
  const context = createContext(call);
  return (texts) => {
    let matches: readonly boolean[] = [];
    call.run = () => {
      matches = texts.map((text) => pattern.test(text));
    };
    try {
      CALL.runInContext(context, { timeout: timeoutMs });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new Error(
        `/${source}/ takes more than ${timeoutMs / 1000} s for ${texts.length} records: write it without repetitions in repetitions, such as (a+)+`,
      );
    }
    return matches;
  };
}

/** Such a script ends in the midst of an expression. Otherwise no signal would reach the process, nor Ctrl-C. */
const CALL = new Script('run()');
const TIMEOUT_MS = 3000;
