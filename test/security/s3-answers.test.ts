/** Answers of an object store that is broken, slow, lying or not one at all: listed, refused or halted in words, within bounds. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../../src/domain/storage.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { broken, endOf, fuzzTimeoutMs, nastyText, tries } from './hostile.ts';

const mebibyte = 1024 * 1024;
const bucket = { storage: 'main', bucket: 'media', prefix: '' };
const object = { storage: 'main', bucket: 'media', key: 'a.mp4' };
const secret = 'canary-secret-of-the-store';

let server: Server;
let storage: ObjectStorage;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined);
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  storage = openObjectStorage(
    new Map([
      [
        'main',
        {
          name: 'main',
          endpoint: `http://127.0.0.1:${port}`,
          region: 'us-east-1',
          pathStyle: true,
          accessKeyId: 'key',
          secretAccessKey: secret,
        },
      ],
    ]),
    { maxAttempts: 1, timeoutMs: 2000 },
  );
});

beforeEach(() => {
  answer = (response) => response.writeHead(500).end();
});

afterAll(async () => {
  storage.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const xmlType = { 'content-type': 'application/xml' };
const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
const contents = (key: string) =>
  `<Contents><Key>${key}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>`;
const listing = `${declaration}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>media</Name><Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>${contents('a%2Bb.jpg')}${contents('%E7%8C%AB.mp4')}</ListBucketResult>`;
const refusal = `${declaration}<Error><Code>AccessDenied</Code><Message>no</Message><RequestId>r</RequestId></Error>`;

/** What can come of it: a page, or a Stop in words that shows no credential. */
async function expectTold<Value>(
  work: () => Promise<Value>,
  check: (value: Value) => void = () => undefined,
): Promise<void> {
  const end = await endOf(work);
  if ('value' in end) return check(end.value);
  expect([2, 3]).toContain(end.stop.exitCode);
  expect(end.stop.message).toMatch(/^storage "main"/);
  expect(end.stop.message.length).toBeLessThan(3000);
  expect(end.stop.message).not.toContain(secret);
}

const expectListed = (): Promise<void> =>
  expectTold(
    () => storage.list(bucket),
    ({ objects, isTruncated, nextToken }) => {
      for (const { key, sizeBytes } of objects) {
        expect(typeof key).toBe('string');
        expect(typeof sizeBytes).toBe('number');
      }
      expect(typeof isTruncated).toBe('boolean');
      expect(['string', 'undefined']).toContain(typeof nextToken);
    },
  );

const statuses = fc.oneof(
  { weight: 3, arbitrary: fc.constant(200) },
  fc.constantFrom(206, 301, 307, 400, 403, 404, 500, 503),
);

describe('the XML of a listing', () => {
  it(
    'that was broken is a page or told',
    async () => {
      await fc.assert(
        fc.asyncProperty(statuses, broken([listing, refusal]), async (status, bytes) => {
          answer = (response) => response.writeHead(status, xmlType).end(bytes);
          await expectListed();
        }),
        tries(200),
      );
    },
    fuzzTimeoutMs,
  );

  it(
    'with any text in its elements is a page or told',
    async () => {
      const names = [
        'Key',
        'Size',
        'ETag',
        'LastModified',
        'IsTruncated',
        'NextContinuationToken',
        'EncodingType',
      ];
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), nastyText, fc.boolean(), async (name, text, isRaw) => {
          const given = isRaw ? text : text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
          const xml = listing.replace(new RegExp(`(<${name}>)[^<]*`), (_, tag: string) => tag + given);
          answer = (response) => response.writeHead(200, xmlType).end(xml);
          await expectListed();
        }),
        tries(150),
      );
    },
    fuzzTimeoutMs,
  );

  const laughs = `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(1000)}">${Array.from({ length: 12 }, (_, level) => `<!ENTITY l${level} "${`&${level === 0 ? 'a' : `l${level - 1}`};`.repeat(10)}">`).join('')}]>`;
  const external = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>';
  const inside = (more: string, key = 'a.jpg') =>
    listing.replace('<Prefix>', `${more}<Prefix>`).replace('a%2Bb.jpg', key);
  it.each([
    ['a bomb of entities', laughs + inside('', '&l11;').replace(declaration, '')],
    ['an entity that is a file', external + inside('', '&e;').replace(declaration, '')],
    ['elements in elements without end', inside('<a>'.repeat(200_000))],
    ['elements in elements that end', inside(`${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}`)],
    ['an element of a million attributes', inside(`<a ${'b="c" '.repeat(200_000)}/>`)],
    ['a comment without end', inside(`<!-- ${'-'.repeat(1_000_000)}`)],
    ['character data without end', inside(`<![CDATA[${']'.repeat(1_000_000)}`)],
    [
      'names of the object model',
      inside('<__proto__><polluted>1</polluted></__proto__><constructor>x</constructor>'),
    ],
    [
      'a hundred thousand common prefixes',
      inside('<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>'.repeat(100_000)),
    ],
    ['an ampersand for every letter', inside('', '&'.repeat(500_000))],
  ])('with %s is a page or told, in no time', async (_, xml) => {
    answer = (response) => response.writeHead(200, xmlType).end(xml);
    const began = performance.now();
    await expectListed();
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    answer = (response) => response.writeHead(403, xmlType).end(xml.replaceAll('ListBucketResult', 'Error'));
    await expectListed();
  });
});

/** Writes until the client goes away, and answers how much it took. */
function pour(response: ServerResponse, piece: Buffer, most: number): Promise<number> {
  return new Promise((resolve) => {
    let written = 0;
    const write = (): void => {
      while (written < most && !response.destroyed) {
        written += piece.length;
        if (!response.write(piece)) {
          response.once('drain', write);
          return;
        }
      }
      if (written >= most) response.end();
    };
    response.once('close', () => resolve(written));
    write();
  });
}

describe('a body without end', () => {
  const most = 400 * mebibyte;
  const piece = Buffer.alloc(256 * 1024, 'x');
  const ways: readonly (readonly [string, number, () => Promise<unknown>])[] = [
    ['of a listing', 200, () => storage.list(bucket)],
    ['of a refusal', 403, () => storage.list(bucket)],
    ['of a server error', 500, () => storage.list(bucket)],
    ['of a redirect', 301, () => storage.list(bucket)],
    ['of a part of an object', 206, () => storage.read(object, 0, 1000)],
    ['of an object that came whole', 200, () => storage.read(object, 0, 1000)],
    ['of a refused part', 404, () => storage.read(object, 0, 1000)],
  ];
  it.each(ways)('%s (%s) is cut off', async (_, status, work) => {
    let taken: Promise<number> = Promise.resolve(0);
    answer = (response) => {
      response.writeHead(status, {
        ...xmlType,
        ...(status === 206 && { 'content-range': 'bytes 0-999/5000' }),
      });
      taken = pour(response, piece, most);
    };
    await expectTold(work);
    // What the sockets of both sides hold comes on top of the bound of 32 MiB.
    expect((await taken) / mebibyte).toBeLessThan(64);
  });

  it('that never comes ends at the time limit', async () => {
    answer = (response) => {
      response.writeHead(200, xmlType);
      response.write('<ListBucketResult>');
    };
    const began = performance.now();
    await expectTold(() => storage.list(bucket));
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

it('a part that is larger or smaller than asked for is never handed on as what it is not', async () => {
  for (const length of [0, 1, 999, 1001, 5000]) {
    answer = (response) =>
      response
        .writeHead(206, { 'content-range': `bytes 0-${length - 1}/5000`, 'content-length': length })
        .end(Buffer.alloc(length, 'x'));
    await expectTold(
      () => storage.read(object, 0, 1000),
      (bytes) => expect(bytes.length).toBeLessThanOrEqual(1000),
    );
  }
});
