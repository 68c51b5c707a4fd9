/** `mediasweep worker`: carries out shards of runs that are coordinated elsewhere. */
import { type Command, Option } from 'commander';
import { exitCodes } from '../domain/problem.ts';
import { readListen } from './flag.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { makeTextLog, openJsonLog } from './print/log.ts';
import { makeGraceOption } from './run.ts';
import type { WorkerFlags } from './spine.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep worker
  mediasweep worker --listen 0.0.0.0:9464    with /live, /ready and /metrics
  mediasweep worker --callback-listen 0.0.0.0:8787    takes vendors' callbacks there
  mediasweep worker --log json 2>> worker.log

Needs \`shards\` in config/cluster.yaml, and the same config and credentials as the runs: docs/cluster.md. Any number may
work, on any machine that reaches the ledger and Redis. SIGTERM drains: nothing is begun, calls in flight are given their
grace, what is left of its shards goes to other workers.

Exit codes: 0 drained; 2 wrong use or config; 3 ledger or Redis out of reach when it begins; 70 our mistake.`;

interface Written {
  readonly grace: number;
  readonly listen?: NonNullable<WorkerFlags['listen']>;
  readonly callbackListen?: NonNullable<WorkerFlags['callbackListen']>;
}

export function addWorker(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('worker')
    .summary('carry out shards of runs, beside other workers')
    .description('Carries out shards of runs that are coordinated elsewhere, until it is told to stop.')
    .addOption(
      new Option('--listen <host:port>', 'tell health and metrics over HTTP there').argParser(readListen),
    )
    .addOption(
      new Option(
        '--callback-listen <host:port>',
        'take callbacks of vendors there, instead of where the accounts say',
      ).argParser(readListen),
    )
    .addOption(makeGraceOption())
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async ({ grace, listen, callbackListen }: Written, command: Command) => {
      const { places, log: form, isQuiet } = readGlobals(command);
      const { console, clock } = tools;
      const log =
        form === 'json'
          ? await openJsonLog(console, () => clock.now())
          : makeTextLog(console, () => undefined, !isQuiet);
      await tools.spine.work({ graceMs: grace, listen, callbackListen }, places, { log });
      conclude(exitCodes.complete);
    });
}
