/** A callback address that the whole world can reach: slow, oversized, flooding, forged and replayed requests, and a run beside them. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorld, putVariants } from '../support/outside-world.ts';
import { tries } from './hostile.ts';

const videos = 8;
const mostConnections = 64;

/**
 * Jobs end when the slow ones have been cut off. In the long form they end before, when no connection is left for the vendor:
 * then the run asks by itself, a minute later.
 */
const jobMs = tries(1).numRuns > 1 ? 6000 : 13_500;

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function waitFor<Value>(look: () => Value | undefined): Promise<Value> {
  for (let turn = 0; turn < 4000; turn += 1) {
    const seen = look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it never came');
}

/** Sends text and hangs on; answers what came back when the connection ended, or after this time. */
function send(port: number, text: string | Buffer, ms = 3000): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let answer = '';
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(finish, ms);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', finish);
    socket.on('connect', () => socket.write(text));
  });
}

const post = (path: string, body: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}Connection: close\r\n\r\n${body}`;

test('a run under slow, oversized, flooding, forged and replayed callbacks answers and pays for each video once', async () => {
  const world = await openWorld({ jobMs }, { switches: { qiniu: { callbacks: 'twice' } } });
  await putVariants(world, videos, 'video/mp4');
  const port = await findFreePort();
  const accounts = join(world.folder, 'config', 'accounts.yaml');
  const callback = `    callback: { listen: "127.0.0.1:${port}", publicUrl: "http://127.0.0.1:${port}" }\n`;
  await writeFile(accounts, `${(await readFile(accounts, 'utf8')).trimEnd()}\n${callback}`);
  const path = await world.writePipeline(
    'besieged',
    `source: { bucket: { storage: rehearsal, bucket: media } }
services:
  - use: qiniu/video-censor
    options: { ops: [{ op: pulp }], vframe: { mode: 0, interval: 2 } }
    delivery: callback
`,
  );
  const running = world.start('run', path);
  const hook = new URL(await waitFor(() => world.hookUrls[0])).pathname;
  const vid = await waitFor(() => Object.keys(world.emulators['qiniu']?.state().submitted ?? {})[0]);
  const lie = JSON.stringify({
    id: vid,
    result: { pulp: { labels: [{ label: 'forged', score: 1 }], segments: [] } },
  });
  const near = `${hook.slice(0, -1)}${hook.endsWith('0') ? '1' : '0'}`;

  // A stranger gets no byte of a body taken, however long it is said to be.
  const oversized = await send(
    port,
    `POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n${'x'.repeat(1000)}`,
  );
  expect(oversized).toMatch(/^HTTP\/1\.1 404 /);
  expect(await send(port, post(near, lie))).toMatch(/^HTTP\/1\.1 404 /);
  expect(await send(port, `GET ${hook} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 405 /);
  // Forged and replayed ones on the right path are taken for hints, and bring nothing by themselves.
  for (let time = 0; time < 50; time += 1)
    expect(await send(port, post(hook, lie))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await send(port, post(hook, `${'['.repeat(100_000)}`))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await send(port, post(hook, 'x'.repeat(9 * 1024 * 1024)))).not.toMatch(/ 200 /);
  for (const junk of [
    '\0\0\0',
    '\x16\x03\x01\x02\0',
    'GET\r\n\r\n',
    `${'A'.repeat(100_000)}\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]) {
    expect(await send(port, junk, 500)).not.toMatch(/ 200 /);
  }
  // Slow ones hold what connections there are, until their time is over; more are not let in.
  const slow = Array.from({ length: 3 * mostConnections }, () =>
    send(port, `POST ${hook} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`, 20_000),
  );
  const flood = Array.from({ length: 500 }, () => send(port, post(near, lie), 2000));
  await Promise.all(flood);
  const { exitCode, err } = await running.ended;
  expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
  const answers = await Promise.all(slow);
  expect(answers.filter((answer) => answer.includes(' 200 '))).toEqual([]);

  const folder = join(world.folder, 'reports', 'besieged', 'latest');
  const summary = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8'));
  expect(summary.counts).toMatchObject({ answered: videos, failed: 0, held: 0, open: 0 });
  expect(await readFile(join(folder, 'tasks.jsonl'), 'utf8')).not.toContain('forged');
  const { submissions, units } = world.emulators['qiniu']?.state() ?? {};
  expect(submissions).toBe(videos);
  expect(summary.units).toEqual(units);
}, 120_000);
