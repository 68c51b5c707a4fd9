/** The address under which a vendor fetches an item's media, made at the moment of dispatch; or the media itself. */
import type { Item, ObjectAddress } from '../domain/item.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../domain/log.ts';
import { formatCount, formatDuration } from '../domain/quantity.ts';
import { type AccessSettings, type Deadlines, mostInlineBytes, type ServiceUse } from '../domain/settings.ts';
import type { LinkTrouble, ObjectStorage, SignedLink } from '../domain/storage.ts';
import { sniffImage } from './artifact.ts';

type Storage = Pick<ObjectStorage, 'sign' | 'read' | 'head'>;
type PrivateAccess = Extract<AccessSettings, { readonly mode: 'qiniu-private' }>;

/** Why no link can be made for the item under this access; undefined where one can, or none is needed (a post). */
export function explainNoLink(item: Item, access: AccessSettings): string | undefined {
  if (item.kind === 'post' || item.url !== undefined) return undefined;
  if (access.mode === 'inline' && item.sizeBytes !== undefined && item.sizeBytes > mostInlineBytes)
    return `too-large-inline: ${explainSize(item.sizeBytes)}`;
  const needsObject = access.mode === 'presigned' || access.mode === 'inline';
  const hasPlace = needsObject ? item.object !== undefined : item.key !== undefined;
  if (!hasPlace) return 'no-link: the row has no url, and its storage is not known';
  const key = item.object?.key ?? item.key ?? '';
  if (access.mode === 'inline' || !dotSegment.test(key)) return undefined;
  return 'no-link: a part of its key is "." or "..", which readers of URLs take out: the link would lead to another object';
}

/** RFC 3986, section 5.2.4. WHATWG's URLs take them out also where they are percent-encoded, so that nothing escapes them. */
const dotSegment = /(?:^|\/)\.\.?(?:\/|$)/;

function explainSize(sizeBytes: number): string {
  return `access inline takes images of at most ${formatCount(mostInlineBytes)} bytes, and this one has ${formatCount(sizeBytes)}`;
}

/** For a warning about links that may die before the vendor has fetched what they lead to. */
export interface LinkWatch {
  readonly log: Pick<Log, 'warn'>;
  /** Longest time that a call or job of the run may take. */
  readonly mayTakeMs: number;
}

/** A lifetime is a whole number of seconds, and signing takes its time. */
const slackMs = 60_000;

/** How long a vendor may take with a call or job of these services, in milliseconds. */
export function findLongest(services: readonly ServiceUse[], deadlines: Deadlines): number {
  return Math.max(
    ...services.map(({ service, delivery }) => {
      if (delivery === 'sync') return deadlines.syncCallMs;
      return service.poll === undefined ? deadlines.callMs : deadlines.jobMs;
    }),
  );
}

/** Makes the links of one run. A row's own URL is used as it is; a post's media stand in its row. */
export function makeLinker(
  access: AccessSettings,
  storage: Storage,
  clock: Pick<Clock, 'now'>,
  watch?: LinkWatch,
): (item: Item) => Promise<SignedLink | LinkTrouble | undefined> {
  let isWarned = false;
  const look = (link: SignedLink, askedMs: number, name: string): SignedLink => {
    if (!watch || isWarned || link.expiresAt === undefined) return link;
    const leftMs = link.expiresAt - clock.now();
    if (leftMs + slackMs >= askedMs || leftMs >= watch.mayTakeMs) return link;
    isWarned = true;
    watch.log.warn(
      `storage "${name}": its credential ends in ${formatDuration(Math.max(0, leftMs))}, and links with it: expected ${formatDuration(askedMs)} (access.expiresIn), and a call or job may take ${formatDuration(watch.mayTakeMs)}. Links that die too early are signed again once; use a credential that lasts longer.`,
    );
    return link;
  };
  return async (item) => {
    if (item.kind === 'post') return undefined;
    if (item.url !== undefined) return { url: item.url };
    if (access.mode === 'public' && item.key !== undefined) {
      return { url: joinPublic(access.baseUrl, item.key) };
    }
    if (access.mode === 'qiniu-private' && item.key !== undefined) {
      return signPrivate(access, item.key, clock.now());
    }
    if (access.mode === 'presigned' && item.object) {
      const link = await storage.sign(item.object, access.expiresInSeconds);
      return look(link, access.expiresInSeconds * 1000, item.object.storage);
    }
    if (access.mode === 'inline' && item.object) return await readInline(item.object, storage);
    return undefined;
  };
}

/** With the vendor's own signature, in whole seconds. */
function signPrivate(access: PrivateAccess, key: string, nowMs: number): SignedLink | undefined {
  const { account, baseUrl, expiresInSeconds } = access;
  const deadlineSeconds = Math.floor(nowMs / 1000) + expiresInSeconds;
  const url = account.vendor.signLink?.(joinPublic(baseUrl, key), deadlineSeconds, account);
  return url === undefined ? undefined : { url, expiresAt: deadlineSeconds * 1000 };
}

/** Reads the image whole. What is wrong with this object alone is trouble; a lost storage is thrown. */
async function readInline(object: ObjectAddress, storage: Storage): Promise<SignedLink | LinkTrouble> {
  try {
    const facts = await storage.head(object);
    if (facts === undefined) return { trouble: 'the object does not exist' };
    const { sizeBytes = 0 } = facts;
    if (sizeBytes > mostInlineBytes) return { trouble: explainSize(sizeBytes) };
    if (sizeBytes === 0) return { trouble: 'the object is empty' };
    const bytes = await storage.read(object, 0, sizeBytes);
    const base64 = Buffer.from(bytes).toString('base64');
    return { url: `data:${sniffImage(bytes).mediaType};base64,${base64}` };
  } catch (error) {
    if (error instanceof Stop && error.exitCode !== exitCodes.halted) return { trouble: error.message };
    throw error;
  }
}

/** Escapes each part of the key, so that `+`, `%`, `#`, `?` and any script arrive as they are. */
function joinPublic(baseUrl: string, key: string): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  return `${baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`}${path}`;
}
