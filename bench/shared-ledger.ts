/**
 * Tasks a second that processes bring through durable intents and answers on PostgreSQL, whose server runs beside them:
 * against a file, and one process against several. `--against FOLDER` compares with the program of another checkout that
 * was built for benchmarks: `node bench/built/bench/shared-ledger.js --against ../other [TASKS [PAIRS [MS]]]`, with
 * syncs of the disk that take so many milliseconds longer.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import type { PostgresAccess } from '../src/domain/postgres.ts';
import { makeSchema, removeSchema, startPostgres } from '../test/support/postgres.ts';
import type { Written } from './ledger-writer.ts';
import { compare, type Result, tellFigure } from './measure.ts';
import { root } from './place.ts';
import { makeProject } from './project.ts';

const group = 100;
const here = relative(root, import.meta.dirname);

/** What some processes did together. */
interface Done {
  /** Tasks a second. */
  readonly pace: number;
  /** Processor time of the processes for a task, in microseconds. */
  readonly cpu: number;
  /** The same of the server. */
  readonly serverCpu: number;
}

export async function benchSharedLedger(tasks: number, pairs: number): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const isDurable of [true, false]) {
    const server = await startPostgres({ isDurable });
    const disk = isDurable ? 'with fsync' : 'without fsync';
    try {
      const ours = (processes: number) => async () => (await measure(server.access, tasks, processes)).pace;
      if (isDurable) {
        results.push(
          await compare(
            `${tasks} tasks by one process, PostgreSQL ${disk}, in groups of ${group}`,
            'tasks/s',
            'the same on a file',
            pairs,
            ours(1),
            async () => (await measure(undefined, tasks, 1)).pace,
          ),
        );
      }
      results.push(
        await compare(
          `${tasks} tasks by three processes together, PostgreSQL ${disk}`,
          'tasks/s',
          'one process',
          pairs,
          ours(3),
          ours(1),
        ),
      );
      if (isDurable) results.push(...(await tellCosts(server.access, tasks)));
    } finally {
      await server.stop();
    }
  }
  return results;
}

/** As a disk whose syncs take so much longer. */
function delaySyncs(ms: number): readonly string[] {
  return ms === 0 ? [] : [`commit_delay=${ms * 1000}`, 'commit_siblings=0'];
}

/** What the server has to do for a task. */
async function tellCosts(access: PostgresAccess, tasks: number): Promise<readonly Result[]> {
  const client = new pg.Client({ ...access });
  await client.connect();
  const before = await look(client);
  const place = makeSchema(access);
  const { cpu } = await run(place, tasks, 1, here);
  const after = await look(client);
  const { rows } = await client.query<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(c.oid))::text AS bytes FROM pg_class AS c
     JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'`,
    [place.schema],
  );
  await client.end();
  await removeSchema(place);
  const figures = [
    { name: 'processor time of the server for a task', value: (after.cpu - before.cpu) / tasks, unit: 'us' },
    { name: 'processor time of the program for a task', value: cpu, unit: 'us' },
    { name: 'write-ahead log for a task', value: (after.wal - before.wal) / tasks, unit: 'bytes' },
    { name: 'room for a task', value: Number(rows[0]?.bytes ?? 0) / tasks, unit: 'bytes' },
    { name: 'commits for a task', value: (after.commits - before.commits) / tasks, unit: '' },
  ];
  for (const figure of figures) tellFigure(figure);
  return figures;
}

interface Look {
  /** Microseconds, of all the server's processes. */
  readonly cpu: number;
  readonly wal: number;
  readonly commits: number;
}

async function look(client: pg.Client): Promise<Look> {
  const { rows } = await client.query<{ pid: number; wal: string; commits: string }>(
    `SELECT pg_backend_pid() AS pid, pg_current_wal_lsn() - '0/0' AS wal,
       (SELECT sum(xact_commit) FROM pg_stat_database) AS commits`,
  );
  const { pid = 0, wal = '0', commits = '0' } = rows[0] ?? {};
  return { cpu: await readCpu(pid), wal: Number(wal), commits: Number(commits) };
}

const ticksASecond = 100;

/** Of the server that this backend belongs to, and of all that it has started, in microseconds. */
async function readCpu(backend: number): Promise<number> {
  const server = (await readStat(backend)).parent;
  const children = await readFile(`/proc/${server}/task/${server}/children`, 'utf8');
  let ticks = 0;
  for (const pid of [server, ...children.trim().split(' ').map(Number)]) {
    const stat = await readStat(pid).catch(() => undefined);
    ticks += stat === undefined ? 0 : pid === server ? stat.own + stat.ended : stat.own;
  }
  return (ticks / ticksASecond) * 1e6;
}

async function readStat(pid: number): Promise<{ parent: number; own: number; ended: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold anything, the state is the third field (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const read = (place: number) => Number(fields[place - 3]);
  return { parent: read(4), own: read(14) + read(15), ended: read(16) + read(17) };
}

async function measure(
  access: PostgresAccess | undefined,
  tasks: number,
  processes: number,
  built = here,
): Promise<Done> {
  const place = access && makeSchema(access);
  const client = access && new pg.Client({ ...access });
  await client?.connect();
  const before = client && (await look(client));
  try {
    const done = await run(place, tasks, processes, built);
    const after = client && (await look(client));
    return { ...done, serverCpu: ((after?.cpu ?? 0) - (before?.cpu ?? 0)) / tasks };
  } finally {
    await client?.end();
    if (place) await removeSchema(place);
  }
}

async function run(
  access: PostgresAccess | undefined,
  tasks: number,
  processes: number,
  built: string,
): Promise<Omit<Done, 'serverCpu'>> {
  const project = await makeProject({ count: 1, port: 9 });
  const each = Math.ceil(tasks / processes);
  const file = join(resolve(root, built), 'ledger-writer.js');
  try {
    const children = Array.from({ length: processes }, (_, index) =>
      fork(file, [
        project.folder,
        `bench-${index}`,
        String(each),
        String(group),
        ...(access ? [JSON.stringify(access)] : []),
      ]),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    const begin = performance.now();
    const written = await Promise.all(
      children.map(async (child) => {
        const told = once(child, 'message');
        child.send('begin');
        return ((await told) as [Written])[0];
      }),
    );
    const seconds = (performance.now() - begin) / 1000;
    const done = each * processes;
    return { pace: done / seconds, cpu: (written.reduce((sum, { cpu }) => sum + cpu, 0) * 1e6) / done };
  } finally {
    await project.remove();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const words = process.argv.slice(2);
  const at = words.indexOf('--against');
  const [, other = '.'] = at < 0 ? [] : words.splice(at, 2);
  const [tasks = 5000, pairs = 3, delayMs = 0] = words.map(Number);
  for (const isDurable of delayMs > 0 ? [true] : [true, false]) {
    const server = await startPostgres({ isDurable, settings: delaySyncs(delayMs) });
    for (const processes of [1, 3]) {
      const disk = isDurable ? 'with' : 'without';
      await compareBuilds(
        `${tasks} tasks, processes: ${processes}, ${disk} fsync`,
        server.access,
        tasks,
        processes,
        pairs,
        other,
      );
    }
    await server.stop();
  }
  await compareBuilds(`${tasks} tasks on a file`, undefined, tasks, 1, pairs, other);
}

/** Of this program and of another checkout's, by the clock and by the processor. */
async function compareBuilds(
  name: string,
  access: PostgresAccess | undefined,
  tasks: number,
  processes: number,
  pairs: number,
  other: string,
): Promise<void> {
  const spent = new Map<string, number[]>();
  const go = async (built: string) => {
    const { pace, cpu, serverCpu } = await measure(access, tasks, processes, built);
    spent.set(built, [...(spent.get(built) ?? []), cpu + serverCpu]);
    console.log(
      `    ${pace.toFixed(0)} tasks/s, a task ${cpu.toFixed(0)} us, of the server ${serverCpu.toFixed(0)}`,
    );
    return pace;
  };
  const theirs = join(resolve(other), here);
  await compare(
    name,
    'tasks/s',
    `those of ${other}`,
    pairs,
    () => go(here),
    () => go(theirs),
  );
  const middle = (built: string) => {
    const sorted = (spent.get(built) ?? []).toSorted((one, next) => one - next);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  console.log(`${name}: processor time ${(middle(here) / middle(theirs)).toFixed(3)} of those of ${other}`);
}
