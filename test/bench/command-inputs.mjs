// The inputs of the commands: files of 100 MB. Every line has its number as `id`.
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { recordKinds } from './records.mjs';

const BLOCK_CHARS = 1024 * 1024;
const LEVELS = ['DEBUG', 'INFO', 'INFO', 'INFO', 'WARN', 'ERROR'];

/** Writes both files. Returns the path and the number of lines of each. */
export function writeInputs(directory, bytes) {
  return {
    text: writeInput(join(directory, 'text'), bytes, textLines()),
    ndjson: writeInput(join(directory, 'ndjson'), bytes, pinoLines()),
  };
}

function writeInput(path, bytes, nextLine) {
  const file = openSync(path, 'wx');
  let lines = 0;
  for (let written = 0; written < bytes; ) {
    let block = '';
    while (block.length < BLOCK_CHARS) block += nextLine(lines++);
    written += writeSync(file, block);
  }
  closeSync(file);
  return { path, lines };
}

/** About 100 bytes, with time and level. */
function textLines() {
  const recordOf = recordKinds.order('none');
  const startMs = Date.now() - 60_000;
  return (id) => {
    const time = new Date(startMs + (id >> 5)).toISOString();
    return `${time} ${LEVELS[id % LEVELS.length]} ${recordOf(id).text} id=${id}\n`;
  };
}

/** About 230 bytes. */
function pinoLines() {
  const recordOf = recordKinds.order('pino');
  let line = '';
  const logger = pino({}, { write: (text) => (line = text) });
  return (id) => {
    const { text, fields } = recordOf(id);
    logger.info(fields, text);
    return line;
  };
}
