/** Presigned links per second, against the presigner's own function with nothing around it. */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { openObjectStorage } from '../src/wire/s3.ts';
import { type Comparison, compare } from './measure.ts';

const settings = {
  name: 'bench',
  endpoint: 'http://127.0.0.1:9',
  region: 'us-east-1',
  pathStyle: true,
  accessKeyId: 'bench',
  secretAccessKey: 'bench',
};

export async function benchLinks(links: number, pairs: number): Promise<readonly Comparison[]> {
  const storage = openObjectStorage(new Map([['bench', settings]]));
  const client = new S3Client({
    endpoint: settings.endpoint,
    region: settings.region,
    forcePathStyle: true,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  const keyOf = (index: number) => `ugc/2026/11/${index}.jpg`;
  const measure = async (sign: (index: number) => Promise<unknown>) => {
    const begin = performance.now();
    for (let index = 0; index < links; index += 1) await sign(index);
    return links / ((performance.now() - begin) / 1000);
  };
  try {
    return [
      await compare(
        `${links} presigned links`,
        'links/s',
        'getSignedUrl alone',
        pairs,
        () =>
          measure((index) => storage.sign({ storage: 'bench', bucket: 'media', key: keyOf(index) }, 3600)),
        () =>
          measure((index) =>
            getSignedUrl(client, new GetObjectCommand({ Bucket: 'media', Key: keyOf(index) }), {
              expiresIn: 3600,
            }),
          ),
      ),
    ];
  } finally {
    storage.close();
    client.destroy();
  }
}
