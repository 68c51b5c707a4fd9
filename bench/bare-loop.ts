/** The least that can be done: sign the same bodies and send them with undici from plain worker loops. */
import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'undici';

const [port, count, concurrency] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const [appId, token, images] = process.argv.slice(5, 8) as [string, string, string];
const dispatcher = new Agent({ connections: concurrency, pipelining: 1 });
const path = '/api/v1/images';
let next = 0;

async function work(): Promise<void> {
  while (next < count) {
    const index = next;
    next += 1;
    const body = JSON.stringify({
      action: 'ImageQA',
      image: `${images}/${index}.gif`,
    });
    const digest = createHash('md5').update(body).digest('hex');
    const signature = createHmac('sha256', token).update(`POST\n${digest}\n${path}`).digest('hex');
    const reply = await request(`http://127.0.0.1:${port}${path}`, {
      dispatcher,
      method: 'POST',
      headers: {
        authorization: `${appId}:${signature}`,
        'x-request-time': String(Math.floor(Date.now() / 1000)),
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body,
    });
    const answer = (await reply.body.json()) as { code: string };
    if (answer.code !== 'OK') throw new Error(answer.code);
  }
}

await Promise.all(Array.from({ length: concurrency }, work));
await dispatcher.close();
