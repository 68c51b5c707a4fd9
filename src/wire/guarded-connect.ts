/** Connects only to addresses that a rule allows, judged on the very address that the socket is opened to. */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';

export interface AddressRule {
  readonly allows: (address: string) => boolean;
  /** Ends the sentence `"host" is …`, e.g. `not a public address`. */
  readonly refusal: string;
}

/** Thrown into the connection attempt; its message names the host, never the rest of the link. */
export class RefusedAddress extends Error {
  constructor(host: string, refusal: string) {
    super(`refused to fetch: "${host}" is ${refusal}`);
    this.name = 'RefusedAddress';
  }
}

/**
 * A connector for an undici Agent. Names are resolved once, here, and only the addresses that passed are
 * handed to the socket, so that a name whose answer changes between check and use gains nothing.
 */
export function makeGuardedConnect(rule: AddressRule, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, lookup: makeGuardedLookup(rule) });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    // A literal address is never looked up, so it is judged before.
    if (isIP(host) !== 0 && !rule.allows(host)) callback(new RefusedAddress(host, rule.refusal), null);
    else connect(options, callback);
  };
}

/** `dns.lookup` without the addresses that the rule refuses; an error where none is left. */
export function makeGuardedLookup(rule: AddressRule, resolver: typeof resolve = resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolver(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return callback(error, []);
      const allowed = found.filter((entry) => rule.allows(entry.address));
      const first = allowed[0];
      if (first === undefined) return callback(new RefusedAddress(hostname, rule.refusal), []);
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}
