/** Every switch of the stand-in changes what it says, and our reader takes both. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { EmulatorSwitches } from '../../../src/domain/emulator.ts';
import { hashLink } from '../../../src/domain/link.ts';
import { findService, type Submission } from '../../../src/domain/service.ts';
import { paiEmulator } from '../../../src/vendors/pai/emulator/index.ts';
import { switches as shape } from '../../../src/vendors/pai/emulator/switches.ts';
import { pai } from '../../../src/vendors/pai/index.ts';
import { emulateVendor } from '../../contracts/emulated-vendor.ts';

const clip = readFileSync(new URL('../../fixtures/pai/clip.mp4', import.meta.url));
const picture = readFileSync(new URL('../../fixtures/pai/picture.jpg', import.meta.url));
const links = ['http://127.0.0.1:9/one.mp4', 'http://127.0.0.1:9/two.mp4'];
const pictureUrl = 'http://127.0.0.1:9/picture.jpg';
const media = new Map<string, Uint8Array>([
  ...links.map((link) => [link, clip] as const),
  [pictureUrl, picture],
]);

function open(switches: EmulatorSwitches) {
  return emulateVendor(pai, paiEmulator, media, { jobMs: 100 }, switches);
}

/** Submits videos and reads the job once it has ended: the reply on the wire, and what our reader makes of it. */
async function runJob(
  name: string,
  switches: EmulatorSwitches,
  { isBatch = false, model = '', options = {} } = {},
) {
  const { send, clock, emulator } = open(switches);
  const { service } = findService([pai], name) ?? {};
  if (!service?.poll || !service.readJob) throw new Error(`${name} has no jobs`);
  const elements = (isBatch ? links : links.slice(0, 1)).map((link, index) => ({
    ref: `ref-${index}`,
    item: { id: link, position: Buffer.from([index]) },
    link,
  }));
  const parsed = service.options.parse(options);
  const submission: Submission = { elements, options: parsed, model, delivery: 'poll', isBatch };
  const accepted = await send(service.submit(submission));
  if (!accepted) throw new Error('no reply');
  const [first] = service.readSubmission(accepted, submission);
  if (first?.is !== 'accepted') return { refused: first, units: emulator.state().units };
  await clock.drive(clock.sleep(1000));
  const reply = await send(service.poll(first.job, isBatch));
  if (!reply) throw new Error('no reply');
  const outcomes = service.readJob(reply, {
    job: first.job,
    elements: elements.map(({ ref, link }, position) => ({ ref, position, linkHash: hashLink(link) })),
    options: parsed,
    isBatch,
  });
  const data = JSON.parse(reply.body).data;
  const jobs: Record<string, unknown>[] = isBatch ? data.jobs : [data.job];
  return { jobs, outcomes, units: emulator.state().units };
}

const results = (ran: { jobs?: Record<string, unknown>[] }) =>
  (ran.jobs ?? []).map(({ Result }) => String(Result));

describe('a switch', () => {
  test.each(['always', 'never'])('resultTail %s: the line feed after Result', async (resultTail) => {
    for (const name of ['pai/video-quality', 'pai/video-labels']) {
      const ran = await runJob(name, { resultTail });
      expect(results(ran).map((text) => text.endsWith('\n'))).toEqual([resultTail === 'always']);
      expect(ran.outcomes).toMatchObject([{ is: 'answered' }]);
    }
  });

  test.each([
    ['int', (seconds: number) => Number.isInteger(seconds)],
    ['float', (seconds: number) => !Number.isInteger(seconds)],
  ])('duration %s: whole seconds or a fraction', async (duration, fits) => {
    for (const name of ['pai/video-quality', 'pai/video-labels']) {
      for (const isBatch of [false, true]) {
        const ran = await runJob(name, { duration }, { isBatch });
        for (const text of results(ran))
          expect([name, isBatch, fits(JSON.parse(text).duration)]).toEqual([name, isBatch, true]);
        for (const outcome of ran.outcomes ?? [])
          expect(outcome).toMatchObject({
            is: 'answered',
            finding: { metrics: { duration: expect.any(Number) } },
          });
      }
    }
  });

  test.each([22, 64, 512])('embeddings %i: so many numbers', async (embeddings) => {
    for (const isBatch of [false, true]) {
      const ran = await runJob('pai/video-labels', { embeddings }, { isBatch });
      for (const outcome of ran.outcomes ?? []) {
        if (outcome.is !== 'answered') throw new Error(outcome.is);
        expect(outcome.finding.embeddings?.['embedding_result']?.split(',')).toHaveLength(embeddings);
      }
    }
  });

  test.each(['always', 'never'])('jobFields %s: the fields that one sample alone has', async (jobFields) => {
    const ran = await runJob('pai/video-quality', { jobFields });
    expect(ran.jobs?.map((job) => 'model_id' in job)).toEqual([jobFields === 'always']);
  });

  test('batchOrder reversed: elements come back the other way round, and are matched by their address', async () => {
    const ran = await runJob('pai/video-quality', { batchOrder: 'reversed' }, { isBatch: true });
    expect(ran.jobs?.map(({ object }) => object)).toEqual(links.toReversed());
    expect(ran.outcomes?.map(({ is }) => is)).toEqual(['answered', 'answered']);
  });

  test('outOfRange refuse: a value outside its range is a 400 that gives up', async () => {
    const { send } = open({ outOfRange: 'refuse' });
    const body = JSON.stringify({
      action: 'MultiLabelImageV2',
      image: pictureUrl,
      configure: { tag_top_k: 50 },
    });
    const reply = await send({ method: 'POST', path: '/api/v1/images', headers: {}, body });
    expect([reply?.status, JSON.parse(reply?.body ?? '').message]).toEqual([
      400,
      'tag_top_k is out of range',
    ]);
  });

  test("customModels: a customer's model answers like another and costs its units, and no other name is known", async () => {
    const customModels = { acme: { units: 3 } };
    const ran = await runJob('pai/video-quality', { customModels }, { isBatch: true, model: 'acme' });
    expect(ran.outcomes?.map(({ is }) => is)).toEqual(['answered', 'answered']);
    expect(ran.units).toEqual({ 'pai/advanced': 6 });
    const unknown = await runJob('pai/video-quality', { customModels }, { model: 'other' });
    expect(unknown.refused).toMatchObject({
      refusal: { class: 'model-not-found', message: 'model not found' },
    });
  });

  test('is covered here, whatever is added', () => {
    const covered = [
      'resultTail',
      'duration',
      'embeddings',
      'jobFields',
      'outOfRange',
      'batchOrder',
      'customModels',
    ];
    expect(Object.keys(shape.shape)).toEqual(covered);
  });
});

test('request_id is read nowhere', () => {
  const folder = new URL('../../../src/vendors/pai/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(10);
  const code = files.map((name) =>
    readFileSync(new URL(name, folder), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, ''),
  );
  expect(code.filter((text) => text.includes('request_id'))).toEqual([]);
});
