/** The port on which a worker tells of itself, under slow, oversized, flooding and unknown requests. */
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { serveHealth, type WorkerState } from '../../src/pipeline/worker-health.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { findFreePorts } from '../support/daemon.ts';

/** Sends text and answers what came back by the end of the connection, or within this time. */
function send(port: number, text: string, ms = 8000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

test('a worker under slow, oversized, flooding and unknown requests answers its probes, and asks its ledger once for many', async () => {
  const [port = 0] = await findFreePorts(1);
  let looks = 0;
  const state: WorkerState = {
    version: '1.2.3',
    process: 'host:1:abc',
    isDraining: () => false,
    isHeard: () => true,
    clock: systemClock,
    lookAtLedger: async () => {
      looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 30));
    },
    shards: { underway: 0, done: 0, failed: 0 },
    counters: () => ({ asked: 0, answered: 0, failed: 0, held: 0, repeated: 0, overCap: 0, released: 0 }),
  };
  const health = await serveHealth(state, { host: '127.0.0.1', port });
  onTestFinished(() => health.close());
  const slow = Array.from({ length: 300 }, () => send(port, 'GET /ready HTTP/1.1\r\nX-Slow: '));
  const flood = Array.from({ length: 400 }, (_, index) => send(port, get(index % 2 ? '/ready' : '/metrics')));
  expect(await send(port, get('/live'))).toMatch(/^HTTP\/1\.1 200 [\s\S]*alive/);
  const flooded = await Promise.all(flood);
  // Beyond 512 connections at once they are closed, which a probe tries again.
  expect(flooded.filter((answer) => answer.startsWith('HTTP/1.1 200 ')).length).toBeGreaterThan(150);
  expect(looks).toBeLessThan(100);
  const long = `POST /live HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n${'x'.repeat(1000)}`;
  expect(await send(port, long)).toMatch(/^HTTP\/1\.1 405 /);
  expect(await send(port, get(`/../../etc/passwd`))).toMatch(/^HTTP\/1\.1 404 /);
  expect(await send(port, get(`/${'x'.repeat(100_000)}`))).toMatch(/^HTTP\/1\.1 431 /);
  for (const junk of ['\0\0\0', '\x16\x03\x01\x02\0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    expect(await send(port, junk, 500)).not.toMatch(/ 200 /);
  }
  const ended = await Promise.all(slow);
  expect(ended.filter((answer) => answer.includes(' 200 '))).toEqual([]);
  expect(await send(port, get('/ready'))).toMatch(/^HTTP\/1\.1 200 [\s\S]*ready/);
}, 60_000);
