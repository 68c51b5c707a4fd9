/** `mediasweep rehearse`: the whole main job against stand-ins on this machine. */
import { type Command, Option } from 'commander';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { makeGraceOption } from './run.ts';
import type { RehearsalFlags } from './spine.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep rehearse
  mediasweep rehearse --faults none
  mediasweep rehearse --json | jq -r .folder

Needs no account and no network. Its ledger is in .mediasweep/rehearsal, apart from every other.

Exit codes and --json are those of mediasweep run.`;

interface Written {
  readonly faults: RehearsalFlags['faults'];
  readonly grace: number;
}

export function addRehearse(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('rehearse')
    .summary('rehearse a whole run on this machine')
    .description(
      'Rehearses a whole run: a small media library in an S3-compatible store and stand-ins for the vendors, all on ' +
        'this machine, then listing, calls, verdicts, bill and reports.',
    )
    .addOption(
      new Option('--faults <which>', 'whether the stand-ins misbehave now and then')
        .choices(['none', 'some'])
        .default('some'),
    )
    .addOption(makeGraceOption())
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async ({ faults, grace }: Written, command: Command) => {
      const { performRun } = await import('./perform.ts');
      const globals = readGlobals(command);
      const flags = { faults, graceMs: grace };
      conclude(
        await performRun(tools, globals, (watch) => tools.spine.rehearse(flags, globals.places, watch)),
      );
    });
}
