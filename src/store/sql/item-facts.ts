/** What of an item may be stored, and the item as it is read back. */
import type { Item } from '../../domain/item.ts';
import { redactLinks, safeUrl } from '../../domain/link.ts';
import { readStored } from './stored.ts';

/** All of an item but its id and position, as JSON. Links lose what must not be seen, and the item then says so. */
export function packFacts(item: Item): string {
  const { id: _id, position: _position, isUrlCut, ...facts } = item;
  const safe = {
    ...facts,
    url: mapText(facts.url, safeUrl),
    videoUrl: mapText(facts.videoUrl, safeUrl),
    images: facts.images?.map(safeUrl),
    title: mapText(facts.title, redactLinks),
    text: mapText(facts.text, redactLinks),
  };
  const isCut =
    safe.url !== facts.url ||
    safe.videoUrl !== facts.videoUrl ||
    safe.title !== facts.title ||
    safe.text !== facts.text ||
    (safe.images ?? []).some((image, index) => image !== facts.images?.[index]);
  return JSON.stringify(isCut || isUrlCut ? { ...safe, isUrlCut: true } : safe);
}

export interface ItemRow {
  readonly name: string;
  readonly position: Uint8Array;
  readonly facts: string;
}

export function unpackItem({ name, position, facts }: ItemRow): Item {
  return Object.assign(readStored(facts) as Omit<Item, 'id' | 'position'>, {
    id: name,
    // A plain view of the driver's Buffer, so that it compares equal to what was handed in.
    position: new Uint8Array(position.buffer, position.byteOffset, position.byteLength),
  });
}

function mapText(text: string | undefined, map: (text: string) => string): string | undefined {
  return text === undefined ? undefined : map(text);
}
