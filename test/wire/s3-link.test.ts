/** Links are those that the SDK itself would sign. */
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Storage } from '../../src/domain/settings.ts';
import { makeClient } from '../../src/wire/s3-client.ts';
import { LinkSigner } from '../../src/wire/s3-link.ts';
import { strangeKeys } from '../support/strange-keys.ts';

const nowMs = Date.parse('2026-11-20T02:00:00Z');
const storage: Storage = {
  name: 'main',
  endpoint: 'http://127.0.0.1:9000',
  region: 'us-east-1',
  pathStyle: true,
  accessKeyId: 'key',
  secretAccessKey: 'secret',
};
const storages: readonly (readonly [string, Storage, string])[] = [
  ['in path style with a port', storage, 'media'],
  ['with a session token', { ...storage, sessionToken: 'token/1+2=' }, 'media'],
  ['behind a path', { ...storage, endpoint: 'https://gateway.example/s3/' }, 'media'],
  ['with the bucket in the host', { ...storage, endpoint: 'https://s3.example', pathStyle: false }, 'media'],
  ['with dots in the bucket', { ...storage, endpoint: 'https://s3.example', pathStyle: false }, 'my.media'],
  ['at AWS', { ...storage, endpoint: undefined, pathStyle: false, region: 'eu-central-1' }, 'media'],
  ['at AWS in China', { ...storage, endpoint: undefined, pathStyle: false, region: 'cn-north-1' }, 'media'],
  ['on the usual port, named', { ...storage, endpoint: 'https://s3.example:443' }, 'media'],
];

test.each(storages)('a link to a storage %s', async (_, settings, bucket) => {
  const client = await makeClient(settings, { timeoutMs: 1000, maxAttempts: 1 });
  const signer = new LinkSigner(client);
  const check = async (key: string, version: string | undefined) => {
    const { url } = await signer.sign({ storage: 'main', bucket, key, version }, 3600, nowMs);
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version });
    expect(url).toBe(await getSignedUrl(client, command, { expiresIn: 3600, signingDate: new Date(nowMs) }));
  };
  for (const key of strangeKeys) await check(key, undefined);
  await check('a.jpg', 'v/1+2 =');
  const keys = fc.string({ unit: 'grapheme', minLength: 1 });
  await fc.assert(
    fc.asyncProperty(keys, (key) => check(key, undefined)),
    { numRuns: 50 },
  );
  client.destroy();
});
