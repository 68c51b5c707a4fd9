/** Reads what a media file says of itself, by a few ranged reads of its header, without downloading it. */
import pLimit from 'p-limit';
import type { Item, MediaFacts } from '../domain/item.ts';
import { redactLinks } from '../domain/link.ts';
import { describeError, exitCodes, Stop } from '../domain/problem.ts';
import { openHeader, type ProbeTools } from './header-reader.ts';
import { readImageHeader } from './image-header.ts';
import { readVideoHeader } from './video-header.ts';

const imageWindowBytes = 16 * 1024;
const videoWindowBytes = 64 * 1024;
/** Files that are read at once. */
const mostAtOnce = 16;

/**
 * Makes the prober: length in seconds, picture size in pixels as it is shown, key frames where the index counts them
 * (MP4 and MOV), the format, and the file's size where the item does not tell it. One file costs at most 8 requests and
 * 1 MiB, and 16 files are read at once, however many are asked for.
 *
 * Trouble with the media, its address or its rights is told in `trouble`, beside what was read before it.
 *
 * @throws Stop with exit 3 where the storage was lost, because that says nothing about the media
 */
export function makeProber(tools: ProbeTools): (item: Item) => Promise<MediaFacts> {
  const limit = pLimit(mostAtOnce);
  return (item) => limit(() => probe(item, tools));
}

async function probe(item: Item, tools: ProbeTools): Promise<MediaFacts> {
  const { kind } = item;
  if (kind !== 'image' && kind !== 'video')
    return { trouble: 'only images and videos have a header to read' };
  const reader = openHeader(item, tools, kind === 'image' ? imageWindowBytes : videoWindowBytes);
  if (reader === undefined) return { trouble: 'the item has neither an object nor a URL to read' };
  let facts: MediaFacts;
  try {
    facts = await (kind === 'image' ? readImageHeader(reader) : readVideoHeader(reader));
  } catch (error) {
    throwIfLost(error);
    facts = { trouble: describeError(error) };
  }
  throwIfLost(reader.failure);
  const sizeBytes = item.sizeBytes === undefined ? reader.knownSize : undefined;
  const sized = sizeBytes === undefined ? facts : { ...facts, sizeBytes };
  return sized.trouble === undefined ? sized : { ...sized, trouble: redactLinks(sized.trouble) };
}

function throwIfLost(error: unknown): void {
  if (error instanceof Stop && error.exitCode === exitCodes.halted) throw error;
}
