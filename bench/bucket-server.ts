/**
 * A bucket that only lists, in a process of its own: keys by a rule, pages of 1,000 in UTF-8 byte order, each a while
 * later than it was asked for.
 */
import { createServer } from 'node:http';

const [shape = 'flat', count = '300000', delayMs = '40'] = process.argv.slice(2);
const cities = '北京上海广州深圳杭州成都武汉西安南京重庆';

function nameKey(number: number): string {
  const mixed = Math.imul(number, 2_654_435_761) >>> 0;
  if (shape === 'flat') return `img-${mixed.toString(16).padStart(8, '0')}.jpg`;
  if (shape === 'deep') {
    const [month, day] = [(mixed % 12) + 1, (mixed % 28) + 1];
    return `company/media/ugc/2026/${String(month).padStart(2, '0')}/${String(day).padStart(2, '0')}/user-${mixed % 997}/${number}.mp4`;
  }
  const city = cities.slice((mixed % 10) * 2, (mixed % 10) * 2 + 2);
  return `用户上传/${city}/照片 ${String.fromCodePoint(0x4e00 + (mixed % 20_000))}${number}.jpg`;
}

const keys = Array.from({ length: Number(count) }, (_, number) => Buffer.from(nameKey(number)))
  .sort((one, other) => Buffer.compare(one, other))
  .map(String);

/** Index of the first key behind this one; UTF-16 order serves, since no key is beyond the first 65,536 characters. */
function findBehind(key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(Buffer.from(keys[middle] ?? ''), Buffer.from(key)) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writePage(query: URLSearchParams): string {
  const from = findBehind(query.get('continuation-token') ?? query.get('start-after') ?? '');
  const page = keys.slice(from, from + 1000);
  const isTruncated = from + page.length < keys.length;
  const contents = page.map(
    (key) =>
      `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>1000</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const token = isTruncated
    ? `<NextContinuationToken>${(page.at(-1) ?? '').replaceAll('&', '&amp;')}</NextContinuationToken>`
    : '';
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>media</Name><KeyCount>${page.length}</KeyCount><EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${token}${contents.join('')}</ListBucketResult>`;
}

const server = createServer((request, response) => {
  const body = writePage(new URL(request.url ?? '/', 'http://localhost').searchParams);
  setTimeout(() => {
    response.setHeader('content-type', 'application/xml');
    response.end(body);
  }, Number(delayMs));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
});
process.on('disconnect', () => process.exit());
