/** Length, picture size and key frames of a video, from its header and index. */
import type { MediaFacts } from '../domain/item.ts';
import { type HeaderReader, MediaTrouble } from './header-reader.ts';
import { isMatroska, readMatroskaIndex } from './matroska-index.ts';
import { isMovie, readMovieIndex } from './movie-index.ts';
import { findPacketBytes, readStream } from './stream-header.ts';

/** Enough to tell one container from another. */
const sniffedBytes = 1024;

/**
 * Reads the header of an MP4, MOV, WebM, MKV or TS file. Facts read before a trouble are kept beside it.
 *
 * @throws MediaTrouble, or what the storage threw, where nothing at all could be read
 */
export async function readVideoHeader(reader: HeaderReader): Promise<MediaFacts> {
  await reader.size();
  const bytes = await reader.read(0, sniffedBytes);
  const packet = findPacketBytes(bytes);
  if (packet !== undefined) return await readStream(reader, packet);
  if (isMatroska(bytes)) return await readMatroskaIndex(reader);
  if (isMovie(bytes)) return await readMovieIndex(reader);
  throw new MediaTrouble('the file is no MP4, MOV, WebM, MKV or TS');
}
