/** The command line as a whole: its commands, the options that all take, the help; and one line of words run to its exit code. */
import { Command, CommanderError } from 'commander';
import { type ExitCode, exitCodes, Stop } from '../domain/problem.ts';
import { addCatalogue } from './catalogue.ts';
import { addCheck } from './check.ts';
import { addDiff } from './diff.ts';
import { addCost } from './cost.ts';
import { addDoctor } from './doctor.ts';
import { addEmulate } from './emulate.ts';
import { addEstimate } from './estimate.ts';
import { addFailed } from './failed.ts';
import { addGlobalOptions } from './global.ts';
import { addHeld } from './held.ts';
import { addInit } from './init.ts';
import { addJudge } from './judge.ts';
import { addLedger } from './ledger.ts';
import { layHelp, makeHelpOutput, makeHelpStyle } from './print/help.ts';
import { makeJsonTroublePrinter, makeTroublePrinter, type TroublePrinter } from './print/trouble.ts';
import { addRehearse } from './rehearse.ts';
import { addReconcile } from './reconcile.ts';
import { addReport } from './report.ts';
import { addReview } from './review.ts';
import { addRun } from './run.ts';
import { addSchema } from './schema.ts';
import { addStatus } from './status.ts';
import { addWorker } from './worker.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep rehearse                         try everything on this machine, without an account
  mediasweep check pipelines/nightly.yaml     find every mistake before money is spent
  mediasweep estimate pipelines/nightly.yaml  know the bill before
  mediasweep run pipelines/nightly.yaml
  mediasweep status latest
  mediasweep catalogue qiniu/video-censor

Results stand on stdout, everything else on stderr. Secrets are taken from the environment only. NO_COLOR is respected.

Exit codes: 0 complete; 1 finished with failed or held tasks; 2 wrong use or config; 3 halted or a dependency lost;
4 stopped at a cap or deadline; 5 --fail-on matched; 6 another run holds the pipeline; 70 our mistake; 130, 143
interrupted. After 3, 4, 130 and 143: run again to go on.`;

/** What they print with is loaded when they print, so that `--help` need not wait for it. */
const commands = [
  addInit,
  addCheck,
  addDoctor,
  addEstimate,
  addRun,
  addStatus,
  addCost,
  addReconcile,
  addReport,
  addJudge,
  addDiff,
  addReview,
  addHeld,
  addFailed,
  addLedger,
  addCatalogue,
  addSchema,
  addEmulate,
  addWorker,
  addRehearse,
];

/** Throws `CommanderError` for wrong use and after help; `conclude` is told the exit code of a command that ran. */
export function makeProgram(tools: Tools, conclude: Conclude): Command {
  const program = new Command('mediasweep')
    .description(
      'Audits media libraries in object storage: lists them, calls paid analysis services at their pace, never loses a ' +
        'paid answer, and reports findings and the bill.',
    )
    .version(tools.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput(makeHelpOutput(tools.console))
    .configureHelp(makeHelpStyle(tools.console))
    .addHelpText('after', layHelp(tools.console, examples));
  addGlobalOptions(program);
  for (const add of commands) add(program, tools, conclude);
  return program;
}

/** Whatever is thrown ends here. `argv` is without the executable and the script. Never rejects. */
export async function runCommand(argv: readonly string[], tools: Tools): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.complete;
  const program = makeProgram(tools, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return concludeError(error, await openTroublePrinter(program, tools), findCommand(program, argv));
  }
}

function concludeError(error: unknown, printer: TroublePrinter, command: string | undefined): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.complete;
    // Without a command, commander has already printed the help.
    if (error.code !== 'commander.help') printer.usage(error.message, command);
    return exitCodes.wrongUse;
  }
  if (error instanceof Stop) {
    printer.stop(error);
    return error.exitCode;
  }
  printer.mistake(error);
  return exitCodes.ourMistake;
}

async function openTroublePrinter(program: Command, { console, clock }: Tools): Promise<TroublePrinter> {
  const { log } = program.opts<{ log?: string }>();
  return log === 'json'
    ? await makeJsonTroublePrinter(console, () => clock.now())
    : makeTroublePrinter(console);
}

function findCommand(program: Command, argv: readonly string[]): string | undefined {
  return argv.find((word) => program.commands.some((command) => command.name() === word));
}
