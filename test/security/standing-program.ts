/**
 * The built program in a process of its own that stands ready: each line of its input is the words of one command, as JSON,
 * and is answered by a line with the exit code and what went to stderr. Starting anew for each would take ten times as long.
 */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type * as Program from '../../src/cli/program.ts';
import type * as Pipeline from '../../src/pipeline.ts';
import { systemClock } from '../../src/wire/clock.ts';

const built = new URL('../../dist/', import.meta.url).href;
const { runCommand } = (await import(`${built}cli/program.js`)) as typeof Program;
const { makeSpine } = (await import(`${built}pipeline.js`)) as typeof Pipeline;

const stop = new AbortController().signal;
const spine = makeSpine({
  environment: process.env,
  clock: systemClock,
  folder: process.cwd(),
  home: fileURLToPath(new URL('..', built)),
  version: '0',
  processId: process.pid,
  standardInput: process.stdin,
  stop,
});

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  let err = '';
  const console = {
    out: () => undefined,
    err: (text: string) => {
      err += text;
    },
    isTerminal: false,
    columns: 80,
    useColour: false,
  };
  const words = JSON.parse(line) as string[];
  const exitCode = await runCommand(words, { spine, console, clock: systemClock, stop, version: '0' });
  process.stdout.write(`${JSON.stringify({ exitCode, err })}\n`);
}
