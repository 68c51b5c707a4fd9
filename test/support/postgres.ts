/** A private PostgreSQL on a free port of 127.0.0.1 and a folder of its own, which nothing but tests may trust. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresAccess } from '../../src/domain/postgres.ts';
import { findFreePorts, startServers } from './daemon.ts';
import { findMissingPrograms } from './server.ts';

const run = promisify(execFile);
const programs = ['initdb', 'postgres', 'pg_ctl'];

/** Debian keeps them apart from the PATH, one folder for each version. */
function findProgram(program: string): string | undefined {
  if (findMissingPrograms([program]).length === 0) return program;
  const versions = '/usr/lib/postgresql';
  if (!existsSync(versions)) return undefined;
  return readdirSync(versions)
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(versions, version, 'bin', program))
    .find((path) => existsSync(path));
}

/** What is missing to start one. */
export function findMissingForPostgres(): readonly string[] {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  return process.getuid?.() === 0 ? [...missing, ...findMissingPrograms(['setpriv'])] : missing;
}

/** The server will not run as root. */
async function findOwner(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const read = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await read('-u'), gid: await read('-g') };
}

export interface TestServer {
  readonly access: PostgresAccess;
  /** Stops it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

let schemas = 0;

/** A place for a ledger that no other test uses. */
export function makeSchema(access: PostgresAccess): PostgresAccess {
  schemas += 1;
  return { ...access, schema: `test_${process.pid}_${schemas}` };
}

export async function removeSchema({ schema = '', ...access }: PostgresAccess): Promise<void> {
  const client = new pg.Client({ ...access });
  await client.connect();
  await client.query(`SET client_min_messages = warning; DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  await client.end();
}

/**
 * Starts it and waits until it answers, some 2 s. `PATH` is all that it takes of the environment. What it writes need not
 * outlive the machine, unless `isDurable`.
 */
export async function startPostgres(
  options: { readonly isDurable?: boolean; readonly settings?: readonly string[] } = {},
): Promise<TestServer> {
  const durability = options.isDurable === true ? [] : ['fsync=off', 'full_page_writes=off'];
  const owner = await findOwner();
  const [port = 0] = await findFreePorts(1);
  const as = owner ? ['--reuid', `${owner.uid}`, '--regid', `${owner.gid}`, '--clear-groups'] : [];
  const become = (program: string, args: readonly string[]): readonly [string, readonly string[]] => {
    const path = findProgram(program) ?? program;
    return owner ? ['setpriv', [...as, path, ...args]] : [path, args];
  };
  const access: PostgresAccess = { host: '127.0.0.1', port, database: 'postgres', user: 'tester' };
  const server = await startServers('postgres', 'server.log', async (folder, start) => {
    await chmod(folder, 0o755);
    const data = join(folder, 'data');
    await mkdir(data, { mode: 0o700 });
    if (owner) await chown(data, owner.uid, owner.gid);
    const [program, args] = become('initdb', [
      '-A',
      'trust',
      '-N',
      '-E',
      'UTF8',
      '--locale=C',
      '-U',
      'tester',
      data,
    ]);
    await run(program, [...args], {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? ['/usr/bin', '/bin'].join(delimiter) },
    });
    const begin = () => {
      const settings = [
        ...durability,
        'max_connections=100',
        `unix_socket_directories=${data}`,
        ...(options.settings ?? []),
      ];
      start(
        ...become('postgres', [
          '-D',
          data,
          '-p',
          String(port),
          '-h',
          '127.0.0.1',
          ...settings.flatMap((setting) => ['-c', setting]),
        ]),
      );
    };
    begin();
    await waitUntilReady(access);
    return { data, begin };
  });
  const { data, begin } = server;
  const kill = async () => {
    const [program, args] = become('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop']);
    await run(program, [...args], { cwd: '/' });
  };
  return {
    access,
    kill,
    start: async () => {
      begin();
      await waitUntilReady(access);
    },
    stop: async () => {
      await kill().catch(() => undefined);
      await server.stop();
    },
  };
}

async function waitUntilReady(access: PostgresAccess): Promise<void> {
  for (let left = 400; ; left -= 1) {
    const client = new pg.Client({ ...access });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (left <= 0) throw error;
    }
    await sleep(100);
  }
}
