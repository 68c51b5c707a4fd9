/** A private PostgreSQL on a free port and in a folder of its own, which nothing but tests may trust. */
import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresAccess } from '../../src/domain/postgres.ts';
import { findFreePorts, startServers } from './daemon.ts';
import { findMissingPrograms } from './programs.ts';

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

export interface PostgresOptions {
  /** Address of this machine; 127.0.0.1 where absent. */
  readonly host?: string;
  /** What it writes outlives the machine; it need not where absent. */
  readonly isDurable?: boolean;
  /** Beside the usual ones, or instead of them: `name=value`. */
  readonly settings?: readonly string[];
  /** Lines of `pg_hba.conf`; everybody is trusted where absent. */
  readonly access?: readonly string[];
  /** Of its user. */
  readonly password?: string;
  /** Files of its certificate and key. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** Starts it and waits until it answers, some 2 s. `PATH` is all that it takes of the environment. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestServer> {
  const { host = '127.0.0.1', settings: more = [] } = options;
  const durability = options.isDurable === true ? [] : ['fsync=off', 'full_page_writes=off'];
  const owner = await findOwner();
  const [port = 0] = await findFreePorts(1);
  const as = owner ? ['--reuid', `${owner.uid}`, '--regid', `${owner.gid}`, '--clear-groups'] : [];
  const become = (program: string, args: readonly string[]): readonly [string, readonly string[]] => {
    const path = findProgram(program) ?? program;
    return owner ? ['setpriv', [...as, path, ...args]] : [path, args];
  };
  const access: PostgresAccess = { host, port, database: 'postgres', user: 'tester' };
  const server = await startServers('postgres', 'server.log', async (folder, start) => {
    await chmod(folder, 0o755);
    const data = join(folder, 'data');
    await mkdir(data, { mode: 0o700 });
    const give = async (path: string) => {
      if (owner) await chown(path, owner.uid, owner.gid);
    };
    await give(data);
    const secret = join(folder, 'password');
    await writeFile(secret, options.password ?? '');
    await give(secret);
    const [program, args] = become('initdb', [
      '-A',
      'trust',
      '-N',
      '-E',
      'UTF8',
      '--locale=C',
      '-U',
      'tester',
      ...(options.password === undefined ? [] : ['--pwfile', secret]),
      data,
    ]);
    const files = options.tls ? [options.tls.certificate, options.tls.key] : [];
    const [certificate, key] = [join(folder, 'server.pem'), join(folder, 'server.key')];
    for (const [index, path] of [certificate, key].entries()) {
      if (!files[index]) continue;
      await copyFile(files[index], path);
      await chmod(path, 0o600);
      await give(path);
    }
    const encrypted = ['ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`];
    await run(program, [...args], {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? ['/usr/bin', '/bin'].join(delimiter) },
    });
    const lines = options.access ?? ['host all all all trust'];
    await writeFile(join(data, 'pg_hba.conf'), lines.map((line) => `${line}\n`).join(''));
    const begin = () => {
      const settings = [
        ...durability,
        'max_connections=100',
        `unix_socket_directories=${data}`,
        ...(options.tls ? encrypted : []),
        ...more,
      ];
      start(
        ...become('postgres', [
          '-D',
          data,
          '-p',
          String(port),
          '-h',
          host,
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
      // One that refuses us is there.
      if (String((error as { readonly code?: unknown }).code).startsWith('28')) return;
      if (left <= 0) throw error;
    }
    await sleep(100);
  }
}
