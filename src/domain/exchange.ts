/** What goes over the wire and what comes back, as plain data; and what a server of ours sees and answers. */

/** A request before it is signed. The path is relative to the account's endpoint. */
export interface Call {
  readonly method: 'GET' | 'POST';
  /** Begins with `/`; percent-encoded already; no query. */
  readonly path: string;
  /** Raw query without `?`; empty or absent for none. */
  readonly query?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The exact bytes to sign and send; absent for none. */
  readonly body?: string | undefined;
}

/** A request ready to be sent: absolute URL and the signature among the headers. */
export interface SignedCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** A complete answer. */
export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * How far a request came. Retrying is decided by this phase, not by the kind of error:
 * `not-sent` (DNS, refused, TLS) is safe to repeat; `unknown` (timeout, reset, unreadable body) may have been
 * billed; `answered` is for the vendor's table.
 */
export type Sent =
  | { readonly phase: 'not-sent'; readonly cause: string }
  | { readonly phase: 'unknown'; readonly cause: string }
  | { readonly phase: 'answered'; readonly reply: Reply };

/** The sending half of the outside. Implemented once, in `wire/`; never throws for expected trouble. */
export interface Http {
  send(call: SignedCall, limits: { readonly timeoutMs: number; readonly maxBytes: number }): Promise<Sent>;
}

/** A request as one of our own servers (callbacks, emulators, the embedded store) receives it. */
export interface ServerRequest {
  readonly method: string;
  /** As received, percent-encoded, without the query. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface ServerAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds to wait before answering. */
  readonly delayMs?: number;
  /** Destroy the connection instead: `reset` before any byte, `truncate` in the middle of the body. */
  readonly fault?: 'reset' | 'truncate' | 'hang';
}

/** A server as a function; `wire/server` gives it a socket. */
export type Handler = (request: ServerRequest) => Promise<ServerAnswer>;

/** The reading half that emulators and the prober are handed: ranged bytes of a URL, from allowed addresses only. */
export interface UrlReader {
  /**
   * Reads bytes `start` (inclusive) to `end` (exclusive); fewer come back at the end of the file.
   * Answers the status it got where that is not 200 or 206.
   */
  read(
    url: string,
    start: number,
    end: number,
  ): Promise<
    | {
        readonly ok: true;
        readonly bytes: Uint8Array;
        readonly totalBytes?: number | undefined;
        readonly contentType?: string | undefined;
      }
    | { readonly ok: false; readonly status?: number | undefined; readonly message: string }
  >;
}
