/** What machines share: every word that goes to Redis, every row on PostgreSQL, and all that processes tell, searched for secrets. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { openPostgresLedger } from '../../src/store/postgres-ledger.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openClusterWorld } from '../support/cluster-world.ts';
import { putLibrary } from '../support/outside-world.ts';
import { findMissingForPostgres, makeSchema, startPostgres } from '../support/postgres.ts';
import { missingForRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

const linkCanary = 'canary-link-signature';
const leaks = [
  /pai-emulator-token/,
  /emulated-secret-key/,
  /test-secret-of-the-embedded-store/,
  /test-password-of-a-private-redis/,
  new RegExp(linkCanary),
  /X-Amz-(?:Signature|Credential|Security-Token)=/i,
  /[?&]token=[^&\s"]+/,
  /Qiniu [\w-]+:[\w-]+=/,
];

async function readTables(access: pg.ClientConfig, schema: string): Promise<string> {
  const client = new pg.Client(access);
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1',
    [schema],
  );
  const texts: string[] = [];
  for (const { name } of rows) {
    const found = await client.query<{ text: string }>(
      `SELECT t::text AS text FROM "${schema}"."${name}" AS t`,
    );
    texts.push(...found.rows.map(({ text }) => `${name}: ${text}`));
  }
  await client.end();
  return texts.join('\n');
}

describeReal('what machines share', [...missingForRedis, ...findMissingForPostgres()], () => {
  test('holds no secret and no signed link: Redis, PostgreSQL, and the words of a coordinator and its workers', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const access = makeSchema(server.access);
    const cluster = await openClusterWorld(
      { redis, postgres: access },
      { shards: '{ tasks: 2, perWorker: 2 }', faults: { modelFailure: 0.3, slowDown: 0.1, seed: 'shared' } },
    );
    const { world } = cluster;
    const { port, password = '' } = redis.settings;
    const watcher = new Redis({ host: '127.0.0.1', port, password });
    const monitor = await watcher.monitor();
    const sent: string[] = [];
    monitor.on('monitor', (_time: string, words: readonly string[]) => sent.push(words.join(' ')));
    onTestFinished(() => {
      monitor.disconnect();
      watcher.disconnect();
    });
    await putLibrary(world);
    const links = [1, 2, 3].map(
      (number) =>
        `http://user:${linkCanary}@127.0.0.1:1/${number}.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${linkCanary}`,
    );
    await writeFile(join(world.folder, 'pipelines', 'links.csv'), `url\n${links.join('\n')}\n`);
    const both =
      'services: [{ use: pai/image-quality }, { use: qiniu/video-censor, options: { ops: [{ op: pulp }] } }]\n';
    const bucket = await world.writePipeline(
      'bucket',
      `source: { bucket: { storage: rehearsal, bucket: media } }\n${both}`,
    );
    const manifest = await world.writePipeline(
      'links',
      `source: { csv: { path: links.csv, allowPrivateAddresses: true } }\n${both}`,
    );
    const worker = await cluster.work();
    const first = await cluster.run(bucket);
    const second = await cluster.run(manifest);
    await worker.stop();
    expect([0, 1]).toContain(first.exitCode);
    expect([0, 1]).toContain(second.exitCode);
    const kept = await watcher.keys('*');
    const tables = await readTables(server.access, access.schema ?? '');
    expect(sent.length).toBeGreaterThan(50);
    expect(tables).toContain('127.0.0.1');
    const places = {
      'commands to Redis': sent.join('\n'),
      'keys of Redis': kept.join('\n'),
      'tables of PostgreSQL': tables,
      'words of the processes': [...first.words, ...second.words, ...worker.words].join('\n'),
    };
    const found = Object.entries(places).flatMap(([place, text]) =>
      leaks.flatMap((leak) => {
        const at = leak.exec(text)?.index;
        return at === undefined ? [] : [`${place}: ${text.slice(Math.max(0, at - 80), at + 80)}`];
      }),
    );
    expect(found).toEqual([]);

    // Refused, unknown and out of reach: the password stays out of the words.
    const secret = 'canary-postgres-password';
    for (const changes of [{ database: 'none' }, { user: 'nobody' }, { port: 1 }, { schema: 'x"; DROP' }]) {
      const opening = openPostgresLedger({
        access: { ...access, password: secret, ...changes },
        clock: { ...systemClock, sleep: () => Promise.resolve() },
      });
      const error: unknown = await opening.then(
        async (ledger) => {
          await ledger.close();
          return undefined;
        },
        (thrown: unknown) => thrown,
      );
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(secret);
    }
  }, 60_000);
});
