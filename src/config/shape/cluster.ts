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
    .meta({ description: 'Shards that a worker carries out at a time.' }),
});

export const clusterShape = z
  .strictObject({
    redis: redisShape.meta({
      description: 'Where machines share the limits of accounts.',
    }),
    shards: shardsShape.optional().meta({
      description:
        'Runs are carried out by the processes of `mediasweep worker`, shard by shard; by the run itself if left out.',
    }),
  })
  .meta({ title: 'Mediasweep cluster' });
