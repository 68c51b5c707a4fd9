/** Picture size and format of an image, from its first bytes. */
import type { MediaFacts } from '../domain/item.ts';
import { type HeaderReader, MediaTrouble } from './header-reader.ts';

/** How much is read until the size is found; photographs may carry a preview and colour tables before it. */
const steps = [16 * 1024, 64 * 1024, 512 * 1024];

/**
 * Reads the header of an image.
 *
 * @throws MediaTrouble where no format is recognised, or what the storage threw
 */
export async function readImageHeader(reader: HeaderReader): Promise<MediaFacts> {
  const { imageSize } = await import('image-size');
  const size = await reader.size();
  let trouble = '';
  for (const step of steps) {
    const bytes = await reader.read(0, Math.min(step, size));
    try {
      const { width, height, type } = imageSize(bytes);
      if (width > 0 && height > 0) return { width, height, format: type };
      trouble = 'the header names no picture size';
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
    if (step >= size) break;
  }
  throw new MediaTrouble(trouble);
}
