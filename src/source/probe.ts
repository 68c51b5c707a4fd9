/** Reads what a media file says of itself, by a few ranged reads of its header, without downloading it. */
import type { Item, MediaFacts } from '../domain/item.ts';
import { redactLinks } from '../domain/link.ts';
import { describeError, exitCodes, Stop } from '../domain/problem.ts';
import { openHeader, type ProbeTools } from './header-reader.ts';
import { readImageHeader } from './image-header.ts';
import { readVideoHeader } from './video-header.ts';

const imageWindowBytes = 16 * 1024;
const videoWindowBytes = 64 * 1024;

/**
 * Makes the prober: length in seconds, picture size in pixels as it is shown, key frames where the index counts them
 * (MP4 and MOV), and the format. One file costs at most 8 requests and 1 MiB.
 *
 * Trouble with the media, its address or its rights is told in `trouble`, beside what was read before it.
 *
 * @throws Stop with exit 3 where the storage was lost, because that says nothing about the media
 */
export function makeProber(tools: ProbeTools): (item: Item) => Promise<MediaFacts> {
  return async (item) => {
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
    return facts.trouble === undefined ? facts : { ...facts, trouble: redactLinks(facts.trouble) };
  };
}

function throwIfLost(error: unknown): void {
  if (error instanceof Stop && error.exitCode === exitCodes.halted) throw error;
}
