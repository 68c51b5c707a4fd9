/** What the doctor says of worlds that are in order and of worlds that are not. */
import { describe, expect, it } from 'vitest';
import { examine } from '../../src/doctor/examine.ts';
import type { DiskHistory, DoctorTools } from '../../src/doctor/tools.ts';
import type { Diagnosis } from '../../src/domain/diagnosis.ts';
import type { Sent, SignedCall } from '../../src/domain/exchange.ts';
import { exitCodes, Stop } from '../../src/domain/problem.ts';
import type { AccessSettings, Account, Pipeline, Storage } from '../../src/domain/settings.ts';
import type { ListPage, ListRequest, StorageFacts, StorageRefusal } from '../../src/domain/storage.ts';
import { openSource } from '../../src/source/open-source.ts';
import { qiniu } from '../../src/vendors/qiniu/index.ts';
import { compareUtf16, makeObjects, openMemoryStorage } from '../source/memory-storage.ts';
import { makeToyAccount } from '../support/toy-catalogue.ts';

const nowMs = Date.parse('2026-11-20T00:00:00Z');
const date = 'Fri, 20 Nov 2026 00:00:00 GMT';

interface World {
  readonly keys?: readonly string[];
  readonly order?: (left: string, right: string) => number;
  readonly spoil?: (page: ListPage, request: ListRequest) => ListPage;
  readonly facts?: Partial<StorageFacts>;
  readonly refusal?: StorageRefusal;
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
  /** Lines of a manifest in JSON, which lies at `s3://main/media/rows.jsonl`. */
  readonly rows?: readonly unknown[];
  readonly manifest?: string;
  readonly parallel?: number;
  readonly history?: DiskHistory;
  readonly mayTakeMs?: number;
}

const main: Storage = { name: 'main', endpoint: 'https://s3.example', region: 'cn-east-1', pathStyle: true };

function look(world: World = {}): Promise<readonly Diagnosis[]> {
  const { keys = ['a.jpg', 'b.jpg', 'c/猫.jpg', 'd.jpg'], spoil, order, host = 'public' } = world;
  const answered: Sent = {
    phase: 'answered',
    reply: { status: 400, headers: { date }, body: '{"error":"no such job"}' },
  };
  const { rows, manifest = rows && 's3://main/media/rows.jsonl' } = world;
  const lines = rows?.map((row) => JSON.stringify(row)).join('\n') ?? '';
  const list = rows === undefined ? [] : [{ key: 'rows.jsonl', bytes: Buffer.from(lines) }];
  const there = [...keys, ...list.map(({ key }) => key)];
  const storage = openMemoryStorage([...makeObjects(keys), ...list], {
    ...(spoil && { spoil }),
    ...(order && { order }),
  });
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
        if (world.refusal !== undefined) return world.refusal;
        const facts = { serverTimeMs: nowMs, isSession: false, ...world.facts };
        if ('prefix' in request) return { page: await storage.list(request), ...facts };
        if (there.includes(request.key)) return { page: { objects: [], isTruncated: false }, ...facts };
        const stop = new Stop(
          exitCodes.wrongUse,
          `head of "${request.key}": there is no such object. Check it.`,
        );
        return { stop, about: 'other' };
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
    link: async (item) => ({ url: item.url ?? `https://s3.example/${item.key}?X-Amz-Signature=hidden` }),
    resolveHost: async () => host,
    serve: async (handler) => {
      if (world.canListen === false)
        throw new Stop(exitCodes.wrongUse, '127.0.0.1:80: cannot be listened on. Choose another port.');
      heard = (path) =>
        void handler({ method: 'POST', path, query: '', headers: {}, body: new Uint8Array() });
      return { close: async () => undefined };
    },
    readFreeBytes: async () => ('freeBytes' in world ? world.freeBytes : 18e9),
    readHistory: async () => world.history,
    mayTakeMs: world.mayTakeMs ?? 60_000,
    glance: () => openSource(pipeline, { storage, nowMs, isGlance: true }),
  };
  const delivery = world.delivery ?? 'poll';
  const bucket = {
    form: 'bucket',
    storage: 'main',
    bucket: 'media',
    prefixes: [''],
    parallel: world.parallel ?? 8,
  };
  const listed = { form: 'jsonl', encoding: 'utf-8', storage: 'main', bucket: 'media', path: manifest };
  const pipeline = {
    source: manifest === undefined ? bucket : listed,
    select: { include: [], exclude: [], kinds: [] },
    storages: new Map([['main', main]]),
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
      'ok storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted; lists in order, pages go on, StartAfter works',
      'ok storage main: clock in step',
      'ok links (presigned): the link to "a.jpg" can be read',
      'ok links (presigned): "s3.example" is a public address',
      'ok account qiniu-prod: signature accepted (no paid call made); clock in step',
      'ok disk: 18 GB free at /project/.mediasweep; a run of 1,000,000 tasks needs about 3.2 GB',
    ]);
    expect(calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET https://ai.example/v1/jobs/video/mediasweep-doctor-0',
    ]);
  });

  it.each<[string, World, string, number | undefined]>([
    [
      'a storage that refuses',
      {
        refusal: {
          stop: new Stop(
            exitCodes.wrongUse,
            'storage "main": the credentials were refused. Check accessKeyId.',
          ),
          about: 'keys',
        },
      },
      'fail storage main: storage "main": the credentials were refused. Check accessKeyId.',
      2,
    ],
    [
      'a storage that is lost',
      {
        refusal: {
          stop: new Stop(exitCodes.halted, 'storage "main": the server was lost. Run again to go on.'),
          about: 'lost',
        },
      },
      'fail storage main: storage "main": the server was lost. Run again to go on.',
      3,
    ],
    [
      'an endpoint that the server names',
      {
        refusal: {
          stop: new Stop(exitCodes.wrongUse, 'storage "main": the bucket is at another endpoint.'),
          about: 'other',
          endpoint: 'oss-cn-hangzhou.aliyuncs.com',
        },
      },
      'fail storage main: storage "main": the bucket is at another endpoint. The server names the endpoint "oss-cn-hangzhou.aliyuncs.com": try that.',
      2,
    ],
    [
      'an empty bucket',
      { keys: [] },
      'warn storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted, but the bucket is empty. Check bucket.',
      undefined,
    ],
    [
      'keys out of order',
      { keys: ['a.jpg', '\u{FFFD}.jpg', '\u{1F600}.jpg'], order: compareUtf16 },
      'warn storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted; keys come in an order of its own ("\u{FFFD}.jpg" after "\u{1F600}.jpg", expected the order of UTF-8 bytes): one listing goes on page after page, which is slower, and from the beginning again where a run is interrupted. An S3 Inventory is faster.',
      undefined,
    ],
    [
      'keys out of order and a first page that comes again',
      {
        keys: ['a.jpg', '\u{FFFD}.jpg', '\u{1F600}.jpg'],
        order: compareUtf16,
        spoil: (page, { token }) =>
          token === undefined ? page : { ...page, objects: [{ key: 'a.jpg', sizeBytes: 10 }] },
      },
      'fail storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted, but the second page repeats "a.jpg" of the first. Its listing cannot be believed: use an inventory or another manifest.',
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
      'warn storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted; lists in order, but StartAfter is not honoured: one listing goes on page after page, which is slower and complete. Set parallel: 1.',
      undefined,
    ],
    [
      'a server that refuses StartAfter, where it is not wanted',
      {
        parallel: 1,
        spoil: (page, { startAfter }) => {
          if (startAfter !== undefined) throw new Stop(exitCodes.wrongUse, 'storage "main": refused.');
          return page;
        },
      },
      'warn storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted; lists in order, but StartAfter is not honoured: one listing goes on page after page, which is slower and complete.',
      undefined,
    ],
    [
      'a server that finds nothing behind a key that does not exist',
      {
        spoil: (page, { startAfter }) =>
          startAfter?.endsWith('\u{10FFFD}') === true ? { isTruncated: false, objects: [] } : page,
      },
      'warn storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted; lists in order, but StartAfter finds nothing behind a key that does not exist: parallel listing is complete but gains little. Set parallel: 1.',
      undefined,
    ],
    [
      'a server that repeats its first page',
      {
        spoil: (page, { token }) =>
          token === undefined ? page : { isTruncated: false, objects: [{ key: 'a.jpg', sizeBytes: 10 }] },
      },
      'fail storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted, but the second page begins with "a.jpg" where "c/猫.jpg" was expected. Its listing cannot be believed: use an inventory or another manifest.',
      2,
    ],
    [
      'a server without tokens',
      { spoil: (page) => ({ ...page, nextToken: undefined }) },
      'fail storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted, but a page that is not the last has no token to go on with. Its listing cannot be believed: use an inventory or another manifest.',
      2,
    ],
    [
      'a server that forgets to say that more follow',
      { spoil: (page) => ({ ...page, isTruncated: false }) },
      'fail storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted, but a page of two keys says that no more follow, though they do. Its listing cannot be believed: use an inventory or another manifest.',
      2,
    ],
    [
      'two keys',
      { keys: ['a.jpg', 'b.jpg'] },
      'ok storage main: bucket "media" reached (region cn-east-1, path style) and signature accepted; too few keys to try paging',
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
      'credentials of a session without an end',
      { facts: { isSession: true } },
      'warn storage main: credentials of a session (sessionToken), whose end nobody tells: links die with them, though 1 d 00 h are asked for. Use keys without a session, or leave all three out for the AWS credential chain, which renews them.',
      undefined,
    ],
    [
      'links that die before slow jobs',
      { access: { mode: 'presigned', expiresInSeconds: 3600 }, mayTakeMs: 86_400_000 },
      'warn links (presigned): links live 1 h 00 min (access.expiresIn), and a call or job may take 1 d 00 h (deadlines): media that a vendor fetches late fail. Set expiresIn to that, or shorten the deadline.',
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
      'fail links (presigned): "s3.example" is a private address, which vendors on the internet cannot reach. Set endpoint of storage "main" to its public one, or access: { mode: public } with a public baseUrl, or for PAI\'s images { mode: inline }.',
      2,
    ],
    [
      'a private endpoint before anything lies in the bucket',
      { host: 'private', keys: [] },
      'fail links (presigned): "s3.example" is a private address, which vendors on the internet cannot reach. Set endpoint of storage "main" to its public one, or access: { mode: public } with a public baseUrl, or for PAI\'s images { mode: inline }.',
      2,
    ],
    [
      'a private public address',
      { host: 'private', keys: [], access: { mode: 'public', baseUrl: 'https://cdn.internal/' } },
      'fail links (public): "cdn.internal" is a private address, which vendors on the internet cannot reach. Set baseUrl of access to a public address.',
      2,
    ],
    [
      'a public address that does not serve',
      {
        access: { mode: 'public', baseUrl: 'https://cdn.example/' },
        read: { ok: false, message: 'status 404', status: 404 },
      },
      'fail links (public): the link to "a.jpg" was answered 404. Check baseUrl of access, and that anyone may read there.',
      2,
    ],
    [
      'a URL of a manifest whose host nobody knows',
      {
        rows: [{ url: 'https://media.exmaple/a.jpg' }],
        read: { ok: false, message: 'getaddrinfo ENOTFOUND media.exmaple' },
      },
      'fail links (presigned): the link to "https://media.exmaple/a.jpg" leads to "media.exmaple", a name that this machine cannot find (getaddrinfo ENOTFOUND media.exmaple). Check how the name is spelled in the manifest\'s URLs, and whether this machine\'s DNS knows it (a name of an inner network, a proxy).',
      2,
    ],
    [
      'a public address whose host nobody knows',
      {
        access: { mode: 'public', baseUrl: 'https://s3.example/' },
        read: { ok: false, message: 'getaddrinfo EAI_AGAIN s3.example' },
      },
      'fail links (public): the link to "a.jpg" leads to "s3.example", a name that this machine cannot find (getaddrinfo EAI_AGAIN s3.example). Check how the name is spelled in baseUrl of access, and whether this machine\'s DNS knows it (a name of an inner network, a proxy).',
      2,
    ],
    [
      'a URL of a manifest whose server does not answer',
      {
        rows: [{ url: 'https://media.example/a.jpg' }],
        read: { ok: false, message: 'not read within 5000 ms' },
      },
      'fail links (presigned): the link to "https://media.example/a.jpg" could not be read: not read within 5000 ms. Check the manifest\'s URLs, and that this machine can reach them.',
      2,
    ],
    [
      'a signed URL of a manifest that has ended',
      {
        rows: [{ url: 'https://media.example/a.jpg?e=1&token=hidden' }],
        read: { ok: false, message: 'status 401', status: 401 },
      },
      'fail links (presigned): the link to "https://media.example/a.jpg" was answered 401. Check the manifest\'s URLs: they may have expired.',
      2,
    ],
    [
      'private URLs of a manifest',
      { host: 'private', rows: [{ url: 'http://media.internal/a.jpg' }] },
      'fail links (presigned): "media.internal" is a private address, which vendors on the internet cannot reach. Use public URLs in the manifest, or rows with a key and access: inline for PAI\'s images.',
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
      'warn disk: 1.1 GB free at /project/.mediasweep; a run of 1,000,000 tasks needs about 3.2 GB. Make room (`mediasweep ledger prune` drops old runs), or set --state and --out.',
      undefined,
    ],
    [
      'no room',
      { freeBytes: 1000 },
      'fail disk: 1 KB free at /project/.mediasweep; a run of 1,000,000 tasks needs about 3.2 GB. Make room (`mediasweep ledger prune` drops old runs), or set --state and --out.',
      2,
    ],
    [
      'room for a run like the last one, whose answers were long',
      { freeBytes: 1e9, history: { ledgerBytes: 200e6, tasks: 20_000, latestTasks: 1000 } },
      'ok disk: 1 GB free at /project/.mediasweep; a run like the last one (1,000 tasks) needs about 221 MB',
      undefined,
    ],
    [
      'room, though a small ledger holds more of what no service takes than of tasks',
      { freeBytes: 18e9, history: { ledgerBytes: 20e6, tasks: 2000 } },
      'ok disk: 18 GB free at /project/.mediasweep; a run of 1,000,000 tasks needs about 3.2 GB',
      undefined,
    ],
    [
      'too little room for a run like the last one',
      { freeBytes: 300e6, history: { ledgerBytes: 100e6, tasks: 100_000, latestTasks: 100_000 } },
      'fail disk: 300 MB free at /project/.mediasweep; a run like the last one (100,000 tasks) needs about 420 MB. Make room (`mediasweep ledger prune` drops old runs), or set --state and --out.',
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

  it('reads the first rows of a manifest, and asks where it and its media lie', async () => {
    const rows = [{ key: 'a.jpg' }, { url: 'https://media.example/b.jpg' }];
    expect((await look({ rows })).map(write)).toEqual([
      'ok storage main: s3://main/media/rows.jsonl is there',
      'ok storage main: clock in step',
      'ok manifest s3://main/media/rows.jsonl: 2 rows read, 2 of them selected',
      'ok storage main: s3://main/media/a.jpg is there',
      'ok links (presigned): the link to "a.jpg" can be read',
      'ok links (presigned): "s3.example" is a public address',
      'ok account qiniu-prod: signature accepted (no paid call made); clock in step',
      'ok disk: 18 GB free at /project/.mediasweep; a run of 1,000,000 tasks needs about 3.2 GB',
    ]);
  });

  it.each<[string, World, string]>([
    [
      'that is not there',
      { manifest: 's3://main/media/x.jsonl' },
      'fail storage main: head of "x.jsonl": there is no such object. Check it.',
    ],
    [
      'whose media are not there',
      { rows: [{ key: 'x.jpg' }] },
      'fail storage main: head of "x.jpg": there is no such object. Check it.',
    ],
    [
      'with broken rows',
      { rows: [{ key: 'a.jpg' }, { title: 'nothing' }] },
      'warn manifest s3://main/media/rows.jsonl: 1 of 2 rows cannot be used, the first in line 2: expected a key, url, text, images or video_url, found none. Fill one of them.',
    ],
    [
      'without rows',
      { rows: [] },
      'warn manifest s3://main/media/rows.jsonl: none of 0 rows is selected. Check select and the manifest.',
    ],
    [
      'that is not on this disk',
      { manifest: '/nowhere/rows.jsonl' },
      "fail manifest rows.jsonl: /nowhere/rows.jsonl: the manifest cannot be read: ENOENT: no such file or directory, open '/nowhere/rows.jsonl'. Check the path and its rights.",
    ],
  ])('tells of a manifest %s', async (_, world, text) => {
    expect((await look(world)).map(write)).toContain(text);
  });

  it('leaves standard input alone, which can be read only once', async () => {
    expect((await look({ manifest: '-' })).filter(({ subject }) => subject.startsWith('manifest'))).toEqual(
      [],
    );
  });

  it('says nothing of private addresses where all vendors are stand-ins on this machine', async () => {
    const diagnoses = await look({ host: 'private', account: { isLoopback: true } });
    expect(diagnoses.filter(({ level }) => level !== 'ok')).toEqual([]);
  });
});
