/** What the doctor says of the Redis that machines share. */
import { expect, test } from 'vitest';
import { examineRedis } from '../../src/doctor/redis.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import type { RedisFacts } from '../../src/domain/cluster.ts';

const nowMs = Date.parse('2026-11-20T00:00:00Z');
const clock = { now: () => nowMs, monotonic: () => 0 };
const settings = { host: 'redis.internal', port: 6379, tls: false, prefix: 'mediasweep' };
const fine = {
  version: '7.0.15',
  evictionPolicy: 'noeviction',
  isAppending: true,
  timeMs: nowMs,
  roundTripMs: 0.4,
};

async function look(facts: RedisFacts): Promise<readonly string[]> {
  const told = await examineRedis(settings, clock, async () => facts);
  return told.map(({ level, subject, message }) => `${level} ${subject}: ${message}`);
}

test.each<[string, RedisFacts, readonly string[]]>([
  [
    'in order',
    fine,
    [
      'ok redis redis.internal:6379: reached in 0.4 ms, version 7.0.15, nothing is evicted, and what it is told is kept',
    ],
  ],
  [
    'that tells nothing of itself',
    { timeMs: nowMs, roundTripMs: 1 },
    [
      'warn redis redis.internal:6379: reached in 1.0 ms; it does not tell its settings: see that maxmemory-policy is noeviction and appendonly yes',
    ],
  ],
  [
    'that forgets, is old, far away and behind',
    {
      ...fine,
      version: '5.0.3',
      evictionPolicy: 'allkeys-lru',
      isAppending: false,
      roundTripMs: 180,
      timeMs: nowMs - 90_000,
    },
    [
      'fail redis redis.internal:6379: version 5.0.3: expected 6.2 or newer. Run a newer one.',
      'fail redis redis.internal:6379: it forgets what it was told when its memory is full (maxmemory-policy allkeys-lru): limits and shards would get lost. Set maxmemory-policy noeviction.',
      'warn redis redis.internal:6379: a restart makes it forget what it was told: limits would begin anew while calls are under way. Set appendonly yes.',
      'warn redis redis.internal:6379: it answers in 180 ms: turns to call are lost on the way. Run it near the workers.',
      'warn redis redis.internal:6379: clock 1 min 30 s ahead. Set the clock of this machine, or of Redis.',
    ],
  ],
])('one %s', async (_, facts, lines) => {
  expect(await look(facts)).toEqual(lines);
});

test('one that cannot be reached fails with what to do', async () => {
  const told = await examineRedis(settings, clock, () =>
    Promise.reject(new Stop(exitCodes.halted, 'redis redis.internal:6379: it cannot be reached.')),
  );
  expect(told).toEqual([
    {
      level: 'fail',
      subject: 'redis redis.internal:6379',
      message: 'redis redis.internal:6379: it cannot be reached.',
      exitCode: 3,
    },
  ]);
});
