/** `mediasweep run`: lists, makes the paid calls, judges, bills and writes the reports. */
import { type Command, Option } from 'commander';
import { type ExitCode, wrongUse } from '../domain/problem.ts';
import type { TimeOfDay } from '../domain/clock.ts';
import { readBackup, readCount, readDuration, readMoney, readTimeOfDay, readTolerance } from './flag.ts';
import { readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import type { RunFlags } from './spine.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep run pipelines/nightly.yaml
  mediasweep run pipelines/nightly.yaml --limit 100        the first 100 items only
  mediasweep run pipelines/nightly.yaml --cap 100CNY       stop where a call would pass 100 CNY
  mediasweep run pipelines/nightly.yaml --quiet --fail-on block
  mediasweep run pipelines/nightly.yaml --json | jq .charge
  mediasweep run pipelines/nightly.yaml --log json 2>> run.log
  mediasweep run pipelines/nightly.yaml --wait --until 06:00
  mediasweep run pipelines/nightly.yaml --only-failed latest
  mediasweep run pipelines/audit.yaml --plan plan.json --tolerance 2%
  mediasweep run pipelines/nightly.yaml --metrics-file /var/lib/node_exporter/mediasweep.prom

A run that was interrupted, halted or killed goes on when it is run again: what was answered is not paid for twice.

Exit codes: 0 complete; 1 failed or held tasks; 2 wrong use or config; 3 halted; 4 stopped at a cap or deadline;
5 --fail-on matched; 6 another run holds the pipeline; 70 our mistake; 130, 143 interrupted. After 3, 4, 130 and 143
run again to go on.

With --json: summary.json, and beside it { folder, files, halts, sourceTrouble, failures, brokenRows }.`;

interface Written {
  readonly limit?: number;
  readonly cap?: NonNullable<RunFlags['cap']>;
  readonly new?: boolean;
  readonly resume?: boolean;
  readonly grace: number;
  readonly failOn?: 'review' | 'block';
  readonly fresh?: boolean;
  readonly onlyFailed?: string;
  readonly until?: TimeOfDay;
  readonly wait?: boolean;
  readonly plan?: string;
  readonly tolerance?: number;
  readonly metricsFile?: string;
  readonly backup: number | 'off';
}

export function addRun(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('run')
    .summary('run a pipeline')
    .description(
      'Runs a pipeline: lists the media, makes the paid calls, judges, bills and writes the reports.',
    )
    .argument('<pipeline>', 'pipeline file, such as pipelines/nightly.yaml')
    .addOption(
      new Option('--limit <count>', 'look at this many items only, after select').argParser(readCount),
    )
    .addOption(
      new Option(
        '--cap <money>',
        'money that this run may not pass, all its sessions together; instead of caps.run',
      ).argParser(readMoney),
    )
    .addOption(
      new Option('--new', 'begin a new run instead of going on with an unfinished one').conflicts('resume'),
    )
    .option('--resume', 'go on with the unfinished run, however old it is')
    .addOption(
      new Option(
        '--fresh',
        'pay again for what other runs answered; begins a new run unless one that began so is unfinished',
      ).conflicts('resume'),
    )
    .option(
      '--only-failed <run>',
      'take up the failed and held tasks of that run, and nothing else; held calls are sent only once settled',
    )
    .addOption(
      new Option('--until <time>', 'begin nothing after this time of day (local), and exit 4').argParser(
        readTimeOfDay,
      ),
    )
    .addOption(
      new Option(
        '--plan <file>',
        'hold the run to this plan of estimate --plan-out: items, units, charge and configuration',
      ).conflicts(['fresh', 'onlyFailed']),
    )
    .addOption(
      new Option('--tolerance <share>', 'by which share the plan may be passed').argParser(readTolerance),
    )
    .option('--wait', 'wait while another run holds the pipeline')
    .addOption(makeGraceOption())
    .addOption(
      new Option('--fail-on <verdict>', 'exit 5 if an item has this verdict or a worse one').choices([
        'review',
        'block',
      ]),
    )
    .option(
      '--metrics-file <file>',
      "write metrics in Prometheus' text format into this file, every 15 s and at the end",
    )
    .addOption(
      new Option(
        '--backup <time>',
        'how old the newest backup of the ledger is before the run makes another at its end, such as 7d; off for none',
      )
        .argParser(readBackup)
        .default(20 * 3_600_000, '20h'),
    )
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (path: string, written: Written, self: Command) => {
      conclude(await run({ ...readFlags(written), path }, self, tools));
    });
}

export function makeGraceOption(): Option {
  return new Option('--grace <time>', 'how long calls in flight may take to finish after SIGTERM or SIGINT')
    .argParser(readDuration)
    .default(25_000, '25s');
}

function readFlags(written: Written): Omit<RunFlags, 'path'> {
  return {
    limit: written.limit,
    cap: written.cap,
    startNew: written.new,
    resumeAnyAge: written.resume,
    graceMs: written.grace,
    failOn: written.failOn,
    isFresh: written.fresh,
    onlyFailed: written.onlyFailed,
    until: written.until,
    waits: written.wait,
    plan: readPlan(written),
    metricsFile: written.metricsFile,
    backUpEveryMs: written.backup,
  };
}

function readPlan({ plan, tolerance }: Written): RunFlags['plan'] {
  if (plan !== undefined) return { file: plan, tolerance: tolerance ?? 0 };
  if (tolerance === undefined) return undefined;
  throw wrongUse(
    '--tolerance: expected --plan FILE beside it, found none. It says by how much that may be passed.',
  );
}

async function run(flags: RunFlags, command: Command, tools: Tools): Promise<ExitCode> {
  const { performRun } = await import('./perform.ts');
  const globals = readGlobals(command);
  return await performRun(tools, globals, (watch) => tools.spine.run(flags, globals.places, watch));
}
