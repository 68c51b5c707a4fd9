/** What the doctor says of worlds that are in order and of worlds that are not. */
import { describe, expect, it } from 'vitest';
import { type DoctorTools, examine } from '../../src/doctor/examine.ts';
import type { Diagnosis } from '../../src/domain/diagnosis.ts';
import type { Sent, SignedCall } from '../../src/domain/exchange.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import type { AccessSettings, Account, Pipeline } from '../../src/domain/settings.ts';
import type { ListPage, ListRequest, StorageFacts } from '../../src/domain/storage.ts';
import { qiniu } from '../../src/vendors/qiniu/index.ts';
import { makeObjects, openMemoryStorage } from '../source/memory-storage.ts';
import { makeToyAccount } from '../support/toy-catalogue.ts';

const nowMs = Date.parse('2026-11-20T00:00:00Z');
const date = 'Fri, 20 Nov 2026 00:00:00 GMT';

interface World {
  readonly keys?: readonly string[];
  readonly spoil?: (page: ListPage, request: ListRequest) => ListPage;
  readonly facts?: Partial<StorageFacts>;
  readonly trouble?: Stop;
  readonly account?: Partial<Account>;
  readonly access?: AccessSettings;
  readonly delivery?: 'poll' | 'callback';
  readonly sent?: Sent;
  readonly read?: { readonly ok: false; readonly message: string; readonly status?: number };
  readonly host?: 'public' | 'private' | 'unknown';
  readonly freeBytes?: number | undefined;
  readonly leadsToUs?: boolean;
  readonly calls?: SignedCall[];
  readonly canListen?: boolean;
  readonly manifest?: string;
}

function look(world: World = {}): Promise<readonly Diagnosis[]> {
  const { keys = ['a.jpg', 'b.jpg', 'c/猫.jpg', 'd.jpg'], spoil, host = 'public' } = world;
  const answered: Sent = {
    phase: 'answered',
    reply: { status: 400, headers: { date }, body: '{"error":"no such job"}' },
  };
  const storage = openMemoryStorage(makeObjects(keys), spoil === undefined ? {} : { spoil });
  const account: Account = {
    ...makeToyAccount({
      name: 'qiniu-prod',
      vendor: qiniu,
      endpoint: 'https://ai.example',
      isLoopback: false,
    }),
    credentials: { accessKey: 'AK', secretKey: 'secret-of-test' },
    ...world.account,
  };
  let heard: ((path: string) => void) | undefined;
  const tools: DoctorTools = {
    clock: { now: () => nowMs },
    storage: {
      ...storage,
      examine: async (request) => {
        if (world.trouble !== undefined) throw world.trouble;
        return { page: await storage.list(request), serverTimeMs: nowMs, ...world.facts };
      },
    },
    http: {
      send: async (call) => {
        world.calls?.push(call);
        if (call.method === 'POST' && world.leadsToUs === true) heard?.(new URL(call.url).pathname);
        return world.sent ?? answered;
      },
    },
    urlReader: { read: async () => world.read ?? { ok: true, bytes: Buffer.from('x') } },
    link: async (item) => ({ url: `https://s3.example/${item.key}?X-Amz-Signature=hidden` }),
    resolveHost: async () => host,
    serve: async (handler) => {
      if (world.canListen === false)
        throw new Stop(exitCodes.wrongUse, '127.0.0.1:80: cannot be listened on. Choose another port.');
      heard = (path) =>
        void handler({ method: 'POST', path, query: '', headers: {}, body: new Uint8Array() });
      return { close: async () => undefined };
    },
    readFreeBytes: async () => ('freeBytes' in world ? world.freeBytes : 18e9),
  };
  const delivery = world.delivery ?? 'poll';
  const pipeline = {
    source:
      world.manifest === undefined
        ? { form: 'bucket', storage: 'main', bucket: 'media', prefixes: [''] }
        : { form: 'csv', path: world.manifest },
    access: world.access ?? { mode: 'presigned', expiresInSeconds: 86_400 },
    services: [{ account, delivery }],
  } as unknown as Pipeline;
  return examine(pipeline, ['/project/.mediasweep'], tools);
}

const write = ({ level, subject, message }: Diagnosis): string => `${level} ${subject}: ${message}`;

describe('the doctor', () => {
  it('tells what is in order, and makes one free request to the account', async () => {
    const calls: SignedCall[] = [];
    const diagnoses = await look({ calls });
    expect(diagnoses.map(write)).toEqual([
      'ok storage main: bucket "media" reached and signature accepted; lists in order, StartAfter works',
      'ok storage main: clock in step',
      'ok links (presigned): the link to "a.jpg" can be read',
      'ok links (presigned): "s3.example" is a public address',
      'ok account qiniu-prod: signature accepted (no paid call made); clock in step',
      'ok disk: 18 GB free at /project/.mediasweep',
    ]);
    expect(calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET https://ai.example/v1/jobs/video/mediasweep-doctor-0',
    ]);
  });

  it.each<[string, World, string, number | undefined]>([
    [
      'a storage that refuses',
      {
        trouble: new Stop(
          exitCodes.wrongUse,
          'storage "main": the credentials were refused. Check accessKeyId.',
        ),
      },
      'fail storage main: storage "main": the credentials were refused. Check accessKeyId.',
      2,
    ],
    [
      'a storage that is lost',
      { trouble: new Stop(exitCodes.halted, 'storage "main": the server was lost. Run again to go on.') },
      'fail storage main: storage "main": the server was lost. Run again to go on.',
      3,
    ],
    [
      'an empty prefix',
      { keys: [] },
      'warn storage main: bucket "media" reached and signature accepted, but nothing lies under the prefix. Check prefix.',
      undefined,
    ],
    [
      'keys out of order',
      { spoil: (page) => ({ ...page, objects: [...page.objects].reverse() }) },
      'fail storage main: bucket "media" reached and signature accepted, but keys come out of order: "c/猫.jpg" after "d.jpg". Its listing cannot be believed: use a manifest.',
      2,
    ],
    [
      'a server that ignores StartAfter',
      {
        spoil: (page, { startAfter }) =>
          startAfter === undefined
            ? page
            : { isTruncated: false, objects: [{ key: 'a.jpg', sizeBytes: 10 }] },
      },
      'warn storage main: bucket "media" reached and signature accepted, lists in order, but StartAfter is not honoured: listing goes on one page after another. Set parallel: 1.',
      undefined,
    ],
    [
      'a clock that is a little off',
      { facts: { serverTimeMs: nowMs - 120_000 } },
      'warn storage main: clock 2 min 00 s ahead. Set the clock of this machine.',
      undefined,
    ],
    [
      'a clock that is too far off',
      { facts: { serverTimeMs: nowMs + 16 * 60_000 } },
      'fail storage main: clock 16 min 00 s behind. Set the clock of this machine.',
      2,
    ],
    [
      'credentials that end before the links',
      { facts: { credentialEndsAtMs: nowMs + 55 * 60_000 } },
      'warn storage main: credentials end in 55 min 00 s, links asked for 1 d 00 h: they live no longer than that. Use credentials that live longer, or a shorter expiresIn.',
      undefined,
    ],
    [
      'a link that is refused',
      { read: { ok: false, message: 'status 403', status: 403 } },
      'fail links (presigned): the link to "a.jpg" was answered 403. Check access and who may read.',
      2,
    ],
    [
      'a private endpoint',
      { host: 'private' },
      'fail links (presigned): "s3.example" is a private address, which vendors on the internet cannot reach. Use the public endpoint of the storage, or access: public with a public baseUrl.',
      2,
    ],
    [
      'an endpoint that nobody knows',
      { host: 'unknown' },
      'warn links (presigned): "s3.example" has no address that this machine can find. Check that vendors can reach it.',
      undefined,
    ],
    [
      'a signature that is refused',
      { sent: { phase: 'answered', reply: { status: 401, headers: {}, body: '{"error":"bad token"}' } } },
      'fail account qiniu-prod: refused: "bad token" (401, bad-signature). Check accessKey and secretKey of this account.',
      2,
    ],
    [
      'a vendor in trouble',
      { sent: { phase: 'answered', reply: { status: 502, headers: {}, body: '' } } },
      'fail account qiniu-prod: the vendor is in trouble (502), so the signature was not checked. Run again.',
      3,
    ],
    [
      'a vendor that does not answer',
      { sent: { phase: 'not-sent', cause: 'connect ECONNREFUSED' } },
      'fail account qiniu-prod: https://ai.example gave no answer: connect ECONNREFUSED. Check endpoint and network, and run again.',
      3,
    ],
    [
      'little room',
      { freeBytes: 1024 ** 3 },
      'warn disk: 1.1 GB free at /project/.mediasweep; a run of a million tasks needs about 2.1 GB. Make room, or set --state and --out.',
      undefined,
    ],
    [
      'no room',
      { freeBytes: 1000 },
      'fail disk: 1 KB free at /project/.mediasweep; a run of a million tasks needs about 2.1 GB. Make room, or set --state and --out.',
      2,
    ],
    [
      'a disk that tells nothing',
      { freeBytes: undefined },
      'warn disk: nobody tells how much room is left',
      undefined,
    ],
  ])('tells of %s, and what to do', async (_, world, text, exitCode) => {
    const diagnoses = await look(world);
    expect(diagnoses.map(write)).toContain(text);
    expect(diagnoses.find((one) => write(one) === text)?.exitCode).toBe(exitCode);
    expect(JSON.stringify(diagnoses)).not.toMatch(/hidden|secret-of-test/);
  });

  const callback = { listen: { host: '127.0.0.1', port: 8787 }, publicUrl: 'https://hooks.example' };
  it.each<[string, World, string]>([
    [
      'that leads to us',
      { leadsToUs: true },
      'ok callback qiniu-prod: https://hooks.example leads to this machine',
    ],
    [
      'that leads elsewhere',
      {},
      'warn callback qiniu-prod: https://hooks.example did not lead to this machine when it was called from here. Check the proxy before it; polls stand in until then.',
    ],
    [
      'that is private',
      { host: 'private', leadsToUs: true },
      'fail callback qiniu-prod: https://hooks.example is a private address, which the vendor cannot reach. Set publicUrl to a public one, or delivery: poll.',
    ],
    [
      'that cannot be listened on',
      { canListen: false },
      'fail callback qiniu-prod: 127.0.0.1:80: cannot be listened on. Choose another port.',
    ],
  ])('tries a callback address %s', async (_, world, text) => {
    const diagnoses = await look({ ...world, delivery: 'callback', account: { callback } });
    expect(diagnoses.map(write)).toContain(text);
  });

  it.each([
    ['s3://main/media/a.jpg', 'ok storage main: the manifest s3://main/media/a.jpg is there'],
    [
      's3://main/media/x.csv',
      'fail storage main: there is no manifest s3://main/media/x.csv. Correct its path.',
    ],
  ])('looks for the manifest %s', async (manifest, text) => {
    expect((await look({ manifest })).map(write)).toContain(text);
  });

  it('says nothing of private addresses where all vendors are stand-ins on this machine', async () => {
    const diagnoses = await look({ host: 'private', account: { isLoopback: true } });
    expect(diagnoses.filter(({ level }) => level !== 'ok')).toEqual([]);
  });
});
