/** The address under which a vendor fetches an item's media, made at the moment of dispatch. */
import type { Item } from '../domain/item.ts';
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../domain/log.ts';
import { formatDuration } from '../domain/quantity.ts';
import type { AccessSettings, Deadlines, ServiceUse } from '../domain/settings.ts';
import type { ObjectStorage, SignedLink } from '../domain/storage.ts';

type PrivateAccess = Extract<AccessSettings, { readonly mode: 'qiniu-private' }>;

/** True where a link can be made for the item under this access; a post needs none. */
export function canLink(item: Item, access: AccessSettings): boolean {
  if (item.kind === 'post' || item.url !== undefined) return true;
  return access.mode === 'presigned' ? item.object !== undefined : item.key !== undefined;
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
  storage: Pick<ObjectStorage, 'sign'>,
  clock: Pick<Clock, 'now'>,
  watch?: LinkWatch,
): (item: Item) => Promise<SignedLink | undefined> {
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

/** Escapes each part of the key, so that `+`, `%`, `#`, `?` and any script arrive as they are. */
function joinPublic(baseUrl: string, key: string): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  return `${baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`}${path}`;
}
