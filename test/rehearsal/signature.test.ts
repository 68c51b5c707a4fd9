/** The embedded store's signature check against the worked examples of Amazon's own pages. */
import { describe, expect, it } from 'vitest';
import type { ServerRequest } from '../../src/domain/exchange.ts';
import { readPayload } from '../../src/rehearsal/payload.ts';
import { isRefusal, type Refusal } from '../../src/rehearsal/refusal.ts';
import { hash, type Signer, verifySignature } from '../../src/rehearsal/signature.ts';
import { readTarget } from '../../src/rehearsal/target.ts';

/**
 * Amazon S3 API Reference, pages `sig-v4-header-based-auth`, `sigv4-streaming`, `sigv4-streaming-trailers` and
 * `sigv4-query-string-auth`. The key is the one that Amazon publishes with them.
 */
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const scope = `${accessKeyId}/20130524/us-east-1/s3/aws4_request`;
const nowMs = Date.UTC(2013, 4, 24);
const host = 'examplebucket.s3.amazonaws.com';
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function makeRequest(
  method: string,
  target: string,
  headers: Record<string, string>,
  signedHeaders: string,
  signature: string,
  body: Buffer = Buffer.alloc(0),
): ServerRequest {
  const [path = '', query = ''] = target.split('?');
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signedHeaders},Signature=${signature}`;
  const shared = { host, 'x-amz-date': '20130524T000000Z', authorization };
  return { method, path, query, headers: { ...shared, ...headers }, body };
}

function verify(
  request: ServerRequest,
  rules: Partial<Parameters<typeof verifySignature>[2]> = {},
): Signer | Refusal | undefined {
  const target = readTarget(request, ['s3.amazonaws.com']);
  if (isRefusal(target)) return target;
  return verifySignature(request, target, { credentials: new Map([[accessKeyId, secret]]), nowMs, ...rules });
}

const codeOf = (result: unknown): string => (isRefusal(result) ? result.refused : 'accepted');
const wordsOf = (result: unknown): string => (isRefusal(result) ? result.message : 'accepted');

const getExample = makeRequest(
  'GET',
  '/test.txt',
  { range: 'bytes=0-9', 'x-amz-content-sha256': emptyHash },
  'host;range;x-amz-content-sha256;x-amz-date',
  'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
);

const putBody = Buffer.from('Welcome to Amazon S3.');
const putExample = makeRequest(
  'PUT',
  '/test%24file.text',
  {
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  },
  'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
  '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  putBody,
);

const chunkSignatures = [
  'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
];

function writeChunks(signatures: readonly string[], fill = 'a'): Buffer {
  const sizes = [65_536, 1024, 0];
  return Buffer.concat(
    sizes.map((size, index) =>
      Buffer.from(`${size.toString(16)};chunk-signature=${signatures[index]}\r\n${fill.repeat(size)}\r\n`),
    ),
  );
}

const chunkedExample = (body: Buffer): ServerRequest =>
  makeRequest(
    'PUT',
    '/examplebucket/chunkObject.txt',
    {
      host: 's3.amazonaws.com',
      'content-encoding': 'aws-chunked',
      'content-length': '66824',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-decoded-content-length': '66560',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    },
    'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
    '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    body,
  );

const trailerSignatures = [
  'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
  '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
  '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
];

const trailer =
  'x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n';

/** The chunks, their last CRLF replaced by the trailing headers and the empty line. */
function writeTrailed(lines: string): Buffer {
  const chunks = writeChunks(trailerSignatures);
  return Buffer.concat([chunks.subarray(0, -2), Buffer.from(`${lines}\r\n`)]);
}

const trailedExample = (body: Buffer): ServerRequest =>
  makeRequest(
    'PUT',
    '/examplebucket/chunkObject.txt',
    {
      host: 's3.amazonaws.com',
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '66560',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-trailer': 'x-amz-checksum-crc32c',
    },
    'content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer',
    '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
    body,
  );

const linkQuery =
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';

const linkExample = (query = linkQuery): ServerRequest => ({
  method: 'GET',
  path: '/test.txt',
  query,
  headers: { host },
  body: Buffer.alloc(0),
});

describe("Amazon's examples", () => {
  it.each([
    ['a ranged GET', getExample],
    ['a PUT', putExample],
    [
      'a subresource without a value',
      makeRequest(
        'GET',
        '/?lifecycle',
        { 'x-amz-content-sha256': emptyHash },
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    ],
    [
      'a listing',
      makeRequest(
        'GET',
        '/?max-keys=2&prefix=J',
        { 'x-amz-content-sha256': emptyHash },
        'host;x-amz-content-sha256;x-amz-date',
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    ],
    ['a link', linkExample()],
    ['signed chunks', chunkedExample(writeChunks(chunkSignatures))],
  ])('%s is accepted', (_name, request) => {
    expect(codeOf(verify(request))).toBe('accepted');
  });

  it('the body of the PUT is taken, and another one is not', () => {
    const signer = verify(putExample);
    expect(isRefusal(signer) ? signer : readPayload(putExample, signer)).toEqual(putBody);
    const swapped = { ...putExample, body: Buffer.from('Welcome to Amazon S4.') };
    expect(codeOf(readPayload(swapped, signer as Signer))).toBe('XAmzContentSHA256Mismatch');
  });

  it('signed chunks are taken out of their coding, and every change to one is noticed', () => {
    const read = (body: Buffer): Buffer | Refusal => {
      const request = chunkedExample(body);
      return readPayload(request, verify(request) as Signer);
    };
    const right = writeChunks(chunkSignatures);
    expect(read(right)).toEqual(Buffer.alloc(66_560, 'a'));
    expect(codeOf(read(writeChunks(chunkSignatures, 'b')))).toBe('SignatureDoesNotMatch');
    const [first = '', second = '', last = ''] = chunkSignatures;
    expect(codeOf(read(writeChunks([second, first, last])))).toBe('SignatureDoesNotMatch');
    expect(codeOf(read(writeChunks([first, second, first])))).toBe('SignatureDoesNotMatch');
    for (const length of [0, 10, 1000, 65_700, right.length - 2]) {
      expect(codeOf(read(right.subarray(0, length)))).toBe('IncompleteBody');
    }
  });
});

describe('a signed trailer', () => {
  const read = (lines: string): Buffer | Refusal => {
    const request = trailedExample(writeTrailed(lines));
    return readPayload(request, verify(request) as Signer);
  };

  it('of the example is accepted with its checksum, and every change to it is noticed', () => {
    expect(read(trailer)).toEqual(Buffer.alloc(66_560, 'a'));
    expect(codeOf(read(trailer.replace('sOO8', 'sOO9')))).toBe('SignatureDoesNotMatch');
    expect(codeOf(read(trailer.replace('d81f', 'd81e')))).toBe('SignatureDoesNotMatch');
    expect(codeOf(read(`x-amz-extra:1\r\n${trailer}`))).toBe('SignatureDoesNotMatch');
    expect(codeOf(read(''))).toBe('SignatureDoesNotMatch');
    expect(codeOf(read('no colon\r\n'))).toBe('IncompleteBody');
  });
});

describe('a header signature', () => {
  it.each<[string, ServerRequest]>([
    ['the method', { ...getExample, method: 'HEAD' }],
    ['the path', { ...getExample, path: '/test.text' }],
    ['the query', { ...getExample, query: 'a=b' }],
    ['a signed header', { ...getExample, headers: { ...getExample.headers, range: 'bytes=0-99' } }],
    ['the host', { ...getExample, headers: { ...getExample.headers, host: 'other.s3.amazonaws.com' } }],
    [
      'the hash of the body',
      { ...getExample, headers: { ...getExample.headers, 'x-amz-content-sha256': hash('x') } },
    ],
  ])('stops matching when %s changes', (_name, request) => {
    expect(codeOf(verify(request))).toBe('SignatureDoesNotMatch');
  });

  it('holds for fifteen minutes to either side', () => {
    for (const [minutes, code] of [
      [-15, 'accepted'],
      [15, 'accepted'],
      [-15.1, 'RequestTimeTooSkewed'],
      [15.1, 'RequestTimeTooSkewed'],
    ] as const) {
      expect(codeOf(verify(getExample, { nowMs: nowMs + minutes * 60_000 }))).toBe(code);
    }
  });

  it('must cover the host and every x-amz- header', () => {
    const added = { ...getExample, headers: { ...getExample.headers, 'x-amz-meta-a': 'b' } };
    expect(verify(added)).toEqual({
      refused: 'AccessDenied',
      message: 'There were headers present in the request which were not signed',
      details: { HeadersNotSigned: 'x-amz-meta-a' },
    });
    const authorization = (getExample.headers['authorization'] ?? '').replace('host;', '');
    expect(codeOf(verify({ ...getExample, headers: { ...getExample.headers, authorization } }))).toBe(
      'AccessDenied',
    );
  });

  it.each([
    ['Basic dXNlcjpwYXNz', 'InvalidRequest', 'not supported. Please use AWS4-HMAC-SHA256'],
    ['AWS AKIAIOSFODNN7EXAMPLE:abc=', 'InvalidRequest', 'not supported. Please use AWS4-HMAC-SHA256'],
    [
      'AWS4-HMAC-SHA256 nothing',
      'AuthorizationHeaderMalformed',
      'expecting "<key>/YYYYMMDD/<region>/s3/aws4_request"',
    ],
    [
      `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=host`,
      'AuthorizationHeaderMalformed',
      'Signature is missing',
    ],
    [
      `AWS4-HMAC-SHA256 Credential=${scope.replace('0524', '0525')},SignedHeaders=host,Signature=${hash('')}`,
      'AuthorizationHeaderMalformed',
      'not the same as X-Amz-Date: "20130524"',
    ],
  ])('that reads %j is refused as %s', (authorization, code, words) => {
    const result = verify({ ...getExample, headers: { ...getExample.headers, authorization } });
    expect(codeOf(result)).toBe(code);
    expect(wordsOf(result)).toContain(words);
  });

  it('needs a date and the hash of the body', () => {
    const { 'x-amz-date': _date, ...undated } = getExample.headers;
    expect(wordsOf(verify({ ...getExample, headers: undated }))).toContain('requires a valid Date');
    const { 'x-amz-content-sha256': _hash, ...unhashed } = getExample.headers;
    expect(wordsOf(verify({ ...getExample, headers: unhashed }))).toContain('x-amz-content-sha256');
  });

  it('of another key or another region is named as such', () => {
    expect(codeOf(verify(getExample, { credentials: new Map() }))).toBe('InvalidAccessKeyId');
    expect(codeOf(verify(getExample, { credentials: new Map([[accessKeyId, 'other']]) }))).toBe(
      'SignatureDoesNotMatch',
    );
    expect(codeOf(verify(getExample, { region: 'us-east-1' }))).toBe('accepted');
    const elsewhere = verify(getExample, { region: 'cn-shanghai' });
    expect(elsewhere).toMatchObject({
      refused: 'AuthorizationHeaderMalformed',
      details: { Region: 'cn-shanghai' },
    });
  });
});

describe('a link', () => {
  it('lives from a quarter of an hour before its date until it expires', () => {
    const at = (ms: number): string => wordsOf(verify(linkExample(), { nowMs: nowMs + ms }));
    expect(at(-16 * 60_000)).toBe('Request is not valid yet');
    expect(at(-14 * 60_000)).toBe('accepted');
    expect(at(86_400_000 - 1)).toBe('accepted');
    expect(at(86_400_000)).toBe('Request has expired');
  });

  it('says when it expired', () => {
    expect(verify(linkExample(), { nowMs: nowMs + 90_000_000 })).toEqual({
      refused: 'AccessDenied',
      message: 'Request has expired',
      details: {
        'X-Amz-Expires': '86400',
        Expires: '2013-05-25T00:00:00.000Z',
        ServerTime: '2013-05-25T01:00:00.000Z',
      },
    });
  });

  it.each([
    ['X-Amz-Expires=86400', 'X-Amz-Expires=86401', 'SignatureDoesNotMatch'],
    ['X-Amz-Expires=86400', 'X-Amz-Expires=604801', 'AuthorizationQueryParametersError'],
    ['X-Amz-Expires=86400', 'X-Amz-Expires=-1', 'AuthorizationQueryParametersError'],
    ['&X-Amz-Expires=86400', '', 'AuthorizationQueryParametersError'],
    ['X-Amz-Date=2013', 'X-Amz-Date=x', 'AuthorizationQueryParametersError'],
    ['=AWS4-HMAC-SHA256', '=AWS4-HMAC-SHA1', 'AuthorizationQueryParametersError'],
    ['aeeed9', 'aeeed8', 'SignatureDoesNotMatch'],
    ['aeeed9', 'AEEED9', 'AuthorizationQueryParametersError'],
    ['EXAMPLE%2F', 'EXAMPLF%2F', 'InvalidAccessKeyId'],
    ['us-east-1', 'us-east-2', 'SignatureDoesNotMatch'],
  ])('with %j made %j is refused as %s', (from, to, code) => {
    expect(linkQuery).toContain(from);
    expect(codeOf(verify(linkExample(linkQuery.replace(from, to))))).toBe(code);
  });

  it('cannot be bent by a header that it did not sign', () => {
    const request = linkExample();
    const bent = { ...request, headers: { ...request.headers, 'x-amz-security-token': 't' } };
    expect(codeOf(verify(bent))).toBe('AccessDenied');
  });
});

it('a request that claims nothing is anonymous', () => {
  expect(verify(linkExample(''))).toBeUndefined();
});
