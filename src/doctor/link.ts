/** Tries a link as a vendor would, and looks whether a vendor could reach where it leads. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Item } from '../domain/item.ts';
import { exitCodes } from '../domain/problem.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { DoctorTools } from './examine.ts';
import { describeFailure } from './storage.ts';

/** Reads one byte of one object by its link. */
export async function examineLink(
  pipeline: Pipeline,
  item: Item,
  { link, urlReader, resolveHost }: DoctorTools,
): Promise<readonly Diagnosis[]> {
  const subject = `links (${pipeline.access.mode})`;
  try {
    const signed = await link(item);
    if (signed === undefined) return [];
    if ('trouble' in signed) {
      return [{ level: 'warn', subject, message: `nothing can be sent of "${item.key}": ${signed.trouble}` }];
    }
    // The media itself goes with the call: there is no address to reach.
    if (pipeline.access.mode === 'inline') {
      return [{ level: 'ok', subject, message: `"${item.key}" can be read and sent inside a call` }];
    }
    const { hostname } = new URL(signed.url);
    const read = await urlReader.read(signed.url, 0, 1);
    const message = `the link to "${item.key}" was answered ${read.ok ? '' : (read.status ?? read.message)}`;
    const tried: Diagnosis = read.ok
      ? { level: 'ok', subject, message: `the link to "${item.key}" can be read` }
      : {
          level: 'fail',
          subject,
          message: `${message}. Check access and who may read.`,
          exitCode: exitCodes.wrongUse,
        };
    const isStandIn = pipeline.services.every(({ account }) => account.isLoopback);
    return isStandIn ? [tried] : [tried, describeReach(subject, hostname, await resolveHost(hostname))];
  } catch (error) {
    return [describeFailure(subject, error)];
  }
}

function describeReach(subject: string, host: string, place: 'public' | 'private' | 'unknown'): Diagnosis {
  if (place === 'public') return { level: 'ok', subject, message: `"${host}" is a public address` };
  if (place === 'private') {
    const message = `"${host}" is a private address, which vendors on the internet cannot reach. Use the public endpoint of the storage, or access: public with a public baseUrl.`;
    return { level: 'fail', subject, message, exitCode: exitCodes.wrongUse };
  }
  const message = `"${host}" has no address that this machine can find. Check that vendors can reach it.`;
  return { level: 'warn', subject, message };
}
