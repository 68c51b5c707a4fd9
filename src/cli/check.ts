/** `mediasweep check`: every fault of pipelines and config at once, without a call. */
import type { Command } from 'commander';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { readGlobals, type Globals } from './global.ts';
import { layHelp } from './print/help.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep check                            every file in pipelines/
  mediasweep check pipelines/nightly.yaml
  mediasweep check --config config/rehearsal pipelines/nightly.yaml
  mediasweep check --json | jq '.problems[].message'

Problems stand on stdout as file:line:column path: message. Exit 2 if there is one, else 0.
With --json: { pipelines: [{ path, about }], problems: [{ file, line, column, path, message }], warnings }.`;

export function addCheck(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('check')
    .summary('check pipelines and config')
    .description(
      'Checks pipelines and the config that they use, and reports every problem at once. Calls nobody.',
    )
    .argument('[pipelines...]', 'pipeline files; every file in pipelines/ if none is named')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (paths: readonly string[], _, command: Command) => {
      conclude(await check(paths, readGlobals(command), tools));
    });
}

async function check(
  paths: readonly string[],
  { places, isJson }: Globals,
  { spine, console }: Tools,
): Promise<ExitCode> {
  const { printChecked, printCheckedJson } = await import('./print/problem.ts');
  const files = await spine.check(paths, places);
  if (files.length === 0) {
    throw wrongUse('mediasweep check: there is no pipeline in pipelines/. Write one, or name its file.');
  }
  (isJson ? printCheckedJson : printChecked)(console, files);
  return files.some(({ problems }) => problems.length > 0) ? exitCodes.wrongUse : exitCodes.complete;
}
