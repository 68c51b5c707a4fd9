/** `mediasweep doctor`: looks at storages, accounts, callbacks and disk without a paid call. */
import type { Command } from 'commander';
import { chooseExitCode, type ExitCode } from '../domain/problem.ts';
import { type Globals, readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { printJson } from './print/json.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep doctor                           for every pipeline in pipelines/
  mediasweep doctor pipelines/nightly.yaml
  mediasweep doctor --json | jq '.diagnoses[] | select(.level == "fail")'

No paid call is made: a signature is checked by reading a job that does not exist.
Exit codes: 0 nothing fails; 2 something must be set right; 3 something cannot be reached now.
With --json: { diagnoses: [{ level, subject, message }] }.`;

export function addDoctor(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('doctor')
    .summary('check the world around a pipeline, without spending')
    .description(
      'Reaches the storages and accounts of a pipeline: clock, signatures, order of listing, links, callbacks, free disk. ' +
        'Spends nothing.',
    )
    .argument('[pipeline]', 'pipeline file; every file in pipelines/ if none is named')
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (path: string | undefined, _, command: Command) => {
      conclude(await doctor(path, readGlobals(command), tools));
    });
}

async function doctor(
  path: string | undefined,
  { places, isJson }: Globals,
  { spine, console }: Tools,
): Promise<ExitCode> {
  const { printDiagnoses } = await import('./print/diagnosis.ts');
  const diagnoses = await spine.doctor(path, places);
  if (isJson) {
    printJson(console, {
      diagnoses: diagnoses.map(({ level, subject, message }) => ({ level, subject, message })),
    });
  } else printDiagnoses(console, diagnoses);
  return chooseExitCode(diagnoses.flatMap(({ exitCode }) => exitCode ?? []));
}
