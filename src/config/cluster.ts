/** `config/cluster.yaml`: what several machines share. */
import type { ClusterSettings, RedisSettings } from '../domain/cluster.ts';
import { valueAt } from './document.ts';
import { readFields, readValue } from './reader.ts';
import { clusterShape, redisShape, secretClusterKeys } from './shape/cluster.ts';
import { reportProblem, reportVariables, type Trouble } from './trouble.ts';
import type { ConfigFile } from './variable.ts';

/** `undefined` where something is at fault, which is told. */
export function readCluster(trouble: Trouble, file: ConfigFile): ClusterSettings | undefined {
  const before = trouble.problems.length;
  reportVariables(trouble, file, []);
  const fields = readFields(trouble, file, [], clusterShape, { skipped: ['redis'] });
  if (!fields) return undefined;
  const redis = readRedis(trouble, file);
  const { shards } = fields;
  return redis && trouble.problems.length === before ? { redis, ...(shards && { shards }) } : undefined;
}

function readRedis(trouble: Trouble, file: ConfigFile): RedisSettings | undefined {
  const path = ['redis'];
  if (valueAt(file.data, path) === undefined) {
    const missing =
      'this key is missing: expected a map with the host of Redis, such as { host: redis.internal }.';
    reportProblem(trouble, file, path, missing);
    return undefined;
  }
  const fields = readFields(trouble, file, path, redisShape, { skipped: secretClusterKeys });
  const password = readPassword(trouble, file, [...path, 'password']);
  const { host, port, user, tls, prefix } = fields ?? {};
  if (host === undefined || port === undefined || tls === undefined || prefix === undefined) return undefined;
  return {
    host,
    port,
    tls,
    prefix,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
  };
}

/** What stands in a file is read by whoever reads the file, and is kept by every copy of it. */
function readPassword(trouble: Trouble, file: ConfigFile, path: readonly string[]): string | undefined {
  const password = readValue(trouble, file, path, redisShape.shape.password, { isSecret: true });
  if (password === undefined || file.hasVariable(path)) return password;
  const message =
    'expected a password from the environment, such as "${REDIS_PASSWORD}", found one in the file. Set a variable, and name it here.';
  reportProblem(trouble, file, path, message);
  return undefined;
}
