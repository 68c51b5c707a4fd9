/** What the doctor finds out about a storage over a socket: where it is wrongly addressed, and what to write. */
import { describe, expect, it } from 'vitest';
import { examineStorage } from '../../src/doctor/storage.ts';
import type { Pipeline, Storage } from '../../src/domain/settings.ts';
import type { Quirks } from '../../src/rehearsal/quirk.ts';
import { openSource } from '../../src/source/open-source.ts';
import { systemClock } from '../../src/wire/clock.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { startEmbeddedStore } from '../support/embedded-store.ts';

const keys = ['a.jpg', 'b.jpg', 'c/猫.jpg', 'd.jpg'];

/** Every name leads to this machine, as `*.localhost` does by most resolvers. */
const lookup: NonNullable<Parameters<typeof openObjectStorage>[1]>['lookup'] = (_, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

interface Server {
  readonly quirks?: Quirks;
  readonly region?: string;
  /** Milliseconds that the server's clock is ahead. */
  readonly aheadMs?: number;
}

async function look(
  server: Server,
  settings: Partial<Storage> = {},
  prefixes: readonly string[] = [''],
): Promise<readonly string[]> {
  const { quirks, region, aheadMs = 0 } = server;
  const store = await startEmbeddedStore({
    ...(quirks !== undefined && { quirks }),
    ...(region !== undefined && { region }),
    clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
  });
  await store.store.shelf.addBucket('media', 0);
  for (const key of keys) await store.store.shelf.put('media', key, Buffer.from('x'), { lastModifiedMs: 0 });
  const { accessKeyId, secretAccessKey } = store;
  const main: Storage = {
    name: 'main',
    endpoint: store.endpoint.replace('127.0.0.1', 'localhost'),
    region: 'us-east-1',
    pathStyle: true,
    accessKeyId,
    secretAccessKey,
    ...settings,
  };
  const storages = new Map([['main', main]]);
  const storage = openObjectStorage(storages, { lookup, maxAttempts: 2, timeoutMs: 5000 });
  const pipeline = {
    source: { form: 'bucket', storage: 'main', bucket: 'media', prefixes },
    storages,
    access: { mode: 'presigned', expiresInSeconds: 3600 },
  } as unknown as Pipeline;
  const glance = () => openSource(pipeline, { storage, nowMs: 0, isGlance: true });
  try {
    const { diagnoses } = await examineStorage(pipeline, { storage, clock: systemClock, glance });
    return diagnoses.map(({ level, message }) =>
      `${level} ${message}`.replace(/\(http:\/\/localhost:\d+\)/, '(HERE)'),
    );
  } finally {
    storage.close();
    await store.stop();
  }
}

describe('the doctor over a socket', () => {
  it('finds a store in order', async () => {
    expect(await look({})).toEqual([
      'ok bucket "media" reached (region us-east-1, path style) and signature accepted; lists in order, pages go on, StartAfter works',
      'ok clock in step',
    ]);
  });

  it('looks at every prefix, and names those under which nothing lies', async () => {
    const reached = 'bucket "media" reached (region us-east-1, path style) and signature accepted';
    expect(await look({}, {}, ['x/', 'c/', 'y/'])).toEqual([
      `ok ${reached}; too few keys to try paging`,
      'warn nothing lies under prefixes "x/", "y/". Check prefix.',
      'ok clock in step',
    ]);
    expect(await look({}, {}, ['x/'])).toEqual([
      `warn ${reached}, but nothing lies under prefix "x/". Check prefix.`,
      'ok clock in step',
    ]);
  });

  it('says which region to write where the server names another', async () => {
    expect(await look({ region: 'cn-east-2' })).toEqual([
      'fail storage "main" (HERE): listing bucket "media": the bucket is in another region or at another endpoint: "AuthorizationHeaderMalformed: The region \'us-east-1\' is wrong; expecting \'cn-east-2\'" (400). The server names region "cn-east-2": set region of this storage, now "us-east-1", to that, and endpoint too where it holds a region. With "region: cn-east-2" it answers: write that under storages.main in storages.yaml.',
      'ok clock in step',
    ]);
  });

  it('says which style to write where buckets may not stand in the path', async () => {
    const [fault] = await look({ quirks: { isVirtualHostedOnly: true } });
    expect(fault).toBe(
      'fail storage "main" (HERE): listing bucket "media": this server does not take buckets in the path: "SecondLevelDomainForbidden: The bucket you are attempting to access must be addressed using OSS third level domain." (403). Set pathStyle: false of this storage. With "pathStyle: false" it answers: write that under storages.main in storages.yaml.',
    );
  });

  it('finds both where both are wrong', async () => {
    const [fault] = await look({ region: 'cn-east-2', quirks: { isVirtualHostedOnly: true } });
    expect(fault).toContain(
      ' With "region: cn-east-2, pathStyle: false" it answers: write that under storages.main in storages.yaml.',
    );
  });

  it('bears the style that the store wants', async () => {
    const told = await look({ quirks: { isVirtualHostedOnly: true } }, { pathStyle: false });
    expect(told[0]).toMatch(/^ok bucket "media" reached \(region us-east-1, virtual-hosted style\)/);
  });

  it('tries no other address where the keys are wrong', async () => {
    const told = await look({}, { secretAccessKey: 'wrong' });
    expect(told[0]).toMatch(
      /the credentials were refused: "SignatureDoesNotMatch: .*" \(403\)\. Check accessKeyId and secretAccessKey of this storage\.$/,
    );
  });

  it('finds keys out of order', async () => {
    const told = await look({ quirks: { reversesPages: true } });
    expect(told[0]).toMatch(
      /^warn .*; keys come in an order of its own \("c\/猫\.jpg" after "d\.jpg", expected the order of UTF-8 bytes\): one listing goes on/,
    );
  });

  it('finds that StartAfter is passed over', async () => {
    const told = await look({ quirks: { ignoresStartAfter: true } });
    expect(told[0]).toMatch(/^warn .*StartAfter is not honoured.* Set parallel: 1\.$/);
  });

  it("measures a clock that is far off, though requests are signed by the server's then", async () => {
    const told = await look({ aheadMs: 5_410_000 });
    expect(told).toContain('fail clock 1 h 30 min behind. Set the clock of this machine.');
  });

  it('tells of a session whose end is not known', async () => {
    const told = await look({}, { sessionToken: 'a-session' });
    expect(told.some((one) => one.startsWith('warn credentials of a session'))).toBe(true);
  });
});
