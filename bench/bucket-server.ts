/**
 * A bucket that only lists, in a process of its own: keys by a rule, so that millions take no memory; pages of 1,000 in
 * UTF-8 byte order, each a while later than it was asked for.
 */
import { createServer } from 'node:http';

const [shape = 'flat', countText = '300000', delayMs = '40'] = process.argv.slice(2);
const count = Number(countText);
const cities = Array.from(['北京', '上海', '广州', '深圳', '杭州', '成都', '武汉', '西安', '南京', '重庆'])
  .map((name) => Buffer.from(name))
  .sort((one, other) => Buffer.compare(one, other))
  .map(String);
/** Some folders hold many times what others do. */
const weights = [1, 9, 2, 30, 4, 1, 12, 3, 1, 20, 6, 2];

/** The key of each place in the bucket: a higher place has a higher key. */
const nameKeys: Readonly<Record<string, (place: number) => string>> = {
  flat: (place) => {
    const step = Math.floor(2 ** 32 / count);
    const number = place * step + ((Math.imul(place, 2_654_435_761) >>> 0) % step);
    return `img-${number.toString(16).padStart(8, '0')}.jpg`;
  },
  deep: (place) => {
    const [month, inMonth] = chooseFolder(place / count, 12);
    const [day, inDay] = chooseEvenly(inMonth, 28);
    const [user] = chooseEvenly(inDay, 97);
    return `company/media/ugc/2026/${pad(month + 1, 2)}/${pad(day + 1, 2)}/user-${pad(user, 3)}/${pad(place, 8)}.mp4`;
  },
  Chinese: (place) => {
    const [city, inCity] = chooseFolder(place / count, cities.length);
    const [character] = chooseEvenly(inCity, 20_000);
    return `用户上传/${cities[city]}/照片 ${String.fromCodePoint(0x4e00 + character)}${pad(place, 8)}.jpg`;
  },
};

/** Which of so many folders of different sizes a share from 0 to 1 falls into, and where in it. */
function chooseFolder(share: number, folders: number): readonly [number, number] {
  const sizes = weights.slice(0, folders);
  let left = share * sizes.reduce((sum, size) => sum + size, 0);
  for (const [folder, size] of sizes.entries()) {
    if (left < size) return [folder, left / size];
    left -= size;
  }
  return [folders - 1, 1];
}

function chooseEvenly(share: number, parts: number): readonly [number, number] {
  const part = Math.min(parts - 1, Math.floor(share * parts));
  return [part, share * parts - part];
}

function pad(number: number, width: number): string {
  return String(number).padStart(width, '0');
}

const nameKey = nameKeys[shape];
if (nameKey === undefined) throw new Error(`shape: expected ${Object.keys(nameKeys).join(', ')}`);
const keyAt = nameKey;

/** Place of the first key behind this one. */
function findBehind(key: string): number {
  const wanted = Buffer.from(key);
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(Buffer.from(keyAt(middle)), wanted) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writePage(query: URLSearchParams): string {
  const token = query.get('continuation-token');
  const after = query.get('start-after') ?? '';
  const from = token !== null ? Number(token) : after === '' ? 0 : findBehind(after);
  const end = Math.min(count, from + 1000);
  let contents = '';
  for (let place = from; place < end; place += 1) {
    contents += `<Contents><Key>${encodeURIComponent(keyAt(place))}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>&quot;${place.toString(16).padStart(32, '0')}&quot;</ETag><Size>1000</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  }
  const isTruncated = end < count;
  const next = isTruncated ? `<NextContinuationToken>${end}</NextContinuationToken>` : '';
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>media</Name><KeyCount>${end - from}</KeyCount><EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${next}${contents}</ListBucketResult>`;
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
