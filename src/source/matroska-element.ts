/** Elements of MKV and WebM that matter here, and the numbers in them. RFC 9559 (2024), section 5. */
import { type Element, readUnsigned } from './ebml.ts';

export const ids = {
  header: 0x1a45dfa3,
  docType: 0x4282,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  defaultDuration: 0x23e383,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  displayWidth: 0x54b0,
  displayHeight: 0x54ba,
  displayUnit: 0x54b2,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
} as const;

/** Elements one after another, with the bytes that hold them. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly elements: readonly Element[];
}

/** 0 where there is none. */
export function findNumber(part: Part | undefined, id: number): number {
  const element = part?.elements.find((one) => one.id === id);
  return part === undefined || element === undefined ? 0 : readUnsigned(part.bytes, element);
}
