/** How many headers are read at once, in all and of one host, and which hosts are left alone because they do not answer. */
import pLimit from 'p-limit';
import type { UrlReader } from '../domain/exchange.ts';
import type { Item } from '../domain/item.ts';

const mostAtOnce = 32;
/** So that one slow host leaves room for the others. */
const mostOfOneHost = 16;
/** Reads in a row without any answer after which a host counts as silent. */
const mostSilences = 8;
/** Of a silent host, one read in so many is tried all the same. */
const triedOneIn = 50;
/** Silent hosts that are remembered. */
const mostRemembered = 1000;

/** Runs a read when there is room for one more in all and of its host. */
export type ProbeGate = <Value>(host: string, read: () => Promise<Value>) => Promise<Value>;

/** Makes the gate of one prober. */
export function makeProbeGate(): ProbeGate {
  const all = pLimit(mostAtOnce);
  const hosts = new Map<string, ReturnType<typeof pLimit>>();
  return async (host, read) => {
    const own = hosts.get(host) ?? pLimit(mostOfOneHost);
    hosts.set(host, own);
    try {
      return await own(() => all(read));
    } finally {
      if (own.activeCount + own.pendingCount === 0) hosts.delete(host);
    }
  };
}

/** Who is asked for an item's bytes: a storage, or the host of a URL. */
export function hostOf({ object, url = '' }: Item): string {
  if (object !== undefined) return `storage ${object.storage}`;
  return URL.canParse(url) ? new URL(url).host : '';
}

/**
 * A reader that stops asking hosts that do not answer, so that a dead one among a million rows costs a few timeouts and
 * not a million. An answer, whatever its status, makes a host speak again.
 */
export function makePatient(reader: UrlReader): UrlReader {
  const silences = new Map<string, { count: number; refused: number; message: string }>();
  return {
    read: async (url, start, end) => {
      const host = URL.canParse(url) ? new URL(url).host : '';
      const known = silences.get(host);
      if (known !== undefined && known.count >= mostSilences) {
        known.refused += 1;
        if (known.refused % triedOneIn !== 0)
          return { ok: false, message: `${known.message}, as ${known.count} reads of its host before it` };
      }
      const answer = await reader.read(url, start, end);
      if (answer.ok || answer.status !== undefined) {
        silences.delete(host);
        return answer;
      }
      if (silences.size >= mostRemembered) silences.clear();
      const silence = silences.get(host) ?? { count: 0, refused: 0, message: '' };
      silences.set(host, { ...silence, count: silence.count + 1, message: answer.message });
      return answer;
    },
  };
}
