/** Images that came back inside replies: what they are taken for. */
import { expect, test } from 'vitest';
import { saveArtifact, sniffImage } from '../../src/dispatch/artifact.ts';

test.each([
  ['ffd8ffe000104a464946', 'jpg', 'image/jpeg'],
  ['89504e470d0a1a0a', 'png', 'image/png'],
  ['474946383961', 'gif', 'image/gif'],
  ['424d36000000', 'bmp', 'image/bmp'],
  ['524946460000000057454250', 'webp', 'image/webp'],
  ['524946460000000057415645', 'bin', 'application/octet-stream'],
  ['3c7376672f3e', 'bin', 'application/octet-stream'],
  ['', 'bin', 'application/octet-stream'],
])('bytes that begin with %s are %s', (hex, extension, mediaType) => {
  expect(sniffImage(Buffer.from(hex, 'hex'))).toEqual({ extension, mediaType });
});

test('base64 of either alphabet, with white space and a masked end, is saved as the bytes that it holds', async () => {
  const saved: { bytes: string; extension: string }[] = [];
  const folder = {
    save: async (bytes: Uint8Array, extension: string, mediaType: string) => {
      saved.push({ bytes: Buffer.from(bytes).toString('hex'), extension });
      return { path: `artifacts/x.${extension}`, mediaType, bytes: bytes.length };
    },
  };
  for (const base64 of ['iVBO/+8=', 'iVBO_-8', 'iVBO\n/+8=']) await saveArtifact({ base64 }, folder);
  expect(saved).toEqual(Array.from({ length: 3 }, () => ({ bytes: '89504effef', extension: 'bin' })));
});
