/** Programs of this machine that tests start: free ports for them, waiting for them, and their end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a server answers, with this status or with any, 80 s at most. */
export async function waitUntilAnswered(endpoint: string, status?: number): Promise<void> {
  const deadline = performance.now() + 80_000;
  while (performance.now() < deadline) {
    const answered = await fetch(endpoint).then(
      (answer) => answer.status,
      () => undefined,
    );
    if (answered !== undefined && (status === undefined || answered === status)) return;
    await sleep(200);
  }
  throw new Error(`${endpoint}: no answer within 80 s`);
}

/** Ports that were free a moment ago, held together so that they differ. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer();
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts a program in the background, which ends with this process at the latest. */
export type StartDaemon = (program: string, args: readonly string[]) => void;

/**
 * Starts a server of several programs in a new folder; `stop` ends them all and removes the folder. Where it does not come
 * up, the end of `log` in that folder stands in the error.
 */
export async function startServers<Server>(
  name: string,
  log: string,
  begin: (folder: string, start: StartDaemon) => Promise<Server>,
): Promise<Server & { stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), `mediasweep-${name}-`));
  const daemons: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.map(endDaemon));
    await rm(folder, { recursive: true, force: true });
  };
  const start: StartDaemon = (program, args) => {
    const daemon = spawn(program, args, { stdio: 'ignore' });
    process.once('exit', () => daemon.kill('SIGKILL'));
    daemons.push(daemon);
  };
  try {
    return { ...(await begin(folder, start)), stop };
  } catch (error) {
    const told = await readFile(join(folder, log), 'utf8').catch(() => '');
    await stop();
    throw new Error(`${name}: did not start.\n${told.slice(-4000)}`, { cause: error });
  }
}

/** Kills it, and resolves once it is gone. */
export function endDaemon(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return resolve();
    daemon.once('exit', () => resolve());
    daemon.kill('SIGKILL');
  });
}
