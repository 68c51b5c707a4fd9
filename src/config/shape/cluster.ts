/** What may stand in `config/cluster.yaml`: what several machines share. */
import { z } from 'zod';
import { wordShape } from './scalar.ts';

const portShape = z.int().min(1).max(65_535);

const hostShape = z.string().regex(/^[\w.:-]+$/, {
  error: 'expected a host without protocol, port and path, such as "redis.internal"',
});

export const redisShape = z.strictObject({
  host: hostShape.meta({ description: 'Host of Redis.', examples: ['redis.internal'] }),
  port: portShape.default(6379).meta({ description: 'Its port.' }),
  user: wordShape.optional().meta({ description: 'Name of an ACL user; the default user if left out.' }),
  password: wordShape
    .optional()
    .meta({ description: 'From the environment.', examples: ['${REDIS_PASSWORD}'] }),
  tls: z.boolean().default(false).meta({
    description: 'Whether the connection is encrypted. A CA of your own goes into NODE_EXTRA_CA_CERTS.',
  }),
  prefix: z
    .string()
    .regex(/^[\w.-]{1,50}$/, { error: 'expected at most 50 letters, digits, ".", "_" and "-"' })
    .default('mediasweep')
    .meta({ description: 'Stands before every key of ours: projects that share limits have the same.' }),
});

export const postgresShape = z.strictObject({
  host: hostShape.meta({ description: 'Host of PostgreSQL.', examples: ['postgres.internal'] }),
  port: portShape.default(5432).meta({ description: 'Its port.' }),
  database: wordShape.default('mediasweep').meta({ description: 'Name of the database.' }),
  user: wordShape.default('mediasweep').meta({ description: 'Role that owns the tables.' }),
  password: wordShape
    .optional()
    .meta({ description: 'From the environment.', examples: ['${POSTGRES_PASSWORD}'] }),
  tls: z.boolean().default(false).meta({
    description:
      'Whether the connection is encrypted, and the certificate checked. A CA of your own goes into NODE_EXTRA_CA_CERTS.',
  }),
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,50}$/, {
      error: 'expected a small letter, and at most 50 small letters, digits and "_" after it',
    })
    .default('mediasweep')
    .meta({ description: 'Schema that holds the tables; made where it is not there.' }),
});

/** Fields that are never shown, and that must come from the environment. */
export const secretClusterKeys: readonly string[] = ['password'];

export const shardsShape = z.strictObject({
  tasks: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .meta({ description: 'Tasks of a shard, at least; the rest of a run may be fewer.' }),
  perWorker: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .meta({ description: 'Shards of one run that a worker carries out at a time.' }),
});

export const ledgerShape = z.strictObject({
  postgres: postgresShape.meta({ description: 'On PostgreSQL, 15 or newer.' }),
});

export const clusterShape = z
  .strictObject({
    ledger: ledgerShape.optional().meta({
      description: 'The ledger that all machines share; the file in the state folder if left out.',
    }),
    redis: redisShape.meta({
      description: 'Where machines share the limits of accounts.',
    }),
    shards: shardsShape.optional().meta({
      description:
        'Runs are carried out by the processes of `mediasweep worker`, shard by shard; by the run itself if left out.',
    }),
  })
  .meta({ title: 'Mediasweep cluster' });
