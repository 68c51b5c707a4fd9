/**
 * The least that can be done: sign the same bodies and send them with undici from plain worker loops. `calls`: a call for
 * each image. `jobs`: a job for each video, read once.
 */
import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { pai, qiniu } from './project.ts';

const [form = 'calls', media = ''] = process.argv.slice(2, 4);
const [port, count, concurrency] = process.argv.slice(4, 7).map(Number) as [number, number, number];
const dispatcher = new Agent({ connections: concurrency, pipelining: 1 });
let next = 0;

async function ask(
  method: 'GET' | 'POST',
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<unknown> {
  const url = `http://127.0.0.1:${port}${path}`;
  const reply = await request(url, { dispatcher, method, headers, ...(body !== undefined && { body }) });
  return await reply.body.json();
}

async function call(index: number): Promise<void> {
  const path = '/api/v1/images';
  const body = JSON.stringify({ action: 'ImageQA', image: `${media}/${index}.gif` });
  const digest = createHash('md5').update(body).digest('hex');
  const signature = createHmac('sha256', pai.token).update(`POST\n${digest}\n${path}`).digest('hex');
  const headers = {
    authorization: `${pai.appId}:${signature}`,
    'x-request-time': String(Math.floor(Date.now() / 1000)),
    'content-type': 'application/json',
    accept: 'application/json',
  };
  const answer = (await ask('POST', path, headers, body)) as { readonly code: string };
  if (answer.code !== 'OK') throw new Error(answer.code);
}

function sign(text: string): string {
  const digest = createHmac('sha1', qiniu.secretKey).update(text).digest('base64');
  return `Qiniu ${qiniu.accessKey}:${digest.replaceAll('+', '-').replaceAll('/', '_')}`;
}

async function runJob(index: number): Promise<void> {
  const vid = createHash('sha256').update(String(index)).digest('hex');
  const path = `/v1/video/${vid}`;
  const body = JSON.stringify({
    data: { uri: `${media}/${index}.mp4` },
    params: { async: true },
    ops: [{ op: 'pulp' }],
  });
  const type = 'application/json';
  const host = `Host: 127.0.0.1:${port}`;
  const authorization = sign(`POST ${path}\n${host}\nContent-Type: ${type}\n\n${body}`);
  const { job } = (await ask('POST', path, { authorization, 'content-type': type }, body)) as {
    readonly job: string;
  };
  const read = `/v1/jobs/video/${job}`;
  const answer = (await ask('GET', read, { authorization: sign(`GET ${read}\n${host}\n\n`) })) as {
    readonly status: string;
  };
  if (answer.status !== 'FINISHED') throw new Error(answer.status);
}

async function work(): Promise<void> {
  while (next < count) {
    const index = next;
    next += 1;
    await (form === 'jobs' ? runJob(index) : call(index));
  }
}

await Promise.all(Array.from({ length: concurrency }, work));
await dispatcher.close();
