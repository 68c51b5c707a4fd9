/** The address under which a vendor fetches an item's media, made at the moment of dispatch. */
import type { Clock } from '../domain/clock.ts';
import type { Item } from '../domain/item.ts';
import type { AccessSettings } from '../domain/settings.ts';
import type { ObjectStorage, SignedLink } from '../domain/storage.ts';

type PrivateAccess = Extract<AccessSettings, { readonly mode: 'qiniu-private' }>;

/** True where a link can be made for the item under this access; a post needs none. */
export function canLink(item: Item, access: AccessSettings): boolean {
  if (item.kind === 'post' || item.url !== undefined) return true;
  return access.mode === 'presigned' ? item.object !== undefined : item.key !== undefined;
}

/** Makes the links of one run. A row's own URL is used as it is; a post's media stand in its row. */
export function makeLinker(
  access: AccessSettings,
  storage: Pick<ObjectStorage, 'sign'>,
  clock: Pick<Clock, 'now'>,
): (item: Item) => Promise<SignedLink | undefined> {
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
      return await storage.sign(item.object, access.expiresInSeconds);
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
