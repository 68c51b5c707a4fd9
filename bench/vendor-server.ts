/**
 * A vendor that answers at once and does nothing else, in a process of its own, so that both sides meet the same one. GET
 * answers a small picture, for stand-ins that fetch the media.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const delayMs = Number(process.argv[2] ?? 0);
const answer = JSON.stringify({
  request_id: '1d4572a1-2800-4213-9e9c-33f9fa7e0000',
  code: 'OK',
  message: 'success',
  data: { image_height: 214, image_width: 398, iqa_result: 66.88 },
});

const picture = readFileSync(
  join(import.meta.dirname, '..', 'src', 'rehearsal', 'library', 'banners', 'counter.gif'),
);

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const send = () => {
      if (request.method === 'GET') {
        response.setHeader('content-type', 'image/gif');
        response.end(picture);
        return;
      }
      response.setHeader('content-type', 'application/json');
      response.end(answer);
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
