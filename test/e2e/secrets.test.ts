/** No secret leaves the process but to whom it belongs: canaries in every credential, link and variable, and a search for them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { serve } from '../../src/wire/server.ts';
import { type Ended, runCommand } from '../support/command.ts';
import { openWorld, putLibrary } from '../support/outside-world.ts';

/** What the stand-ins take, and what nobody does. Any of these words in a file or a message is a leak. */
const canaries = {
  paiToken: 'pai-emulator-token',
  qiniuSecret: 'emulated-secret-key',
  s3Secret: 'test-secret-of-the-embedded-store',
  linkSignature: 'canary-link-signature',
  linkToken: 'canary-link-token',
  userInfo: 'canary-user-password',
  hookToken: 'canary-hook-token',
  hookSecret: 'canary-hook-secret',
  wrongToken: 'canary-wrong-token',
  wrongSecret: 'canary-wrong-s3-secret',
  badAddress: 'canary-bad-address',
  bystander: 'canary-variable-of-somebody-else',
} as const;

const leaks = [
  ...Object.values(canaries).map((word) => new RegExp(word)),
  // What a signature of our own making looks like, in a link or a header.
  /X-Amz-(?:Signature|Credential|Security-Token)=/i,
  /[?&]token=[^&\s"]+/,
  /Qiniu [\w-]+:[\w-]+=/,
];

test('a life full of failures leaves no secret behind', async () => {
  const world = await openWorld({
    slowDown: 0.1,
    serverError: 0.1,
    resetBefore: 0.1,
    resetAfter: 0.1,
    modelFailure: 0.3,
    seed: 'secrets',
  });
  // Calls of unknown fate are looked for in listings ten seconds apart, which would show nothing more.
  await world.setFaults('qiniu', { resetBefore: 0, resetAfter: 0 });
  await putLibrary(world);
  const told: string[] = [];
  const receiver = await serve(
    async ({ body }) => {
      told.push(Buffer.from(body).toString('utf8'));
      return { status: 204 };
    },
    { maxBodyBytes: 1_000_000, timeoutMs: 5000 },
  );
  onTestFinished(() => receiver.close());
  const environment = {
    ...world.environment,
    BYSTANDER: canaries.bystander,
    HOOK: `${receiver.url}/hook?access_token=${canaries.hookToken}`,
    HOOK_SECRET: canaries.hookSecret,
  };
  const ended: Ended[] = [];
  const run = async (words: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const end = await runCommand([...words, '--log', 'json'], {
      folder: world.folder,
      environment: { ...environment, ...more },
    });
    ended.push(end);
    return end;
  };

  const notify = `notify: [{ webhook: "\${HOOK}", format: json, secret: "\${HOOK_SECRET}", on: [finished, failure] }]\n`;
  const both =
    'services: [{ use: pai/image-quality }, { use: qiniu/video-censor, options: { ops: [{ op: pulp }] } }]\n';
  const bucket = await world.writePipeline(
    'bucket',
    `source: { bucket: { storage: rehearsal, bucket: media } }\n${both}unknown: { resendBelow: 0 CNY }\n${notify}`,
  );
  const images = await world.writePipeline(
    'images',
    `source: { bucket: { storage: rehearsal, bucket: media } }\nservices: [{ use: pai/image-quality }]\n${notify}`,
  );
  const signed = [
    `${receiver.url}/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${canaries.linkSignature}`,
    `${receiver.url}/b.mp4?e=1&token=ak:${canaries.linkToken}`,
    `http://user:${canaries.userInfo}@127.0.0.1:1/c.jpg`,
    'not a link',
  ];
  const links = await world.writePipeline(
    'links',
    `source: { csv: { path: links.csv, allowPrivateAddresses: true } }\n${both}`,
  );
  await writeFile(join(world.folder, 'pipelines', 'links.csv'), `url\n${signed.join('\n')}\n`);

  await run(['estimate', bucket, '--plan-out', 'plan.json']);
  const first = await run(['run', bucket, '--plan', 'plan.json', '--metrics-file', 'metrics.prom']);
  expect(first.exitCode).toBe(1);
  await run(['run', links]);
  await run(['run', images, '--fresh'], { MEDIASWEEP_PAI_TOKEN: canaries.wrongToken });
  await run(['run', bucket, '--new'], { MEDIASWEEP_S3_SECRET: canaries.wrongSecret });
  await run(['check', bucket], { MEDIASWEEP_S3_PORT: canaries.badAddress });
  await run(['doctor', bucket], { MEDIASWEEP_PAI_TOKEN: canaries.wrongToken });
  await run(['held', 'list']);
  await run(['failed', 'list']);
  await run(['cost']);
  await run(['status', 'bucket', '--json']);
  await run(['report', 'bucket']);

  expect(told.length).toBeGreaterThan(0);
  const texts = [
    ...ended.flatMap(({ out, err }, index) => [
      { where: `output of command ${index}`, text: out },
      { where: `messages of command ${index}`, text: err },
    ]),
    ...told.map((text) => ({ where: 'a notification', text })),
    ...(await readTree(world.folder)),
  ];
  expect(texts.some(({ where }) => where.endsWith('ledger.db'))).toBe(true);
  expect(texts.some(({ where }) => where.endsWith('failures.csv'))).toBe(true);
  expect(texts.some(({ where }) => where.endsWith('metrics.prom'))).toBe(true);
  const found = texts.flatMap(({ where, text }) =>
    leaks.filter((leak) => leak.test(text)).map((leak) => `${where}: ${leak.exec(text)?.[0] ?? ''}`),
  );
  expect(found).toEqual([]);
  // The search does find what is there: a person wrote the stand-ins' credentials into the config.
  const config = await readFile(join(world.folder, 'config', 'accounts.yaml'), 'latin1');
  expect(leaks.some((leak) => leak.test(config))).toBe(true);
}, 180_000);

/** Every file that the program wrote: the state, the reports and the plan, but not what a person wrote. */
async function readTree(folder: string): Promise<readonly { where: string; text: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(?:config|pipelines)\//.test(path));
  return await Promise.all(files.map(async (where) => ({ where, text: await readFile(where, 'latin1') })));
}
