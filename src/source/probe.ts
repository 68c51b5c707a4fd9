/** Reads what a media file says of itself, by a few ranged reads of its header, without downloading it. */
import type { Item, MediaFacts } from '../domain/item.ts';
import { redactLinks } from '../domain/link.ts';
import { describeError, exitCodes, Stop } from '../domain/problem.ts';
import { type HeaderReader, openHeader, type ProbeTools } from './header-reader.ts';
import { readImageHeader } from './image-header.ts';
import { hostOf, makePatient, makeProbeGate } from './probe-gate.ts';
import { readVideoHeader } from './video-header.ts';

const imageWindowBytes = 16 * 1024;
const videoWindowBytes = 64 * 1024;
/**
 * More than this is a lie, or nothing that a price could be computed of: 115 days of film, pictures a million pixels wide.
 */
const believable = { durationSeconds: 1e7, width: 1e6, height: 1e6, keyFrames: 1e8 } as const;

/**
 * Makes the prober: length in seconds, picture size in pixels as it is shown, key frames where the index counts them
 * (MP4, MOV, and of MKV, WebM and fragmented MP4 what their own indexes name), the format, and the file's size where the
 * item does not tell it. One file costs at most 8 requests and 1 MiB; 32 files are read at once, 16 of one host, however
 * many are asked for.
 *
 * Trouble with the media, its address or its rights is told in `trouble`, beside what was read before it.
 *
 * @throws Stop with exit 3 where the storage was lost, because that says nothing about the media
 */
export function makeProber(tools: ProbeTools): (item: Item) => Promise<MediaFacts> {
  const gate = makeProbeGate();
  const patient = { ...tools, urlReader: makePatient(tools.urlReader) };
  return (item) => gate(hostOf(item), () => probe(item, patient));
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
  return finish(facts, item, reader);
}

/** Only what can be believed, with the trouble in words that may be seen. */
function finish(facts: MediaFacts, item: Item, reader: HeaderReader): MediaFacts {
  const kept: { -readonly [K in keyof MediaFacts]: MediaFacts[K] } = { ...facts };
  for (const [name, most] of Object.entries(believable) as [keyof typeof believable, number][]) {
    const value = kept[name];
    if (value === undefined || (value > 0 && value <= most)) continue;
    delete kept[name];
    kept.trouble ??= `the header tells a ${nameFact(name)} of ${value}, which nobody can believe`;
  }
  if (item.sizeBytes === undefined && reader.knownSize !== undefined) kept.sizeBytes = reader.knownSize;
  // A server that failed in the middle tells more than what is missing because of it.
  if (reader.failure !== undefined) kept.trouble = describeError(reader.failure);
  if (kept.trouble !== undefined) kept.trouble = redactLinks(kept.trouble);
  return kept;
}

function nameFact(name: keyof typeof believable): string {
  if (name === 'durationSeconds') return 'length in seconds';
  return name === 'keyFrames' ? 'number of key frames' : name;
}

function throwIfLost(error: unknown): void {
  if (error instanceof Stop && error.exitCode === exitCodes.halted) throw error;
}
