/** `config/cluster.yaml`: what several machines share. */
import type { ClusterSettings, PostgresSettings, RedisSettings } from '../domain/cluster.ts';
import { valueAt } from './document.ts';
import { readFields, readValue } from './reader.ts';
import { clusterShape, ledgerShape, postgresShape, redisShape, secretClusterKeys } from './shape/cluster.ts';
import { reportProblem, reportVariables, type Trouble } from './trouble.ts';
import type { ConfigFile } from './variable.ts';

/** `undefined` where something is at fault, which is told. */
export function readCluster(trouble: Trouble, file: ConfigFile): ClusterSettings | undefined {
  const before = trouble.problems.length;
  reportVariables(trouble, file, []);
  const fields = readFields(trouble, file, [], clusterShape, { skipped: ['redis', 'ledger'] });
  if (!fields) return undefined;
  const redis = readRedis(trouble, file);
  const ledger = readLedger(trouble, file);
  const { shards } = fields;
  if (!redis || trouble.problems.length > before) return undefined;
  return { redis, ...(ledger && { ledger }), ...(shards && { shards }) };
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

function readLedger(trouble: Trouble, file: ConfigFile): PostgresSettings | undefined {
  const path = ['ledger', 'postgres'];
  if (valueAt(file.data, ['ledger']) === undefined) return undefined;
  if (!readFields(trouble, file, ['ledger'], ledgerShape, { skipped: ['postgres'] })) return undefined;
  if (valueAt(file.data, path) === undefined) {
    const missing =
      'this key is missing: expected a map with the host of PostgreSQL, such as { host: postgres.internal }.';
    reportProblem(trouble, file, path, missing);
    return undefined;
  }
  const fields = readFields(trouble, file, path, postgresShape, { skipped: secretClusterKeys });
  const password = readPassword(trouble, file, [...path, 'password']);
  const { host, port, database, user, tls, schema } = fields ?? {};
  const isWhole = host !== undefined && port !== undefined && tls !== undefined && schema !== undefined;
  if (!isWhole || database === undefined || user === undefined) return undefined;
  return { host, port, database, user, tls, schema, ...(password !== undefined && { password }) };
}

/** What stands in a file is read by whoever reads the file, and is kept by every copy of it. */
function readPassword(trouble: Trouble, file: ConfigFile, path: readonly string[]): string | undefined {
  const password = readValue(trouble, file, path, redisShape.shape.password, { isSecret: true });
  if (password === undefined || file.hasVariable(path)) return password;
  const message =
    'expected a password from the environment, such as "${PASSWORD}", found one in the file. Set a variable, and name it here.';
  reportProblem(trouble, file, path, message);
  return undefined;
}
