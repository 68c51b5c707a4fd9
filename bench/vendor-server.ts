/**
 * Vendors that answer at once and do nothing else, in a process of their own, so that both sides meet the same ones. One
 * answers calls about images; one takes jobs about videos, which have ended when they are first read. Other reads get a
 * small picture, for stand-ins that fetch the media.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { root } from './place.ts';

const delayMs = Number(process.argv[2] ?? 0);
const answer = JSON.stringify({
  request_id: '1d4572a1-2800-4213-9e9c-33f9fa7e0000',
  code: 'OK',
  message: 'success',
  data: { image_height: 214, image_width: 398, iqa_result: 66.88 },
});

const labels = [{ label: '0', score: 0.999 }];
const cuts = [0, 5000].map((offset) => ({ offset, result: { label: 0, score: 0.999, review: false } }));
const ended = JSON.stringify({
  status: 'FINISHED',
  result: { pulp: { labels, segments: [{ offset_begin: 0, offset_end: 5000, labels, cuts }] } },
});

const picture = readFileSync(join(root, 'src', 'rehearsal', 'library', 'banners', 'counter.gif'));

let jobs = 0;
/** Whoever started this waits for the next call. */
let isAwaited = false;
process.on('message', () => {
  isAwaited = true;
});

function reply(method: string, url: string): { readonly type: string; readonly body: string | Buffer } {
  const type = 'application/json';
  if (url.startsWith('/v1/jobs/')) return { type, body: ended };
  if (url.startsWith('/v1/video/')) {
    jobs += 1;
    return { type, body: `{"job":"job-${jobs}"}` };
  }
  if (method === 'POST' && isAwaited) {
    isAwaited = false;
    process.send?.('called');
  }
  return method === 'GET' ? { type: 'image/gif', body: picture } : { type, body: answer };
}

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const send = () => {
      const { type, body } = reply(request.method ?? '', request.url ?? '');
      response.setHeader('content-type', type);
      response.end(body);
    };
    if (delayMs > 0) setTimeout(send, delayMs);
    else send();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : 0);
});
process.on('disconnect', () => process.exit());
