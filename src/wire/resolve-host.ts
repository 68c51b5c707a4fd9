/** Finds out where a host name leads, as far as this machine can see. */
import { lookup } from 'node:dns/promises';
import { isPublicAddress } from './address.ts';

/** `public` where every address of the host is; `unknown` where it has none that we can find. Never throws. */
export async function resolveHost(host: string): Promise<'public' | 'private' | 'unknown'> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  try {
    const found = await lookup(bare, { all: true });
    if (found.length === 0) return 'unknown';
    return found.every(({ address }) => isPublicAddress(address)) ? 'public' : 'private';
  } catch {
    return 'unknown';
  }
}
