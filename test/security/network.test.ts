/** Where links of strangers may lead, whom we believe to be a server, and what a redirect takes along: over real sockets. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ServerRequest } from '../../src/domain/exchange.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { emulators } from '../../src/vendors/emulators.ts';
import { openHttp } from '../../src/wire/http.ts';
import { openObjectStorage } from '../../src/wire/s3.ts';
import { serve } from '../../src/wire/server.ts';
import { makeUrlReader } from '../../src/wire/url-reader.ts';

const limits = { maxBytes: 1024, timeoutMs: 3000 };

describe('a link of a manifest', () => {
  let port = 0;
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx');
  });

  beforeAll(async () => {
    // On every address of this machine, whatever way leads to it.
    listener.listen({ port: 0, host: '::', ipv6Only: false });
    await once(listener, 'listening');
    ({ port } = listener.address() as AddressInfo);
  });

  afterAll(() => {
    listener.close();
  });

  const hosts = [
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '\uFF11\uFF12\uFF17.0.0.1',
    '\u2460\u2461\u2466.0.0.1',
    '127\u30020\u30020\u30021',
    '0.0.0.0',
    '0',
    '0x0',
    'localhost',
    'LOCALHOST',
    'localhost.',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[fec0::1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '169.254.170.2',
    '100.100.100.200',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ];
  it.each(hosts)('to %s reaches nobody', async (host) => {
    const reader = makeUrlReader({ ...limits, allowPrivateAddresses: false });
    onTestFinished(() => reader.close());
    const before = connections;
    for (const link of [`http://${host}:${port}/a.mp4`, `http://user:pass@${host}:${port}/a.mp4`]) {
      expect(await reader.read(link, 0, 1)).toMatchObject({ ok: false });
    }
    expect(connections).toBe(before);
  });

  it('reaches the server once private addresses are allowed, so that the test above can fail', async () => {
    const reader = makeUrlReader({ ...limits, allowPrivateAddresses: true });
    onTestFinished(() => reader.close());
    for (const host of ['127.0.0.1', '2130706433', 'localhost', '[::ffff:127.0.0.1]', '0.0.0.0']) {
      expect(await reader.read(`http://${host}:${port}/a.mp4`, 0, 1)).toMatchObject({ ok: true });
    }
  });

  it.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1/a',
    'gopher://127.0.0.1/',
    'data:text/plain,x',
    'javascript:1',
    '//127.0.0.1/a',
    '',
  ])('such as %j is none', async (link) => {
    const reader = makeUrlReader({ ...limits, allowPrivateAddresses: true });
    onTestFinished(() => reader.close());
    expect(await reader.read(link, 0, 1)).toMatchObject({ ok: false });
  });
});

describe('a redirect of a vendor', () => {
  it.each([
    301, 302, 303, 307, 308,
  ])('with %i takes no credential anywhere: it is an answer', async (status) => {
    const seen: ServerRequest[] = [];
    const thief = await serve(
      async (request) => {
        seen.push(request);
        return { status: 200, body: '{}' };
      },
      { maxBodyBytes: 1000, timeoutMs: 2000 },
    );
    onTestFinished(() => thief.close());
    const vendorServer = await serve(async () => ({ status, headers: { location: `${thief.url}/steal` } }), {
      maxBodyBytes: 100_000,
      timeoutMs: 2000,
    });
    onTestFinished(() => vendorServer.close());
    const http = openHttp({ connections: 2 });
    onTestFinished(() => http.close());
    for (const vendor of catalogue) {
      const credentials = emulators.find((one) => one.vendor === vendor.name)?.credentials ?? {};
      const call = {
        method: 'POST',
        path: '/v1/x',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      } as const;
      const signed = vendor.sign(call, { endpoint: vendorServer.url, credentials }, Date.parse('2026-11-20'));
      const sent = await http.send(signed, { timeoutMs: 2000, maxBytes: 1000 });
      expect(sent).toMatchObject({ phase: 'answered', reply: { status } });
    }
    expect(seen).toEqual([]);
  });
});

describe('a server that shows its own certificate', () => {
  const pem = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'self-signed.pem'));
  let requests = 0;
  const server = createTlsServer({ key: pem, cert: pem }, (_, response) => {
    requests += 1;
    response.end('{}');
  });
  let url = '';

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gets no call of ours, in words', async () => {
    const http = openHttp({ connections: 1 });
    onTestFinished(() => http.close());
    const call = {
      method: 'POST',
      url: `${url}/x`,
      headers: { Authorization: 'secret' },
      body: '{}',
    } as const;
    const sent = await http.send(call, { timeoutMs: 3000, maxBytes: 1000 });
    expect(sent).toMatchObject({
      phase: 'not-sent',
      cause: expect.stringMatching(/self.signed certificate/i),
    });
    expect(requests).toBe(0);
  });

  it('is not read from', async () => {
    const reader = makeUrlReader({ ...limits, allowPrivateAddresses: true });
    onTestFinished(() => reader.close());
    const read = await reader.read(`${url}/a.mp4`, 0, 1);
    expect(read).toMatchObject({ ok: false, message: expect.stringMatching(/self.signed certificate/i) });
    expect(requests).toBe(0);
  });

  it('is no storage, and the endpoint is to be checked', async () => {
    const settings = {
      name: 'main',
      endpoint: url,
      region: 'us-east-1',
      pathStyle: true,
      accessKeyId: 'k',
      secretAccessKey: 's',
    };
    const storage = openObjectStorage(new Map([['main', settings]]), { maxAttempts: 1, timeoutMs: 3000 });
    onTestFinished(() => storage.close());
    await expect(storage.list({ storage: 'main', bucket: 'b', prefix: '' })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /the endpoint cannot be used: "DEPTH_ZERO_SELF_SIGNED_CERT.*Check the endpoint/,
      ),
    });
    expect(requests).toBe(0);
  });
});
