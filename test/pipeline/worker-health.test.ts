/** What a worker tells those who watch it. */
import { expect, test } from 'vitest';
import { systemClock } from '../../src/wire/clock.ts';
import { answer, type WorkerState } from '../../src/pipeline/worker-health.ts';

const healthy: WorkerState = {
  version: '1.2.3',
  process: 'host:1:abc',
  isDraining: () => false,
  isHeard: () => true,
  lookAtLedger: async () => [],
  clock: systemClock,
  shards: { underway: 2, done: 5, failed: 1 },
  counters: () => ({ asked: 9, answered: 7, failed: 1, held: 0, repeated: 3, overCap: 0, released: 0 }),
};

async function ask(path: string, changes: Partial<WorkerState> = {}, method = 'GET') {
  const request = { method, path, query: '', headers: {}, body: new Uint8Array() };
  const { status, body } = await answer({ ...healthy, ...changes })(request);
  return [status, String(body ?? '')];
}

test('it lives for as long as it answers, and is ready while it can take shards', async () => {
  expect(await ask('/live', { isDraining: () => true })).toEqual([200, 'alive\n']);
  expect(await ask('/ready')).toEqual([200, 'ready\n']);
  expect(await ask('/ready', { isDraining: () => true })).toEqual([503, 'draining\n']);
  expect(await ask('/ready', { isHeard: () => false })).toEqual([503, 'redis does not answer\n']);
  const lookAtLedger = () => Promise.reject(new Error('gone'));
  expect(await ask('/ready', { lookAtLedger })).toEqual([503, 'the ledger cannot be read\n']);
  const clock = { sleep: async () => undefined };
  const hanging = { lookAtLedger: () => new Promise(() => undefined), clock };
  expect(await ask('/ready', hanging)).toEqual([503, 'the ledger does not answer\n']);
});

test('its figures are in the text format of Prometheus', async () => {
  const [status, text] = await ask('/metrics');
  expect(status).toBe(200);
  expect(text).toContain(
    '# TYPE mediasweep_worker_shards_total counter\nmediasweep_worker_shards_total{end="done"} 5\n',
  );
  expect(text).toContain('mediasweep_worker_info{process="host:1:abc",version="1.2.3"} 1\n');
  expect(text).toContain('mediasweep_worker_tasks_total{what="answered"} 7\n');
  expect(text).toMatch(/\nmediasweep_worker_ready 1\n/);
});

test('nothing else is there', async () => {
  expect(await ask('/')).toEqual([404, '']);
  expect(await ask('/live', {}, 'POST')).toEqual([405, '']);
});
