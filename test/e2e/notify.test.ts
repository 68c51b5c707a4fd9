/** A run that tells people of its end and of its cap, bots that verify what they are told, and metrics beside it. */
import { createHmac } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ServerAnswer, ServerRequest } from '../../src/domain/exchange.ts';
import { serve } from '../../src/wire/server.ts';
import { runCommand } from '../support/command.ts';
import { openWorld, putVariants } from '../support/outside-world.ts';

const secrets = { DING_SECRET: 'SECding-secret', FEISHU_SECRET: 'feishu-secret', JSON_SECRET: 'json-secret' };

const sign = (key: string, text: string) => createHmac('sha256', key).update(text).digest();

/** Each bot by its own manual: DingTalk's query, Feishu's body, and our own header. */
const bots: Readonly<Record<string, (request: ServerRequest, body: string) => ServerAnswer>> = {
  '/robot/send': ({ query }) => {
    const given = new URLSearchParams(query);
    const timestamp = given.get('timestamp') ?? '';
    const expected = sign(secrets.DING_SECRET, `${timestamp}\n${secrets.DING_SECRET}`).toString('base64');
    const isMine = given.get('access_token') === 'ding-token' && given.get('sign') === expected;
    const isFresh = Math.abs(Date.now() - Number(timestamp)) < 3_600_000;
    return answer(
      isMine && isFresh ? { errcode: 0, errmsg: 'ok' } : { errcode: 310_000, errmsg: 'sign not match' },
    );
  },
  '/open-apis/bot/v2/hook/feishu-token': (_, body) => {
    const { timestamp, sign: given } = JSON.parse(body) as { timestamp: string; sign: string };
    const expected = sign(`${timestamp}\n${secrets.FEISHU_SECRET}`, '').toString('base64');
    const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 3600;
    return answer(
      given === expected && isFresh ? { code: 0, msg: 'success' } : { code: 19_021, msg: 'sign match fail' },
    );
  },
  '/hook': ({ headers }, body) => {
    const expected = sign(secrets.JSON_SECRET, `${headers['x-mediasweep-timestamp']}.${body}`).toString(
      'hex',
    );
    return { status: headers['x-mediasweep-signature'] === `sha256=${expected}` ? 204 : 401 };
  },
};

function answer(body: object): ServerAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

test('bots accept the messages, a dead receiver changes nothing, and no secret is left anywhere', async () => {
  const told: { path: string; body: string; answered: string }[] = [];
  const server = await serve(
    async (request) => {
      const body = Buffer.from(request.body).toString('utf8');
      const given = bots[request.path]?.(request, body) ?? { status: 404 };
      told.push({ path: request.path, body, answered: `${given.status} ${String(given.body ?? '')}` });
      return given;
    },
    { maxBodyBytes: 1_000_000, timeoutMs: 5000 },
  );
  onTestFinished(() => server.close());
  const dead = await serve(async () => ({ status: 200 }), { maxBodyBytes: 1, timeoutMs: 1000 });
  await dead.close();
  const world = await openWorld();
  await putVariants(world, 12, 'image/jpeg');
  const path = await world.writePipeline(
    'nightly',
    `
source: { bucket: { storage: rehearsal, bucket: media } }
services: [{ use: pai/image-quality }]
policy: { rules: [{ service: pai/image-quality, metric: iqa_result, is: ">= 0", verdict: review }] }
caps: { units: { pai/basic: 14 } }
notify:
  - { webhook: "\${DING_URL}", format: dingtalk, secret: "\${DING_SECRET}", on: [flagged] }
  - { webhook: "\${FEISHU_URL}", format: feishu, secret: "\${FEISHU_SECRET}", on: [cap80] }
  - { webhook: "${server.url}/hook", secret: "\${JSON_SECRET}", on: [finished] }
  - { webhook: "${server.url}/hook", secret: "\${JSON_SECRET}", on: [failure] }
  - { webhook: "\${DEAD_URL}", on: [finished] }
`,
  );
  const environment = {
    ...world.environment,
    ...secrets,
    DING_URL: `${server.url}/robot/send?access_token=ding-token`,
    FEISHU_URL: `${server.url}/open-apis/bot/v2/hook/feishu-token`,
    DEAD_URL: `${dead.url}/dead-token`,
  };
  const { folder } = world;
  await mkdir(join(folder, 'metrics'));
  const words = ['run', path, '--metrics-file', 'metrics/nightly.prom', '--log', 'json'];
  const ran = await runCommand(words, { folder, environment });
  expect({ exitCode: ran.exitCode, err: ran.err }).toMatchObject({ exitCode: 0 });

  expect(told.map(({ path: to, answered }) => `${to} ${answered}`).toSorted()).toEqual([
    '/hook 204 ',
    '/open-apis/bot/v2/hook/feishu-token 200 {"code":0,"msg":"success"}',
    '/robot/send 200 {"errcode":0,"errmsg":"ok"}',
  ]);
  const bodyOf = (start: string) => JSON.parse(told.find((one) => one.path.startsWith(start))?.body ?? '');
  expect(bodyOf('/robot').text.content).toMatch(/^mediasweep nightly: finished\n.*\nblock 0, review 12,/);
  expect(bodyOf('/open-apis').content.text).toContain('caps.units.pai/basic is used to 8');
  expect(bodyOf('/hook')).toMatchObject({
    events: ['flagged', 'finished'],
    summary: { counts: { answered: 12 }, verdicts: { review: 12 } },
  });

  const lines = ran.err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const warnings = lines.filter(({ level }) => level === 'warn');
  expect(warnings).toMatchObject([
    {
      msg: expect.stringMatching(/^notify\[4\] \(json\) was not told: .*ECONNREFUSED.* in 3 tries\. The run/),
    },
  ]);
  const { run } = JSON.parse(await readFile(join(folder, 'reports/nightly/latest/summary.json'), 'utf8'));
  expect(lines.slice(1).every((line) => line['run'] === run)).toBe(true);

  const metrics = await readFile(join(folder, 'metrics', 'nightly.prom'), 'utf8');
  expect(metrics).toContain('mediasweep_run_exit_code{pipeline="nightly"} 0\n');
  expect(metrics).toContain('mediasweep_tasks{pipeline="nightly",status="answered"} 12\n');
  expect(await readdir(join(folder, 'metrics'))).toEqual(['nightly.prom']);

  // Reports, ledger, backups, metrics and what was printed.
  const hidden = [...Object.values(secrets), 'ding-token', 'feishu-token', 'dead-token'];
  const texts = [ran.out, ran.err];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) texts.push(await readFile(join(entry.parentPath, entry.name), 'latin1'));
  }
  expect(hidden.filter((word) => texts.some((text) => text.includes(word)))).toEqual([]);

  const refused = await runCommand(['run', path, '--metrics-file', 'nowhere/x.prom'], {
    folder,
    environment,
  });
  expect([refused.exitCode, refused.err]).toEqual([
    2,
    expect.stringMatching(/file "x\.prom" in ".*nowhere": there is no such folder\. Make it/),
  ]);
}, 60_000);
