/** Programs of this machine that tests start: free ports for them, waiting for them, and their end. */
import type { ChildProcess } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
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

/** Kills it, and resolves once it is gone. */
export function endDaemon(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return resolve();
    daemon.once('exit', () => resolve());
    daemon.kill('SIGKILL');
  });
}
