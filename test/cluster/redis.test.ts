/** What a person is told where Redis cannot be used. */
import { expect, test } from 'vitest';
import { explainRedis, openRedis } from '../../src/cluster/redis.ts';
import { silentLog } from '../../src/domain/log.ts';
import { findFreePorts } from '../support/daemon.ts';

const settings = { host: '127.0.0.1', port: 1, tls: false, prefix: 'test' };

test('a package that is not installed is named, with what to do', async () => {
  const load = () => Promise.reject(new Error("Cannot find package 'ioredis'"));
  await expect(openRedis(settings, silentLog, load)).rejects.toMatchObject({
    exitCode: 2,
    message:
      'config/cluster.yaml names redis, and the package "ioredis" cannot be loaded: "Cannot find package \'ioredis\'". Install it: npm install ioredis.',
  });
});

test('a Redis that is not there is told at once, and that running again goes on', async () => {
  const [port = 0] = await findFreePorts(1);
  await expect(openRedis({ ...settings, port }, silentLog)).rejects.toMatchObject({
    exitCode: 3,
    message: `redis 127.0.0.1:${port}: it cannot be reached: "connect ECONNREFUSED 127.0.0.1:${port}". Check that it runs, and host, port and tls in config/cluster.yaml. Run again to go on.`,
  });
});

test.each([
  ['WRONGPASS invalid username-password pair', 2, 'the credentials were refused'],
  ['NOAUTH Authentication required.', 2, 'the credentials were refused'],
  ["NOPERM this user has no permissions to run the 'eval' command", 2, 'the user may not do this'],
  ['getaddrinfo ENOTFOUND redis.internal', 2, 'it cannot be used so'],
  ['write EPROTO: wrong version number', 2, 'it cannot be used so'],
  ['connect ETIMEDOUT', 3, 'it cannot be reached'],
])('%s ends with exit %i: %s', (said, exitCode, words) => {
  const stop = explainRedis(settings, new Error(said));
  expect([stop.exitCode, stop.message]).toEqual([
    exitCode,
    expect.stringContaining(`redis 127.0.0.1:1: ${words}: "${said}". `),
  ]);
});
