/** Saves an image that came back inside a reply: bounded, typed by its first bytes, named by its content. */
import type { Artifact } from '../domain/finding.ts';
import type { ReturnedImage } from '../domain/outcome.ts';
import type { ArtifactFolder } from '../domain/output.ts';

const signatures: readonly {
  extension: string;
  mediaType: string;
  matches: (bytes: Uint8Array) => boolean;
}[] = [
  { extension: 'jpg', mediaType: 'image/jpeg', matches: (bytes) => begins(bytes, [0xff, 0xd8, 0xff]) },
  { extension: 'png', mediaType: 'image/png', matches: (bytes) => begins(bytes, [0x89, 0x50, 0x4e, 0x47]) },
  { extension: 'gif', mediaType: 'image/gif', matches: (bytes) => begins(bytes, [0x47, 0x49, 0x46, 0x38]) },
  { extension: 'bmp', mediaType: 'image/bmp', matches: (bytes) => begins(bytes, [0x42, 0x4d]) },
  {
    extension: 'webp',
    mediaType: 'image/webp',
    matches: (bytes) =>
      begins(bytes, [0x52, 0x49, 0x46, 0x46]) && begins(bytes.subarray(8), [0x57, 0x45, 0x42, 0x50]),
  },
];

function begins(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((value, index) => bytes[index] === value);
}

/** The image's type by its first bytes; bytes of an unknown type are kept too, since they were paid for. */
export function sniffImage(bytes: Uint8Array): { readonly extension: string; readonly mediaType: string } {
  const known = signatures.find((one) => one.matches(bytes));
  return known
    ? { extension: known.extension, mediaType: known.mediaType }
    : { extension: 'bin', mediaType: 'application/octet-stream' };
}

/** Durable when it resolves. */
export async function saveArtifact(image: ReturnedImage, folder: ArtifactFolder): Promise<Artifact> {
  const bytes = Buffer.from(image.base64, 'base64');
  const { extension, mediaType } = sniffImage(bytes);
  return await folder.save(bytes, extension, mediaType);
}
