/** Where a stand-in for a vendor listens, and what it does. */
import type { EmulatorFaults, EmulatorSwitches } from '../../domain/emulator.ts';
import { formatDuration } from '../../domain/quantity.ts';
import { type Console, writeNote, writeResult } from './terminal.ts';
import { makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { formatTable } from './table.ts';

export interface EmulatorFacts {
  readonly vendor: string;
  readonly url: string;
  /** The stand-in's own; they open nothing at the vendor. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly faults: EmulatorFaults;
  readonly switches: EmulatorSwitches;
}

export function printEmulator(console: Console, facts: EmulatorFacts): void {
  const ink = makeInk(console);
  const credentials = Object.entries(facts.credentials).map(([name, value]) => `${name}: ${value}`);
  const rows = [
    ['endpoint', facts.url],
    ['credentials', credentials.join('\n')],
    ['faults', describeFaults(facts.faults)],
    [
      'pace',
      `each answer after ${formatDuration(facts.faults.delayMs)}, jobs end after ${formatDuration(facts.faults.jobMs)}`,
    ],
    [
      'switches',
      Object.entries(facts.switches)
        .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join('\n'),
    ],
    ['state', `${facts.url}/_emulator/state`],
  ];
  writeResult(console, [
    `${ink.bold(`stand-in for ${facts.vendor}`)}: checks signatures, fetches media from loopback addresses, keeps jobs, counts units`,
    ...formatTable(
      [{ title: '' }, { title: '' }],
      rows.map(([name = '', text = '']) => [`  ${name}`, text]),
    ),
  ]);
  writeNote(console, [
    'Put endpoint and credentials into an account of config/accounts.yaml. Ctrl-C ends it.',
  ]);
}

export function printEmulatorJson(console: Console, facts: EmulatorFacts): void {
  printJson(console, { ...facts, state: `${facts.url}/_emulator/state` });
}

function describeFaults(faults: EmulatorFaults): string {
  const chances: readonly (readonly [number, string])[] = [
    [faults.slowDown, 'are told to slow down'],
    [faults.serverError, 'meet a server error'],
    [faults.resetBefore, 'lose the connection before the work'],
    [faults.resetAfter, 'lose the connection after the work, which is billed'],
    [faults.modelFailure, 'fail in the model'],
  ];
  const told = chances
    .filter(([chance]) => chance > 0)
    .map(([chance, words]) => `${Number((chance * 100).toFixed(4))} % ${words}`);
  return told.length === 0 ? 'none' : `of the requests, by seed "${faults.seed}":\n${told.join('\n')}`;
}
