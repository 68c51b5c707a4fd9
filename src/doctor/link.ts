/** Tries a link as a vendor would, and looks whether a vendor could reach where links lead. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Item } from '../domain/item.ts';
import type { UrlReader } from '../domain/exchange.ts';
import { safeUrl } from '../domain/link.ts';
import { exitCodes } from '../domain/problem.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { DoctorTools } from './tools.ts';
import { describeFailure } from './failure.ts';
import { examineLinkLife } from './lifetime.ts';

/** Reads one byte of one object by its link; without an object, only the address that links would lead to is looked at. */
export async function examineLinks(
  pipeline: Pipeline,
  item: Item | undefined,
  tools: DoctorTools,
): Promise<readonly Diagnosis[]> {
  const { access } = pipeline;
  const subject = `links (${access.mode})`;
  const tried = item === undefined ? { diagnoses: [] } : await tryLink(pipeline, item, subject, tools);
  const isStandIn = pipeline.services.every(({ account }) => account.isLoopback);
  const host = tried.host ?? findHost(pipeline);
  const isReachKnown = isStandIn || access.mode === 'inline' || host === undefined;
  return [
    ...tried.diagnoses,
    ...(isReachKnown ? [] : [describeReach(pipeline, item, host, await tools.resolveHost(host))]),
    ...examineLinkLife(pipeline, tools.mayTakeMs),
  ];
}

async function tryLink(
  { access }: Pipeline,
  item: Item,
  subject: string,
  { link, urlReader }: DoctorTools,
): Promise<{ readonly diagnoses: readonly Diagnosis[]; readonly host?: string | undefined }> {
  const name = item.key ?? safeUrl(item.url ?? item.id);
  try {
    const signed = await link(item);
    if (signed === undefined) return { diagnoses: [] };
    if ('trouble' in signed) {
      return {
        diagnoses: [
          { level: 'warn', subject, message: `nothing can be sent of "${name}": ${signed.trouble}` },
        ],
      };
    }
    if (access.mode === 'inline' && item.url === undefined) {
      // The media itself goes with the call: there is no address to reach.
      return {
        diagnoses: [{ level: 'ok', subject, message: `"${name}" can be read and sent inside a call` }],
      };
    }
    const { hostname: host } = new URL(signed.url);
    const read = await urlReader.read(signed.url, 0, 1);
    if (read.ok)
      return { diagnoses: [{ level: 'ok', subject, message: `the link to "${name}" can be read` }], host };
    const message = `${describeUnread(name, host, read)} ${adviseUnread(access.mode, item, read)}`;
    return { diagnoses: [{ level: 'fail', subject, message, exitCode: exitCodes.wrongUse }], host };
  } catch (error) {
    return { diagnoses: [describeFailure(subject, error)] };
  }
}

type Unread = Extract<Awaited<ReturnType<UrlReader['read']>>, { readonly ok: false }>;

function isNameUnknown({ status, message }: Unread): boolean {
  return status === undefined && /ENOTFOUND|EAI_AGAIN|EAI_NODATA/.test(message);
}

function describeUnread(name: string, host: string, read: Unread): string {
  if (isNameUnknown(read)) {
    return `the link to "${name}" leads to "${host}", a name that this machine cannot find (${read.message}).`;
  }
  if (read.status === undefined) return `the link to "${name}" could not be read: ${read.message}.`;
  return `the link to "${name}" was answered ${read.status}.`;
}

function adviseUnread(mode: Pipeline['access']['mode'], { url }: Item, read: Unread): string {
  if (isNameUnknown(read)) {
    const where =
      url !== undefined
        ? "the manifest's URLs"
        : mode === 'presigned' || mode === 'inline'
          ? 'endpoint of the storage'
          : 'baseUrl of access';
    return `Check how the name is spelled in ${where}, and whether this machine's DNS knows it (a name of an inner network, a proxy).`;
  }
  if (url !== undefined) {
    return read.status === undefined
      ? "Check the manifest's URLs, and that this machine can reach them."
      : "Check the manifest's URLs: they may have expired.";
  }
  if (mode === 'public') return 'Check baseUrl of access, and that anyone may read there.';
  if (mode === 'qiniu-private')
    return 'Check baseUrl of access, and that the bucket belongs to that account.';
  return 'Check access and who may read.';
}

/** Where links lead, as far as that is known without an object. */
function findHost({ access, source, storages }: Pipeline): string | undefined {
  if (access.mode === 'public' || access.mode === 'qiniu-private') return new URL(access.baseUrl).hostname;
  const settings = source.storage === undefined ? undefined : storages.get(source.storage);
  if (settings?.endpoint === undefined) return undefined;
  const { hostname } = new URL(settings.endpoint);
  return settings.pathStyle || source.form !== 'bucket' ? hostname : `${source.bucket}.${hostname}`;
}

function describeReach(
  { access, source }: Pipeline,
  item: Item | undefined,
  host: string,
  place: 'public' | 'private' | 'unknown',
): Diagnosis {
  const subject = `links (${access.mode})`;
  if (place === 'public') return { level: 'ok', subject, message: `"${host}" is a public address` };
  if (place === 'unknown') {
    const message = `"${host}" has no address that this machine can find. Check that vendors can reach it.`;
    return { level: 'warn', subject, message };
  }
  const advice =
    item?.url !== undefined
      ? "Use public URLs in the manifest, or rows with a key and access: inline for PAI's images."
      : access.mode === 'presigned'
        ? `Set endpoint of storage "${item?.object?.storage ?? source.storage}" to its public one, or access: { mode: public } with a public baseUrl, or for PAI's images { mode: inline }.`
        : 'Set baseUrl of access to a public address.';
  const message = `"${host}" is a private address, which vendors on the internet cannot reach. ${advice}`;
  return { level: 'fail', subject, message, exitCode: exitCodes.wrongUse };
}
