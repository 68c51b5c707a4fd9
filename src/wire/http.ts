/** Sends calls over undici and says exactly how far each one came: not sent, unknown, or answered. */
import { Agent, type Dispatcher } from 'undici';
import type { Http, Reply, Sent, SignedCall } from '../domain/exchange.ts';
import { nameCause } from './cause.ts';

export interface HttpOptions {
  /** Most sockets to one origin; calls beyond wait inside the agent, where they are not sent yet. */
  readonly connections: number;
  /** Milliseconds for DNS, TCP and TLS together; 10 s by default. */
  readonly connectTimeoutMs?: number;
}

type Limits = Parameters<Http['send']>[1];

/**
 * Opens a pool of kept-alive connections. Redirects are answers, nothing is ever sent twice, and every body is
 * read to its end or its socket destroyed. `close` ends at once, also calls that are under way.
 */
export function openHttp(options: HttpOptions): Http & { close(): Promise<void> } {
  const agent = new Agent({
    connections: options.connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: options.connectTimeoutMs ?? 10_000 },
  });
  return {
    send: (call, limits) => new Promise((resolve) => sendCall(agent, call, limits, resolve)),
    close: () => agent.destroy(),
  };
}

function sendCall(agent: Agent, call: SignedCall, limits: Limits, settle: (sent: Sent) => void): void {
  const exchange = new Exchange(limits, settle);
  try {
    const { origin, path } = splitUrl(call.url);
    agent.dispatch(
      {
        origin,
        path,
        method: call.method,
        headers: call.headers as Record<string, string>,
        body: call.body ?? null,
        // Undici's own five minutes would cut long synchronous calls off.
        headersTimeout: limits.timeoutMs,
        bodyTimeout: limits.timeoutMs,
      },
      exchange,
    );
  } catch (error) {
    exchange.fail(nameCause(error));
  }
}

/** Cuts at the first `/` after the host, so that the signed path and query travel byte for byte. */
function splitUrl(url: string): { origin: string; path: string } {
  const origin = new URL(url).origin;
  const rest = /^https?:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] ?? '';
  return { origin, path: rest.startsWith('/') ? rest : `/${rest}` };
}

/**
 * The life of one call: waiting for a socket -> started -> head -> body -> settled, once.
 *
 * Until undici starts to write the request (`onRequestStart`), nothing has left this machine, so that every
 * failure (DNS, refused, TLS, connect timeout, closed agent) is `not-sent`. From then on it is `unknown`, also
 * where the server had closed an idle socket: whether it read the request before cannot be known.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #limits: Limits;
  readonly #settle: (sent: Sent) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #bytes = 0;
  #isSettled = false;
  #status = 0;
  #headers: Reply['headers'] = {};

  constructor(limits: Limits, settle: (sent: Sent) => void) {
    this.#limits = limits;
    this.#settle = settle;
    this.#timer = setTimeout(() => this.#expireUnread(), limits.timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Undici may start a request again where a socket fails under it; a paid call is never sent twice.
    if (this.#controller !== undefined) this.fail('the connection failed under the request');
    if (this.#isSettled) controller.abort(new Error('settled'));
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#headers = flattenHeaders(headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#limits.maxBytes) this.#chunks.push(chunk);
    else this.fail(`answer larger than ${this.#limits.maxBytes} bytes`);
  }

  onResponseEnd(): void {
    const body =
      (this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)) ?? Buffer.alloc(0);
    const reply = { status: this.#status, headers: this.#headers, body: body.toString('utf8') };
    this.#finish({ phase: 'answered', reply });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (isUndiciTimeout(error)) this.#expire();
    else this.fail(nameCause(error));
  }

  /** Ends the call without an answer; the phase follows from whether it had started. */
  fail(cause: string): void {
    this.#finish({ phase: this.#controller === undefined ? 'not-sent' : 'unknown', cause });
  }

  /**
   * Where the process stood still (stopped, asleep, starved), the answer may have come in time and lie unread in its socket:
   * paid for, so it is read, for as long as every turn of the event loop brings more of it.
   */
  #expireUnread(seen?: string): void {
    const now = `${this.#status} ${this.#bytes}`;
    if (this.#isSettled) return;
    if (now === seen) this.#expire();
    else setImmediate(() => this.#expireUnread(now));
  }

  #expire(): void {
    const awaited = this.#controller === undefined ? 'connection' : 'complete answer';
    this.fail(`no ${awaited} within ${this.#limits.timeoutMs} ms`);
  }

  #finish(sent: Sent): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#settle(sent);
    if (sent.phase !== 'answered') this.#controller?.abort(new Error('settled'));
  }
}

function flattenHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  }
  return flat;
}

function isUndiciTimeout(error: Error): boolean {
  return error.name === 'HeadersTimeoutError' || error.name === 'BodyTimeoutError';
}
