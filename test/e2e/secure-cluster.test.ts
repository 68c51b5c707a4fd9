/** Workers over servers that take only encrypted connections and passwords: real PostgreSQL with SCRAM, real Redis with an ACL user. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificates, missingForCertificates } from '../support/certificates.ts';
import { openWorld, putVariants } from '../support/outside-world.ts';
import { findMissingForPostgres, startPostgres } from '../support/postgres.ts';
import { missingForRedis, startRedis } from '../support/redis.ts';
import { describeReal } from '../support/server.ts';

const root = join(import.meta.dirname, '..', '..');
const passwords = { redis: 'a-secret-of-redis', postgres: 'a-secret-of-postgres' };
const missing = [...missingForRedis, ...findMissingForPostgres(), ...missingForCertificates];

/** As `docs/cluster.md` gives it. */
async function readDocumentedRights(): Promise<readonly string[]> {
  const paper = await readFile(join(root, 'docs', 'cluster.md'), 'utf8');
  const line = /^user mediasweep on >\S+ (.*)$/m.exec(paper)?.[1] ?? '';
  return line.replaceAll('~mediasweep:', '~test:').split(' ');
}

describeReal('servers that take encrypted connections and passwords alone', missing, () => {
  test('carry a run out with the documented rights, and refuse the rest in clear words without a secret', async () => {
    const files = await makeCertificates();
    onTestFinished(() => files.remove());
    const { certificate, key, authority } = files;
    const rights = await readDocumentedRights();
    expect(rights).toContain('~test:*');
    const [redis, postgres] = await Promise.all([
      startRedis(
        '--tls-cert-file',
        certificate,
        '--tls-key-file',
        key,
        '--tls-ca-cert-file',
        authority,
        ...'--tls-auth-clients no --user mediasweep on'.split(' '),
        `>${passwords.redis}`,
        ...rights,
      ),
      startPostgres({
        password: passwords.postgres,
        tls: { certificate, key },
        access: ['hostssl all all all scram-sha-256'],
        settings: ['password_encryption=scram-sha-256'],
      }),
    ]);
    onTestFinished(() => redis.stop());
    onTestFinished(() => postgres.stop());
    const world = await openWorld({}, { variables: {} });
    await putVariants(world, 12, 'image/jpeg');
    const path = await world.writePipeline(
      'nightly',
      'source: { bucket: { storage: rehearsal, bucket: media } }\nservices: [{ use: pai/image-quality }]\n',
    );
    const writeConfig = async (folder: string, { redisTls = true, postgresTls = true } = {}) => {
      const redisAt = `host: 127.0.0.1, port: ${redis.settings.port}, user: mediasweep, password: "\${REDIS_PASSWORD}", prefix: test`;
      const postgresAt = `host: 127.0.0.1, port: ${postgres.access.port}, database: postgres, user: tester, password: "\${POSTGRES_PASSWORD}"`;
      await writeFile(
        join(world.folder, folder, 'cluster.yaml'),
        `redis: { ${redisAt}, tls: ${redisTls} }\nledger: { postgres: { ${postgresAt}, tls: ${postgresTls} } }\nshards: { tasks: 5 }\n`,
      );
    };
    const known = {
      REDIS_PASSWORD: passwords.redis,
      POSTGRES_PASSWORD: passwords.postgres,
      NODE_EXTRA_CA_CERTS: authority,
    };
    const inform = (change: Readonly<Record<string, string>>) =>
      Object.assign(world.environment, known, change);

    await writeConfig('config');
    inform({});
    const worker = world.start('worker');
    onTestFinished(async () => {
      worker.process.kill('SIGKILL');
      await worker.ended;
    });
    const ran = await world.run('run', path, '--json');
    expect({ exitCode: ran.exitCode, err: ran.err }).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(ran.out)).toMatchObject({ counts: { items: 12, answered: 12 } });
    worker.process.kill('SIGTERM');
    expect((await worker.ended).exitCode).toBe(0);

    const place = { redis: `redis 127.0.0.1:${redis.settings.port}`, postgres: `ledger "postgres://tester@` };
    const refusals: readonly (readonly [
      Readonly<Record<string, string>>,
      Parameters<typeof writeConfig>[1],
      string,
      RegExp,
    ])[] = [
      [{ REDIS_PASSWORD: 'wrong-word' }, {}, place.redis, /the credentials were refused: "WRONGPASS/],
      [{ POSTGRES_PASSWORD: 'wrong-word' }, {}, place.postgres, /does not let this user in: .*password/],
      [{ NODE_EXTRA_CA_CERTS: '' }, {}, place.redis, /certificate.*NODE_EXTRA_CA_CERTS/],
      [{}, { redisTls: false }, place.redis, /tls in config\/cluster\.yaml/],
      [{}, { postgresTls: false }, place.postgres, /no encryption.*tls: true/],
    ];
    for (const [index, [, config]] of refusals.entries()) {
      await cp(join(world.folder, 'config'), join(world.folder, `config-${index}`), { recursive: true });
      await writeConfig(`config-${index}`, config);
    }
    const told = await Promise.all(
      refusals.map(async ([change, , where, words], index) => {
        inform(change);
        const { exitCode, err, out } = await world.run('worker', '--config', `config-${index}`);
        return { exitCode, err, out, where, words };
      }),
    );
    for (const { exitCode, err, out, where, words } of told) {
      expect({ exitCode, err }).toMatchObject({ err: expect.stringContaining(where) });
      expect(err).toMatch(words);
      expect([2, 3]).toContain(exitCode);
      for (const secret of [...Object.values(passwords), 'wrong-word'])
        expect(out + err).not.toContain(secret);
    }
  }, 60_000);
});
