/** Gives a handler a socket: our callback receiver, the vendors' emulators and the embedded store. */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Handler, ServerAnswer, ServerRequest } from '../domain/exchange.ts';
import { exitCodes, Stop, wrongUse } from '../domain/problem.ts';
import { nameCause } from './cause.ts';
import { systemClock } from './clock.ts';

export interface ServeOptions {
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host?: string;
  /** 0 or absent for any free port. */
  readonly port?: number;
  readonly maxBodyBytes: number;
  /** Milliseconds for a client to send its whole request. */
  readonly timeoutMs: number;
  /** Most connections at once; further ones are closed at once. Any number where absent. */
  readonly maxConnections?: number;
  /** A status to refuse a request with before its body is read, which strangers could make as long as they like. */
  readonly refuse?: (method: string, path: string) => number | undefined;
  /** Told when a handler throws; the client sees only a bare 500. */
  readonly onError?: (error: unknown) => void;
}

export interface RunningServer {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Ends at once, also connections that are waiting for an answer. */
  close(): Promise<void>;
}

/**
 * Listens, and resolves once connections are accepted. Throws a `Stop` where the address cannot be listened on.
 * A request that is too large gets 413, one that cannot be read 400, one that is too slow 408.
 */
export async function serve(handler: Handler, options: ServeOptions): Promise<RunningServer> {
  const closing = new AbortController();
  // Any number of answers may be waiting for their time.
  setMaxListeners(0, closing.signal);
  const limits = { requestTimeout: options.timeoutMs, headersTimeout: options.timeoutMs };
  const connectionsCheckingInterval = Math.max(10, Math.min(1000, options.timeoutMs / 2));
  const server = createServer({ ...limits, connectionsCheckingInterval }, (request, response) => {
    answerRequest(handler, options, closing.signal, request, response).catch(() => request.socket.destroy());
  });
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  const host = options.host ?? '127.0.0.1';
  await listen(server, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${nameReachableHost(host)}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explainListenError(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function explainListenError(error: NodeJS.ErrnoException, host: string, port: number): Stop {
  const where = `server: port ${port} of "${host}"`;
  switch (error.code ?? '') {
    case 'EADDRINUSE':
      return wrongUse(`${where} is in use by another program. Choose another port, or stop that program.`);
    case 'EACCES':
      return wrongUse(`${where} may not be opened by this user. Choose a port above 1023.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return wrongUse(`${where} is not an address of this machine. Choose "127.0.0.1", or one that it has.`);
    default:
      return new Stop(exitCodes.halted, `${where} cannot be opened: ${nameCause(error)}.`, [], error);
  }
}

function nameReachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

async function answerRequest(
  handler: Handler,
  options: ServeOptions,
  closing: AbortSignal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '';
  const refusal = options.refuse?.(request.method ?? '', target.split('?', 1)[0] ?? '');
  if (refusal !== undefined) return writeAnswer(response, { status: refusal }, true);
  const body = await readBody(request, options.maxBodyBytes);
  if (body === undefined)
    return writeAnswer(response, { status: 413, body: 'request body too large\n' }, true);
  if (!target.startsWith('/'))
    return writeAnswer(response, { status: 400, body: 'bad request target\n' }, true);
  const cut = target.indexOf('?');
  const received = {
    method: request.method ?? '',
    path: cut < 0 ? target : target.slice(0, cut),
    query: cut < 0 ? '' : target.slice(cut + 1),
    headers: flattenHeaders(request.headers),
    body,
  };
  const answer = await askHandler(handler, received, options);
  if (answer.delayMs !== undefined && answer.delayMs > 0) await systemClock.sleep(answer.delayMs, closing);
  if (!response.destroyed) writeAnswer(response, answer, false);
}

async function askHandler(
  handler: Handler,
  received: ServerRequest,
  options: ServeOptions,
): Promise<ServerAnswer> {
  try {
    return await handler(received);
  } catch (error) {
    options.onError?.(error);
    return { status: 500, body: 'internal error\n' };
  }
}

function flattenHeaders(headers: IncomingMessage['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

/**
 * The whole body, or `undefined` where it is larger than allowed. As much again is read and thrown away first,
 * because a client that is still writing when its connection ends may never see the 413. Rejects where the
 * client goes away.
 */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
      if (bytes > 2 * maxBytes + 65_536) resolve(undefined);
    });
    request.once('end', () => resolve(bytes > maxBytes ? undefined : Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => reject(new Error('the client went away')));
  });
}

function writeAnswer(response: ServerResponse, answer: ServerAnswer, closes: boolean): void {
  if (answer.fault === 'hang') return;
  if (answer.fault === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const body = Buffer.from(answer.body ?? '');
  const headers: Record<string, string | number> = { ...answer.headers };
  if (closes) headers['connection'] = 'close';
  const carriesBody = answer.status >= 200 && answer.status !== 204 && answer.status !== 304;
  // A HEAD answer states the length of what GET would bring; its handler knows it.
  if (carriesBody && headers['content-length'] === undefined) headers['content-length'] = body.length;
  if (answer.fault === 'truncate') {
    response.writeHead(answer.status, { ...headers, 'content-length': Math.max(2, body.length) });
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
    return;
  }
  response.writeHead(answer.status, headers);
  response.end(body);
}
