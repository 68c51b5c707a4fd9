/** Puts the media library into the embedded store, without a request. */
import { type LibraryFile, loadLibrary } from './library.ts';
import type { Shelf } from './shelf.ts';

/**
 * Makes the bucket if need be and puts every file under `prefix` and its path. A file that lies there unchanged
 * stays as it is, so that a second rehearsal over one folder meets the same objects. Answers the library.
 */
export async function seedLibrary(
  shelf: Shelf,
  place: { readonly bucket: string; readonly prefix?: string; readonly nowMs: number },
): Promise<readonly LibraryFile[]> {
  const { bucket, prefix = '', nowMs } = place;
  const files = await loadLibrary();
  await shelf.addBucket(bucket, nowMs);
  for (const { path, bytes, mediaType } of files) {
    const facts = { contentType: mediaType, lastModifiedMs: nowMs };
    await shelf.put(bucket, prefix + path, bytes, facts, (present, etag) => present?.etag !== etag);
  }
  return files;
}
