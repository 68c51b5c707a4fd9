/**
 * Workers and a coordinator under blows, over real servers, in network namespaces where they can be had and as processes of
 * this machine where not. `MEDIASWEEP_BLOWS=70` strikes longer than the handful of a normal run, `MEDIASWEEP_FIRST_SEED`
 * in another order.
 */
import { expect, test } from 'vitest';
import { findMissingForPostgres } from '../support/postgres.ts';
import { missingForRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';
import { beginFleet } from './begin.ts';

const blows = Number(process.env['MEDIASWEEP_BLOWS'] ?? 0);
const seed = process.env['MEDIASWEEP_FIRST_SEED'] ?? '7';
const order = ['worker killed', 'Redis restarted empty', 'coordinator killed'];
const few =
  `--blows ${order.length} --rounds 1 --images 100 --videos 4 --latency 500 --pause 800 --order`.split(' ');

describeReal('a fleet', [...missingForRedis, ...findMissingForPostgres()], () => {
  test('loses, doubles and passes nothing, whoever is struck', async () => {
    const words = blows > 0 ? ['--blows', String(blows)] : [...few, order.join()];
    const { exitCode, out } = await beginFleet('show', [...words, '--seed', seed], blows > 0);
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out: expect.stringMatching(/answers lost: 0;[^]*nothing lost, doubled or passed/),
    });
    expect(out).toMatch(/reports compared: [1-9]/);
    process.stdout.write(
      out
        .split('\n')
        .filter((line) => /^(show|\d+ blows)/.test(line))
        .join('\n')
        .concat('\n'),
    );
  }, 3_600_000);
});
