/** Every phase of a call against real sockets: what may be sent again and what may not. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { Http, Sent, SignedCall } from '../../src/domain/exchange.ts';
import { openHttp } from '../../src/wire/http.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(connections = 4, connectTimeoutMs = 2000): Http {
  const http = openHttp({ connections, connectTimeoutMs });
  closers.push(() => http.close());
  return http;
}

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serveHttp = (listener: RequestListener): Promise<string> => listen(createServer(listener));

/** A server that reads one request and answers these raw bytes, then does as told. */
const serveRaw = (answer: string, then: 'end' | 'reset' | 'stay'): Promise<string> =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.write(answer, () => {
          if (then === 'end') socket.end();
          if (then === 'reset') socket.resetAndDestroy();
        }),
      );
    }),
  );

const get = (url: string): SignedCall => ({ method: 'GET', url, headers: {} });
const post = (url: string, body: string): SignedCall => ({
  method: 'POST',
  url,
  headers: { 'x-a': '1' },
  body,
});
const limits = { timeoutMs: 2000, maxBytes: 1000 };

function causeOf(sent: Sent): string {
  return sent.phase === 'answered' ? `answered ${sent.reply.status}` : sent.cause;
}

describe('a complete answer', () => {
  it('comes back with its status, lower-case headers and body, whatever the status', async () => {
    for (const status of [200, 204, 302, 400, 401, 429, 500, 503, 573, 599]) {
      const url = await serveHttp((_request, response) =>
        response.writeHead(status, { 'X-Name': 'Value', location: '/elsewhere' }).end('好'),
      );
      const sent = await open().send(get(url), limits);
      expect(sent.phase).toBe('answered');
      if (sent.phase !== 'answered') return;
      expect(sent.reply.status).toBe(status);
      expect(sent.reply.headers['x-name']).toBe('Value');
      expect(sent.reply.body).toBe(status === 204 ? '' : '好');
    }
  });

  it('carries the request byte for byte: method, path, query, headers and body', async () => {
    const url = await serveHttp((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () =>
        response.end(JSON.stringify([request.method, request.url, request.headers['x-a'], body])),
      );
    });
    const path = "/v1/video/a%2Fb%2f(1)'?q=%E5%A5%BD+%20&e=1&&token=x:y=";
    const sent = await open().send(post(url + path, '{"a":"好"}'), limits);
    expect(sent.phase === 'answered' && JSON.parse(sent.reply.body)).toEqual([
      'POST',
      path,
      '1',
      '{"a":"好"}',
    ]);
    const bare = await open().send(get(`${url}?x=1`), limits);
    expect(bare.phase === 'answered' && JSON.parse(bare.reply.body)).toEqual(['GET', '/?x=1', null, '']);
  });

  it('joins repeated headers and skips informational answers', async () => {
    const url = await serveRaw(
      'HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\nx-a: 1\r\nX-A: 2\r\ncontent-length: 2\r\n\r\nok',
      'stay',
    );
    const sent = await open().send(get(url), limits);
    expect(sent).toEqual({
      phase: 'answered',
      reply: { status: 200, headers: { 'x-a': '1, 2', 'content-length': '2' }, body: 'ok' },
    });
  });

  it('may be exactly as large as allowed', async () => {
    const url = await serveHttp((_request, response) => response.end('x'.repeat(1000)));
    const sent = await open().send(get(url), limits);
    expect(sent.phase === 'answered' && sent.reply.body.length).toBe(1000);
  });
});

describe('a process that stood still beyond a deadline', () => {
  it.each([10, 500_000])('reads the answer of %i bytes that came meanwhile', async (length) => {
    const server = `
      const { createServer } = require('node:http');
      const { parentPort } = require('node:worker_threads');
      const server = createServer((_, response) => setTimeout(() => response.end('x'.repeat(${length})), 60));
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
    const worker = new Worker(server, { eval: true });
    closers.push(async () => {
      await worker.terminate();
    });
    const [port] = (await once(worker, 'message')) as [number];
    const http = open();
    const url = `http://127.0.0.1:${port}/`;
    await http.send(get(url), { ...limits, maxBytes: 1_000_000 });
    const sending = http.send(post(url, '{}'), { timeoutMs: 100, maxBytes: 1_000_000 });
    // The request has left, and this thread sleeps.
    await new Promise((resolve) => setTimeout(resolve, 30));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    expect(causeOf(await sending)).toBe('answered 200');
  });
});

describe('a call that never left', () => {
  it('is not-sent where nobody listens', async () => {
    const server = createTcpServer();
    const url = await listen(server);
    await closers.pop()?.();
    const sent = await open().send(post(url, 'x'), limits);
    expect(sent.phase).toBe('not-sent');
    expect(causeOf(sent)).toContain('ECONNREFUSED');
  });

  it('is not-sent where the name does not resolve', async () => {
    const sent = await open().send(get('http://no-such-name.invalid/'), { ...limits, timeoutMs: 20_000 });
    expect(sent.phase).toBe('not-sent');
    expect(causeOf(sent)).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  it('is not-sent where TLS fails', async () => {
    const url = await serveHttp((_request, response) => response.end('plain'));
    const sent = await open().send(get(url.replace('http:', 'https:')), limits);
    expect(sent.phase).toBe('not-sent');
    expect(causeOf(sent)).toMatch(/SSL|EPROTO/);
  });

  it('is not-sent where TLS takes longer than the connect timeout', async () => {
    const url = await listen(createTcpServer((socket) => socket.on('error', () => undefined)));
    const sent = await open(4, 100).send(get(url.replace('http:', 'https:')), {
      ...limits,
      timeoutMs: 20_000,
    });
    expect(sent.phase).toBe('not-sent');
    expect(causeOf(sent)).toContain('UND_ERR_CONNECT_TIMEOUT');
  });

  it('is not-sent where the deadline ends it in the queue for a socket, and the server never sees it', async () => {
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const url = await serveHttp((request, response) => {
      seen.push(request.url ?? '');
      release = () => response.end('late');
    });
    const http = open(1);
    const first = http.send(get(`${url}/first`), limits);
    const queued = await http.send(get(`${url}/queued`), { ...limits, timeoutMs: 100 });
    expect(queued).toEqual({ phase: 'not-sent', cause: 'no connection within 100 ms' });
    release();
    expect((await first).phase).toBe('answered');
    const third = http.send(get(`${url}/third`), limits);
    while (seen.length < 2) await new Promise(setImmediate);
    release();
    await third;
    expect(seen).toEqual(['/first', '/third']);
  });

  it('is not-sent where the URL or a header cannot be sent at all', async () => {
    expect((await open().send(get('not a url'), limits)).phase).toBe('not-sent');
    const url = await serveHttp((_request, response) => response.end());
    const sent = await open().send({ ...get(url), headers: { bad: 'a\r\nb' } }, limits);
    expect(sent.phase).toBe('not-sent');
    expect(causeOf(sent)).toContain('UND_ERR_INVALID_ARG');
  });
});

describe('a call whose fate is unknown', () => {
  const head = 'HTTP/1.1 200 OK\r\n';
  const rawCases: readonly [string, string, 'end' | 'reset' | 'stay', RegExp][] = [
    ['the socket is closed before the answer', '', 'end', /UND_ERR_SOCKET/],
    ['the connection is reset before the answer', '', 'reset', /ECONNRESET|UND_ERR_SOCKET/],
    ['the head is cut', 'HTTP/1.1 200 O', 'end', /UND_ERR_SOCKET/],
    ['the answer is no HTTP', 'SSH-2.0-x\r\n\r\n', 'stay', /Expected HTTP/],
    ['a body of known length is cut', `${head}content-length: 10\r\n\r\nabc`, 'end', /UND_ERR|HPE_/],
    [
      'a body is cut and the server had said close',
      `${head}connection: close\r\ncontent-length: 10\r\n\r\nabc`,
      'end',
      /UND_ERR|HPE_/,
    ],
    ['a chunked body is cut', `${head}transfer-encoding: chunked\r\n\r\n5\r\nabc`, 'end', /UND_ERR|HPE_/],
    ['a body is reset', `${head}content-length: 10\r\n\r\nabc`, 'reset', /ECONNRESET|UND_ERR_SOCKET/],
    ['no head comes in time', '', 'stay', /^no complete answer within 150 ms$/],
    ['the head is slow', 'HTTP/1.1 200', 'stay', /^no complete answer within 150 ms$/],
    [
      'the body is slow',
      `${head}content-length: 10\r\n\r\nabc`,
      'stay',
      /^no complete answer within 150 ms$/,
    ],
  ];

  it.each(rawCases)('is unknown where %s', async (_name, answer, then, cause) => {
    const url = await serveRaw(answer, then);
    const sent = await open().send(post(url, '{}'), { ...limits, timeoutMs: then === 'stay' ? 150 : 5000 });
    expect(sent.phase).toBe('unknown');
    expect(causeOf(sent)).toMatch(cause);
  });

  it('is unknown where the body trickles for longer than the deadline, though never idle', async () => {
    const url = await serveHttp((_request, response) => {
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const sent = await open().send(get(url), { ...limits, timeoutMs: 200 });
    expect(sent).toEqual({ phase: 'unknown', cause: 'no complete answer within 200 ms' });
  });

  it('is unknown where the answer is larger than allowed, with or without a stated length', async () => {
    for (const stated of [true, false]) {
      const url = await serveHttp((_request, response) => {
        if (stated) response.setHeader('content-length', 1001);
        else response.write('x');
        response.end('x'.repeat(stated ? 1001 : 1000));
      });
      const sent = await open().send(get(url), limits);
      expect(sent).toEqual({ phase: 'unknown', cause: 'answer larger than 1000 bytes' });
    }
  });

  it('is never sent again where the server closes an idle socket on the second request', async () => {
    let requests = 0;
    const server = createTcpServer((socket) => {
      let perSocket = 0;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        requests += 1;
        perSocket += 1;
        if (perSocket === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        else socket.destroy();
      });
    });
    const http = open(1);
    const url = await listen(server);
    expect((await http.send(post(url, 'a'), limits)).phase).toBe('answered');
    expect((await http.send(post(url, 'b'), limits)).phase).toBe('unknown');
    expect(requests).toBe(2);
    expect((await http.send(get(url), limits)).phase).toBe('answered');
  });
});

it('no failure names the query of a link', async () => {
  const server = createTcpServer((socket) => socket.resetAndDestroy());
  const url = await listen(server);
  const causes = [
    causeOf(await open().send(get(`${url}/a?X-Amz-Signature=secret`), limits)),
    causeOf(
      await open().send(get('http://no-such-name.invalid/a?token=secret'), { ...limits, timeoutMs: 20_000 }),
    ),
    causeOf(await open().send(get('http://[bad/?token=secret'), limits)),
  ];
  for (const cause of causes) expect(cause).not.toContain('secret');
});

it('one client keeps as many calls in flight as it has connections, and no more', async () => {
  let inFlight = 0;
  let peak = 0;
  const url = await serveHttp((_request, response) => {
    inFlight += 1;
    peak = Math.max(peak, inFlight);
    setTimeout(() => {
      inFlight -= 1;
      response.end('ok');
    }, 5);
  });
  const http = open(3);
  const all = await Promise.all(Array.from({ length: 30 }, () => http.send(get(url), limits)));
  expect(all.every((sent) => sent.phase === 'answered')).toBe(true);
  expect(peak).toBe(3);
});
