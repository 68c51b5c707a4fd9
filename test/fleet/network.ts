/**
 * Machines of a small network on this one: a network namespace each, on one bridge. Where namespaces cannot be had (they
 * take root and `ip`), all of them are this machine, and no line can be cut.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findMissingPrograms } from '../support/programs.ts';

const run = promisify(execFile);
/** Addresses for trials of networks (RFC 2544), which no other network of this machine has. */
const subnet = '198.18.0';

export interface Machine {
  readonly name: string;
  /** Where the servers see it. */
  readonly address: string;
  /** Words that run a command on it. */
  readonly enter: readonly string[];
}

/** Plain data, for the process that works in it. */
export interface Network {
  readonly isApart: boolean;
  /** The machine with all servers. */
  readonly hub: Machine;
  readonly machines: readonly Machine[];
}

/** Why there can be no namespaces; undefined where there can. */
export async function findObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (findMissingPrograms(['ip']).length > 0) return 'the program "ip" is missing (package iproute2)';
  const name = `mediasweep-${process.pid}-try`;
  try {
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['netns', 'delete', name]);
    return undefined;
  } catch (error) {
    return `network namespaces are refused: ${String(error)}`;
  }
}

/** All of it is this machine. */
export function openLoopback(names: readonly string[]): Network {
  const place = { address: '127.0.0.1', enter: [] };
  return {
    isApart: false,
    hub: { name: 'hub', ...place },
    machines: names.map((name) => ({ name, ...place })),
  };
}

/** Namespaces on a bridge; `closeNetwork` takes them away again. */
export async function openNamespaces(names: readonly string[]): Promise<Network> {
  const make = (name: string, index: number): Machine => {
    const place = nameSpace(name);
    return { name, address: `${subnet}.${index + 1}`, enter: ['ip', 'netns', 'exec', place] };
  };
  const [hub, ...machines] = ['hub', ...names].map(make) as [Machine, ...Machine[]];
  const network = { isApart: true, hub, machines };
  try {
    for (const { name } of [hub, ...machines]) {
      await run('ip', ['netns', 'add', nameSpace(name)]);
      await configure(name, 'link set lo up');
    }
    await configure('hub', 'link add bridge type bridge');
    await configure('hub', `addr add ${hub.address}/24 dev bridge`);
    await configure('hub', 'link set bridge up');
    for (const { name, address } of machines) {
      await configure('hub', `link add ${name} type veth peer name line netns ${nameSpace(name)}`);
      await configure('hub', `link set ${name} master bridge up`);
      await configure(name, `addr add ${address}/24 dev line`);
      await configure(name, 'link set line up');
    }
    return network;
  } catch (error) {
    await closeNetwork(network);
    throw error;
  }
}

export async function closeNetwork({ isApart, hub, machines }: Network): Promise<void> {
  if (!isApart) return;
  for (const { name } of [...machines, hub]) {
    await run('ip', ['netns', 'delete', nameSpace(name)]).catch(() => undefined);
  }
}

/** Cuts a machine's line, or mends it. Called in the hub. */
export async function setLine({ name }: Machine, to: 'down' | 'up'): Promise<void> {
  await run('ip', ['link', 'set', name, to]);
}

/** What a machine may send, in Mbit/s. Called in the hub. */
export async function narrowLine({ enter }: Machine, megabits: number): Promise<void> {
  const [program = '', ...words] = enter;
  const bucket = ['tbf', 'rate', `${megabits}mbit`, 'burst', '64kb', 'latency', '400ms'];
  await run(program, [...words, 'tc', 'qdisc', 'replace', 'dev', 'line', 'root', ...bucket]);
}

function nameSpace(name: string): string {
  return `mediasweep-${process.pid}-${name}`;
}

async function configure(name: string, words: string): Promise<void> {
  await run('ip', ['-n', nameSpace(name), ...words.split(' ')]);
}
