/** Faults of `config/cluster.yaml`, told at their place, and what it gives where there are none. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCluster } from '../../src/config/load.ts';
import { formatProblem } from '../../src/domain/problem.ts';
import { withProject } from './project.ts';

const variables = { REDIS_PASSWORD: 'do-not-tell' };

function load(text: string | undefined, environment: Readonly<Record<string, string>> = variables) {
  return withProject({ 'config/cluster.yaml': text }, async (folder) => {
    const { cluster, problems } = await loadCluster(join(folder, 'config'), environment);
    return { cluster, problems: problems.map((one) => formatProblem(one).replaceAll(`${folder}/`, '')) };
  });
}

test('a machine is alone where the file is not there', async () => {
  expect(await load(undefined)).toEqual({ cluster: undefined, problems: [] });
});

test('Redis needs no more than its host', async () => {
  expect(await load('redis: { host: redis.internal }\n')).toEqual({
    cluster: { redis: { host: 'redis.internal', port: 6379, tls: false, prefix: 'mediasweep' } },
    problems: [],
  });
});

test('all that can be said is read, the password from the environment', async () => {
  const text =
    'redis: { host: 10.0.0.7, port: 6380, user: audit, password: "${REDIS_PASSWORD}", tls: true, prefix: media-1 }\n';
  expect((await load(text)).cluster?.redis).toEqual({
    host: '10.0.0.7',
    port: 6380,
    user: 'audit',
    password: 'do-not-tell',
    tls: true,
    prefix: 'media-1',
  });
});

test('runs are cut into shards where that is asked for', async () => {
  const { cluster } = await load('redis: { host: redis.internal }\nshards: { tasks: 50 }\n');
  expect(cluster?.shards).toEqual({ tasks: 50, perWorker: 4 });
  expect((await load('redis: { host: redis.internal }\nshards: { perWorker: 0 }\n')).problems).toEqual([
    'config/cluster.yaml:2:22 shards.perWorker: expected a whole number from 1 to 64, found 0.',
  ]);
});

test.each([
  [
    'an empty file lacks Redis',
    '{}\n',
    [
      'config/cluster.yaml:1:1 redis: this key is missing: expected a map with the host of Redis, such as { host: redis.internal }.',
    ],
  ],
  [
    'every fault is told at once',
    'redis: { host: "redis://x", port: 70000, tls: yes, prefix: "a b" }\nredes: 1\n',
    [
      'config/cluster.yaml:1:16 redis.host: expected a host without protocol, port and path, such as "redis.internal", found "redis://x".',
      'config/cluster.yaml:1:35 redis.port: expected a whole number from 1 to 65535, found 70000.',
      'config/cluster.yaml:1:47 redis.tls: expected true or false, found "yes".',
      'config/cluster.yaml:1:60 redis.prefix: expected at most 50 letters, digits, ".", "_" and "-", found "a b".',
      'config/cluster.yaml:2:1 redes: unknown key "redes". Did you mean "redis"?',
    ],
  ],
  [
    'a password in the file is refused and not shown',
    'redis: { host: redis.internal, password: hunter2 }\n',
    [
      'config/cluster.yaml:1:42 redis.password: expected a password from the environment, such as "${PASSWORD}", found one in the file. Set a variable, and name it here.',
    ],
  ],
  [
    'a variable that is not set is named',
    'redis: { host: redis.internal, password: "${REDIS_SECRET}" }\n',
    [
      'config/cluster.yaml:1:42 redis.password: environment variable REDIS_SECRET is not set. Set it, or name another variable.',
    ],
  ],
])('%s', async (_, text, problems) => {
  const told = await load(text);
  expect(told.problems.toSorted()).toEqual(problems.toSorted());
  expect(told.cluster).toBeUndefined();
});
