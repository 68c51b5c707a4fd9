/** The address under which a vendor fetches an item's media, made at the moment of dispatch. */
import type { Item } from '../domain/item.ts';
import type { AccessSettings } from '../domain/settings.ts';
import type { ObjectStorage, SignedLink } from '../domain/storage.ts';

/** True where a link can be made for the item under this access; a post needs none. */
export function canLink(item: Item, access: AccessSettings): boolean {
  if (item.kind === 'post' || item.url !== undefined) return true;
  return access.mode === 'public' ? item.key !== undefined : item.object !== undefined;
}

/** Makes the links of one run. A row's own URL is used as it is; a post's media stand in its row. */
export function makeLinker(
  access: AccessSettings,
  storage: Pick<ObjectStorage, 'sign'>,
): (item: Item) => Promise<SignedLink | undefined> {
  return async (item) => {
    if (item.kind === 'post') return undefined;
    if (item.url !== undefined) return { url: item.url };
    if (access.mode === 'public' && item.key !== undefined)
      return { url: joinPublic(access.baseUrl, item.key) };
    if (access.mode === 'presigned' && item.object) {
      return await storage.sign(item.object, access.expiresInSeconds);
    }
    return undefined;
  };
}

/** Escapes each part of the key, so that `+`, `%`, `#`, `?` and any script arrive as they are. */
function joinPublic(baseUrl: string, key: string): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  return `${baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`}${path}`;
}
