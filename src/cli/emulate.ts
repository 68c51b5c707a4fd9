/** `mediasweep emulate`: a stand-in for a vendor on this machine, for anyone's own trials. */
import { type Command, Option } from 'commander';
import { type EmulatorFaults, noFaults } from '../domain/emulator.ts';
import { type ExitCode, exitCodes, wrongUse } from '../domain/problem.ts';
import { collectSwitch, readChance, readMilliseconds, readPort } from './flag.ts';
import { type Globals, readGlobals } from './global.ts';
import { layHelp } from './print/help.ts';
import { suggest } from '../domain/suggestion.ts';
import type { Conclude, Tools } from './tools.ts';

const examples = `
Examples:
  mediasweep emulate pai --port 8801
  mediasweep emulate qiniu --port 8802 --job 5s --slow-down 5%
  mediasweep emulate qiniu --reset-after 0.02 --seed trial-7
  mediasweep emulate qiniu --set callbacks=twice --set 'intervalBounds=[1,60]'
  mediasweep emulate pai --json | jq -r .url

It takes the vendor's own requests, checks their signatures, fetches media from loopback addresses only, and runs until
SIGINT or SIGTERM. The same seed gives the same faults. What it has seen is at URL/_emulator/state; faults and switches
change by POST to URL/_emulator/faults and URL/_emulator/switches. A switch settles what the vendor's manual leaves open.

With --json, once it listens: { vendor, url, credentials, faults, switches, state }.`;

interface Written {
  readonly port: number;
  readonly host: string;
  readonly slowDown: number;
  readonly serverError: number;
  readonly resetBefore: number;
  readonly resetAfter: number;
  readonly modelFailure: number;
  readonly delay: number;
  readonly job: number;
  readonly seed: string;
  readonly set: Readonly<Record<string, unknown>>;
}

export function addEmulate(program: Command, tools: Tools, conclude: Conclude): void {
  program
    .command('emulate')
    .summary('start a stand-in for a vendor')
    .description(
      'Starts a stand-in for a vendor on this machine: the same requests and answers, and faults on request.',
    )
    .argument('<vendor>', 'pai or qiniu')
    .addOption(
      new Option('--port <port>', 'where to listen; 0 takes any free port').argParser(readPort).default(0),
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .addOption(makeChance('--slow-down <chance>', 'told to slow down (429 of PAI, 573 of Qiniu)'))
    .addOption(makeChance('--server-error <chance>', 'answered with a server error'))
    .addOption(makeChance('--reset-before <chance>', 'cut off before the work is done'))
    .addOption(makeChance('--reset-after <chance>', 'cut off after the work is done and billed'))
    .addOption(makeChance('--model-failure <chance>', 'refused by the model, or ended as a failed job'))
    .addOption(
      makeMilliseconds('--delay <time>', 'time before every answer, such as 200ms', noFaults.delayMs),
    )
    .addOption(makeMilliseconds('--job <time>', 'time that a job takes, such as 5s', noFaults.jobMs))
    .option('--seed <text>', 'what the faults are drawn from', '1')
    .addOption(
      new Option('--set <switch=value>', "settles what the vendor's manual leaves open; may be repeated")
        .argParser(collectSwitch)
        .default({}, 'what is most likely'),
    )
    .addHelpText('after', layHelp(tools.console, examples))
    .action(async (vendor: string, written: Written, command: Command) => {
      conclude(await emulate(vendor, written, readGlobals(command), tools));
    });
}

function makeChance(flags: string, fate: string): Option {
  return new Option(flags, `chance of being ${fate}: 0.05 or 5%`).argParser(readChance).default(0);
}

function makeMilliseconds(flags: string, about: string, standard: number): Option {
  return new Option(flags, about).argParser(readMilliseconds).default(standard);
}

async function emulate(
  vendor: string,
  written: Written,
  { isJson }: Globals,
  { spine, console, stop }: Tools,
): Promise<ExitCode> {
  const { printEmulator, printEmulatorJson } = await import('./print/emulator.ts');
  const vendors = (await spine.catalogue()).map(({ name }) => name);
  if (!vendors.includes(vendor)) {
    throw wrongUse(
      `mediasweep emulate: there is no vendor "${vendor}".${suggest(vendor, vendors)} There are ${vendors.join(' and ')}.`,
    );
  }
  const faults = readFaults(written);
  const { url, credentials, switches, close } = await spine.emulate(vendor, {
    port: written.port,
    host: written.host,
    faults,
    switches: written.set,
  });
  (isJson ? printEmulatorJson : printEmulator)(console, { vendor, url, credentials, faults, switches });
  await waitFor(stop);
  await close();
  return exitCodes.complete;
}

function readFaults(written: Written): EmulatorFaults {
  const { seed, slowDown, serverError, resetBefore, resetAfter, modelFailure, delay, job } = written;
  return { seed, slowDown, serverError, resetBefore, resetAfter, modelFailure, delayMs: delay, jobMs: job };
}

function waitFor(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
