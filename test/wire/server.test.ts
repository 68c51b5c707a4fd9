/** Our own servers: exact requests in, exact answers and faults out, and no request that brings them down. */
import { connect } from 'node:net';
import { request as send } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import type { Handler, ServerAnswer, ServerRequest } from '../../src/domain/exchange.ts';
import { Stop } from '../../src/domain/problem.ts';
import { type RunningServer, serve, type ServeOptions } from '../../src/wire/server.ts';

const running: RunningServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function start(handler: Handler, options: Partial<ServeOptions> = {}): Promise<RunningServer> {
  const server = await serve(handler, { maxBodyBytes: 1000, timeoutMs: 5000, ...options });
  running.push(server);
  return server;
}

const answering = (answer: ServerAnswer): Promise<RunningServer> => start(() => Promise.resolve(answer));

/** Writes raw bytes and reads until the server ends the connection. */
function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => (heard += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
  });
}

describe('a request', () => {
  it('reaches the handler with its raw path and query, lower-case headers and exact body', async () => {
    const seen: ServerRequest[] = [];
    const server = await start((request) => {
      seen.push(request);
      return Promise.resolve({ status: 200 });
    });
    const raw = (target: string): string =>
      `PUT ${target} HTTP/1.1\r\nhost: h\r\nX-A: B\r\nconnection: close\r\ncontent-length: 3\r\n\r\n\0\xff+`;
    for (const target of ['/b/a%2Fb/../%e5%a5%bd//+?prefix=a+b%20&&x', '/', '/?', '/a?b?c=d'])
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () =>
          socket.write(Buffer.from(raw(target), 'latin1')),
        );
        socket.resume().on('close', () => resolve());
      });
    expect(seen.map((request) => [request.path, request.query])).toEqual([
      ['/b/a%2Fb/../%e5%a5%bd//+', 'prefix=a+b%20&&x'],
      ['/', ''],
      ['/', ''],
      ['/a', 'b?c=d'],
    ]);
    expect(seen[0]).toMatchObject({ method: 'PUT', headers: { 'x-a': 'B', host: 'h' } });
    expect([...(seen[0]?.body ?? [])]).toEqual([0, 255, 43]);
  });

  it('that is larger than allowed gets 413, stated or not, and never reaches the handler', async () => {
    let handled = 0;
    const server = await start(() => {
      handled += 1;
      return Promise.resolve({ status: 200 });
    });
    for (const size of [1001, 60_000, 1_000_000]) {
      const stated = await send(server.url, { method: 'POST', body: Buffer.alloc(size) });
      expect(stated.statusCode).toBe(413);
      expect(await stated.body.text()).toBe('request body too large\n');
    }
    const chunked = await talk(
      server.port,
      `POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413 /);
    expect(handled).toBe(0);
    expect((await send(server.url, { method: 'POST', body: Buffer.alloc(1000) })).statusCode).toBe(200);
  });

  it('that is no HTTP, or names no path, gets 400', async () => {
    const server = await answering({ status: 200 });
    expect(await talk(server.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await talk(server.port, 'GET http://h/a HTTP/1.1\r\nhost: h\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect((await send(server.url)).statusCode).toBe(200);
  });

  it('that is not sent in time gets 408', async () => {
    const server = await start(() => Promise.resolve({ status: 200 }), { timeoutMs: 100 });
    const heard = await talk(server.port, 'POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab');
    expect(heard).toMatch(/^HTTP\/1.1 408 /);
  });

  it('whose handler throws gets a bare 500, and the next one is served', async () => {
    const errors: unknown[] = [];
    let calls = 0;
    const server = await start(
      () => {
        calls += 1;
        if (calls === 1) return Promise.reject(new Error('secret detail'));
        if (calls === 2) throw new Error('thrown at once');
        return Promise.resolve({ status: 200 });
      },
      { onError: (error) => errors.push(error) },
    );
    for (const _call of [1, 2]) {
      const answer = await send(server.url);
      expect([answer.statusCode, await answer.body.text()]).toEqual([500, 'internal error\n']);
    }
    expect((await send(server.url)).statusCode).toBe(200);
    expect(errors.map(String)).toEqual(['Error: secret detail', 'Error: thrown at once']);
  });
});

describe('an answer', () => {
  it.each([200, 201, 204, 206, 304, 400, 429, 503, 573, 599])('may have the status %d', async (status) => {
    const server = await answering({ status, headers: { 'X-Reqid': 'r' }, body: 'words' });
    const answer = await send(server.url);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['x-reqid']).toBe('r');
    expect(await answer.body.text()).toBe(status === 204 || status === 304 ? '' : 'words');
  });

  it('to HEAD has the length that its handler states and no body', async () => {
    const server = await answering({ status: 200, headers: { 'content-length': '12345' } });
    const answer = await send(server.url, { method: 'HEAD' });
    expect([answer.headers['content-length'], await answer.body.text()]).toEqual(['12345', '']);
  });

  it('is late by its delay', async () => {
    const server = await answering({ status: 200, delayMs: 60 });
    const before = performance.now();
    await (await send(server.url)).body.dump();
    expect(performance.now() - before).toBeGreaterThanOrEqual(58);
  });

  it('with the fault reset ends the connection before any byte', async () => {
    const server = await answering({ status: 200, body: 'words', fault: 'reset' });
    expect(await talk(server.port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\n')).toBe('');
    await expect(send(server.url)).rejects.toThrow(/ECONNRESET|other side closed/);
  });

  it('with the fault truncate ends in the middle of its body', async () => {
    for (const body of ['0123456789', '']) {
      const server = await answering({ status: 200, body, fault: 'truncate' });
      const heard = await talk(server.port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\n');
      expect(heard).toContain(`content-length: ${Math.max(2, body.length)}`);
      expect(heard.endsWith(`\r\n\r\n${body.slice(0, 5)}`)).toBe(true);
    }
  });

  it('with the fault hang never comes, and closing the server ends the wait', async () => {
    const server = await answering({ status: 200, fault: 'hang' });
    const heard = talk(server.port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    const first = await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 100, 'silence'))]);
    expect(first).toBe('silence');
    await server.close();
    expect(await heard).toBe('');
  });
});

describe('listening', () => {
  it('takes any free port, or the one asked for, and says where', async () => {
    const first = await answering({ status: 200 });
    expect(first.url).toBe(`http://127.0.0.1:${first.port}`);
    await first.close();
    const second = await start(() => Promise.resolve({ status: 200 }), { port: first.port, host: '0.0.0.0' });
    expect(second.url).toBe(first.url);
    expect((await send(second.url)).statusCode).toBe(200);
  });

  it('on a port in use stops with what to do', async () => {
    const first = await answering({ status: 200 });
    const second = start(() => Promise.resolve({ status: 200 }), { port: first.port });
    await expect(second).rejects.toThrow(
      `server: port ${first.port} of "127.0.0.1" is in use by another program. Choose another port, or stop that program.`,
    );
    await expect(second).rejects.toBeInstanceOf(Stop);
    await expect(second).rejects.toMatchObject({ exitCode: 2 });
  });

  it('on an address of another machine stops with what to do', async () => {
    const foreign = start(() => Promise.resolve({ status: 200 }), { host: '192.0.2.1' });
    await expect(foreign).rejects.toThrow(
      /of "192.0.2.1" is not an address of this machine. Choose "127.0.0.1"/,
    );
  });

  it('ends at once, also while an answer is being delayed for an hour', async () => {
    const server = await answering({ status: 200, delayMs: 3_600_000 });
    const heard = talk(server.port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    expect(await heard).toBe('');
  });
});
