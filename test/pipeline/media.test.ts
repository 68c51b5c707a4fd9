/** What a person is told to write where an address was refused. */
import { expect, onTestFinished, test } from 'vitest';
import type { Pipeline } from '../../src/domain/settings.ts';
import { openHeaderReader } from '../../src/pipeline/media.ts';

function open(allowPrivateAddresses: boolean) {
  const source = { form: 'csv', allowPrivateAddresses } as Pipeline['source'];
  const reader = openHeaderReader({ source, path: '/srv/audit/pipelines/posts.yaml' });
  onTestFinished(() => reader.close());
  return reader;
}

test('a private address is refused with the line that would allow it, and its file', async () => {
  expect(await open(false).read('http://127.0.0.1:9/a.mp4', 0, 10)).toEqual({
    ok: false,
    message:
      'refused to fetch: "127.0.0.1" is not a public address; where it may be read all the same, write "allowPrivateAddresses: true" under source.csv in pipelines/posts.yaml',
  });
  const allowed = await open(true).read('http://127.0.0.1:9/a.mp4', 0, 10);
  expect(!allowed.ok && allowed.message).not.toContain('refused to fetch');
});
