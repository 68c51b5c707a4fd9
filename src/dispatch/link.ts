/** The address under which a vendor fetches an item's media, made at the moment of dispatch; or the media itself. */
import type { Item, ObjectAddress } from '../domain/item.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import { formatCount } from '../domain/quantity.ts';
import { type AccessSettings, mostInlineBytes } from '../domain/settings.ts';
import type { LinkTrouble, ObjectStorage, SignedLink } from '../domain/storage.ts';
import { sniffImage } from './artifact.ts';

/** Why no link can be made for the item under this access; undefined where one can, or none is needed (a post). */
export function explainNoLink(item: Item, access: AccessSettings): string | undefined {
  if (item.kind === 'post' || item.url !== undefined) return undefined;
  if (access.mode === 'inline' && item.sizeBytes !== undefined && item.sizeBytes > mostInlineBytes)
    return `too-large-inline: ${explainSize(item.sizeBytes)}`;
  const hasPlace = access.mode === 'public' ? item.key !== undefined : item.object !== undefined;
  return hasPlace ? undefined : 'no-link: the row has no url, and its storage is not known';
}

function explainSize(sizeBytes: number): string {
  return `access inline takes images of at most ${formatCount(mostInlineBytes)} bytes, and this one has ${formatCount(sizeBytes)}`;
}

type Storage = Pick<ObjectStorage, 'sign' | 'read' | 'head'>;

/** Makes the links of one run. A row's own URL is used as it is; a post's media stand in its row. */
export function makeLinker(
  access: AccessSettings,
  storage: Storage,
): (item: Item) => Promise<SignedLink | LinkTrouble | undefined> {
  return async (item) => {
    if (item.kind === 'post') return undefined;
    if (item.url !== undefined) return { url: item.url };
    if (access.mode === 'public' && item.key !== undefined)
      return { url: joinPublic(access.baseUrl, item.key) };
    if (access.mode === 'presigned' && item.object) {
      return await storage.sign(item.object, access.expiresInSeconds);
    }
    if (access.mode === 'inline' && item.object) return await readInline(item.object, storage);
    return undefined;
  };
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
