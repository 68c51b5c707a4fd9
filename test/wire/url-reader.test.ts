/** Ranged reads of strangers' links: what is read, and what is refused before a byte leaves. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../src/wire/address.ts';
import { makeGuardedLookup } from '../../src/wire/guarded-connect.ts';
import { makeLoopbackReader, makeUrlReader, type OpenUrlReader } from '../../src/wire/url-reader.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function keep(reader: OpenUrlReader): OpenUrlReader {
  closers.push(() => reader.close());
  return reader;
}

const open = (maxBytes = 10_000, timeoutMs = 5000): OpenUrlReader =>
  keep(makeUrlReader({ allowPrivateAddresses: true, maxBytes, timeoutMs }));

async function listen(listener: RequestListener): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  const server = createServer(listener).on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
  };
}

const file = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));

/** A server that serves `file` by ranges, as S3 does. */
const serveRanges: RequestListener = (request, response) => {
  const [start = 0, last = 0] = (request.headers.range ?? '').replace('bytes=', '').split('-').map(Number);
  if (start >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    return;
  }
  const bytes = file.subarray(start, last + 1);
  const contentRange = `bytes ${start}-${start + bytes.length - 1}/${file.length}`;
  response.writeHead(206, { 'content-range': contentRange, 'content-type': 'video/mp4' }).end(bytes);
};

describe('reading', () => {
  it.each([
    [0, 10],
    [100, 200],
    [4990, 6000],
    [0, 5000],
    [7, 7],
  ])('brings bytes %d to %d, fewer at the end, and the length of the whole', async (start, end) => {
    const { url } = await listen(serveRanges);
    const read = await open().read(`${url}/a.mp4?X-Amz-Signature=s`, start, end);
    expect(read.ok && Buffer.from(read.bytes)).toEqual(file.subarray(start, end));
    const facts = end > start ? { totalBytes: 5000, contentType: 'video/mp4' } : {};
    expect(read).toMatchObject(facts);
  });

  it('cuts the range out of the answer of a server that ignores ranges, and leaves the rest unread', async () => {
    let sent = 0;
    const { url } = await listen((_request, response) => {
      response.writeHead(200, { 'content-length': 1e9, 'content-type': 'image/png' });
      const write = (): void => {
        while (!response.destroyed && sent < 1e9 && response.write(file)) sent += file.length;
      };
      response.on('drain', write);
      write();
    });
    const read = await open().read(url, 4000, 9000);
    expect(read.ok && Buffer.from(read.bytes)).toEqual(Buffer.concat([file, file]).subarray(4000, 9000));
    expect(read).toMatchObject({ totalBytes: 1e9, contentType: 'image/png' });
    expect(sent).toBeLessThan(50e6);
  });

  it('keeps its connections from one ranged read to the next', async () => {
    const { url, connections } = await listen(serveRanges);
    const reader = open();
    for (let start = 0; start < 1000; start += 100) await reader.read(url, start, start + 100);
    // Undici frees a socket one turn of the loop after its answer, so that a second one may be opened meanwhile.
    expect(connections()).toBeLessThanOrEqual(2);
  });

  it('follows three redirects and no fourth', async () => {
    const { url } = await listen((request, response) => {
      const left = Number((request.url ?? '').slice(1));
      if (left > 0) response.writeHead(302, { location: `/${left - 1}` }).end('moved');
      else serveRanges(request, response);
    });
    const third = await open().read(`${url}/3`, 0, 3);
    expect(third.ok && [...third.bytes]).toEqual([0, 1, 2]);
    expect(await open().read(`${url}/4`, 0, 3)).toEqual({ ok: false, message: 'more than 3 redirects' });
  });
});

describe('a read that cannot be had', () => {
  it.each([403, 404, 416, 500])('says the status %d that the server answered', async (status) => {
    const { url } = await listen((_request, response) => response.writeHead(status).end('no'));
    const read = await open().read(url, 0, 10);
    expect(read).toEqual({ ok: false, status, message: `the server answered ${status}` });
  });

  it('is refused where more than maxBytes would have to be read', async () => {
    const ranged = await listen(serveRanges);
    const ignoring = await listen((_request, response) => response.end(file));
    const refusal = { ok: false, message: 'answer larger than 1000 bytes' };
    expect(await open(1000).read(ranged.url, 0, 1001)).toEqual({ ...refusal, status: 206 });
    expect(await open(1000).read(ignoring.url, 900, 1100)).toEqual({
      ok: false,
      status: 200,
      message: 'the server ignores ranges, and the bytes asked for are beyond its first 1000',
    });
    expect((await open(1000).read(ignoring.url, 900, 1000)).ok).toBe(true);
  });

  it('ends at its deadline, redirects included', async () => {
    const slow = await listen(
      (_request, response) => void response.writeHead(206, { 'content-range': 'bytes 0-9/10' }).write('x'),
    );
    expect(await open(1000, 100).read(slow.url, 0, 10)).toEqual({
      ok: false,
      message: 'not read within 100 ms',
    });
  });

  it('is refused where the server sends another range, or cuts the body', async () => {
    const other = await listen((_request, response) =>
      response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('56789'),
    );
    expect(await open().read(other.url, 0, 10)).toEqual({
      ok: false,
      status: 206,
      message: 'the server sent another range than bytes 0 to 9',
    });
    const cut = await listen((_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-9/10', 'content-length': 10 });
      response.write('01234', () => response.socket?.destroy());
    });
    const read = await open().read(cut.url, 0, 10);
    expect(!read.ok && read.message).toMatch(/UND_ERR_SOCKET|ECONNRESET/);
  });

  it.each([
    'ftp://example.com/a',
    'file:///etc/passwd',
    's3://b/k',
    'a.jpg',
    '',
  ])('%j is no link', async (url) => {
    const message = 'not a link that begins with http:// or https://';
    expect(await open().read(url, 0, 1)).toEqual({ ok: false, message });
  });

  it('never names the query of the link', async () => {
    for (const url of [
      'http://127.0.0.1:1/a?token=secret',
      'http://no-such-name.invalid/?token=secret',
      'http:// /?token=secret',
    ]) {
      const read = await open(1000, 20_000).read(url, 0, 1);
      expect(!read.ok && read.message.length > 0 && !read.message.includes('secret')).toBe(true);
    }
  });
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ])('a link to http://%s is refused before a connection is made', async (host) => {
    const { url, connections } = await listen(serveRanges);
    const reader = keep(makeUrlReader({ allowPrivateAddresses: false, maxBytes: 1000, timeoutMs: 5000 }));
    const read = await reader.read(`http://${host}:${new URL(url).port}/a`, 0, 10);
    expect(!read.ok && read.message).toMatch(/^refused to fetch: ".+" is not a public address$/);
    expect(connections()).toBe(0);
  });

  it('a metadata service and private networks are refused, over https too', async () => {
    const reader = keep(makeUrlReader({ allowPrivateAddresses: false, maxBytes: 1000, timeoutMs: 5000 }));
    for (const url of [
      'http://169.254.169.254/latest/',
      'http://100.100.100.200/',
      'https://10.0.0.1/',
      'https://[fd00::1]/',
    ]) {
      const read = await reader.read(url, 0, 10);
      expect(!read.ok && read.message).toContain('is not a public address');
    }
  });

  it('a redirect to a refused address is refused', async () => {
    const { url } = await listen((_request, response) =>
      response.writeHead(302, { location: 'http://10.0.0.1/a' }).end(),
    );
    const reader = keep(makeLoopbackReader({ maxBytes: 1000, timeoutMs: 5000 }));
    const message = 'refused to fetch: "10.0.0.1" is not a loopback address';
    expect(await reader.read(url, 0, 10)).toEqual({ ok: false, message });
  });

  it('a redirect to another scheme is refused', async () => {
    const { url } = await listen((_request, response) =>
      response.writeHead(301, { location: 'file:///etc/passwd' }).end(),
    );
    expect(await open().read(url, 0, 10)).toEqual({
      ok: false,
      message: 'not a link that begins with http:// or https://',
    });
  });

  it('the loopback reader reads from this machine and from nowhere else', async () => {
    const { url } = await listen(serveRanges);
    const reader = keep(makeLoopbackReader({ maxBytes: 1000, timeoutMs: 5000 }));
    expect((await reader.read(url, 0, 10)).ok).toBe(true);
    expect((await reader.read(url.replace('127.0.0.1', 'localhost'), 0, 10)).ok).toBe(true);
    for (const host of ['1.1.1.1', '192.168.0.1', '169.254.169.254']) {
      const read = await reader.read(`http://${host}/a`, 0, 10);
      expect(read).toEqual({ ok: false, message: `refused to fetch: "${host}" is not a loopback address` });
    }
  });

  it('a name is resolved once, and the socket gets only the addresses that passed', async () => {
    const answers = [
      [
        { address: '10.0.0.1', family: 4 },
        { address: '93.184.216.34', family: 4 },
      ],
      [{ address: '127.0.0.1', family: 4 }],
    ];
    let asked = 0;
    const resolver = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(null, answers[asked++] ?? [])) as unknown as Parameters<typeof makeGuardedLookup>[1];
    const lookup = makeGuardedLookup({ allows: isPublicAddress, refusal: 'not a public address' }, resolver);
    const ask = (all: boolean): Promise<unknown[]> =>
      new Promise((resolve) => lookup('rebinding.example', { all }, (...found) => resolve(found)));
    expect(await ask(true)).toEqual([null, [{ address: '93.184.216.34', family: 4 }]]);
    expect(asked).toBe(1);
    const [error] = await ask(false);
    expect(String(error)).toContain('refused to fetch: "rebinding.example" is not a public address');
  });
});
