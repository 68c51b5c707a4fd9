/** What every service of every vendor must keep to; a new service is held to it by its line in the catalogue. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Item } from '../../src/domain/item.ts';
import { hashLink } from '../../src/domain/link.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { JobReading, Service, Submission, Vendor } from '../../src/domain/service.ts';
import { emulators } from '../../src/vendors/emulators.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { emulateVendor } from './emulated-vendor.ts';
import type { RecordedExchange } from './recorded-exchange.ts';
import { loadExchanges } from './recorded-exchange.ts';

const readFixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const links = { image: 'http://127.0.0.1:9/picture.jpg', video: 'http://127.0.0.1:9/clip.mp4' };
const media = new Map<string, Uint8Array>([
  [links.image, readFixture('pai/picture.jpg')],
  [links.video, readFixture('pai/clip.mp4')],
]);

const every = catalogue.flatMap((vendor) => vendor.services.map((service) => ({ vendor, service })));
const cases = every.map(({ vendor, service }) => ({ name: service.name, vendor, service }));
const itemDefaults: Item = { id: 'item-1', position: new Uint8Array([0]) };

const withMetrics = z.looseObject({
  finding: z.looseObject({ metrics: z.record(z.string(), z.unknown()) }),
});

/** The metrics of an outcome, where it has any. */
function readMetrics(outcome: unknown): Readonly<Record<string, unknown>> | undefined {
  return withMetrics.safeParse(outcome).data?.finding.metrics;
}

function parseOptions(service: Service, given: unknown): unknown {
  return service.options.parse(given);
}

function makeSubmission(service: Service, count: number, options: unknown): Submission {
  const kind = service.kinds[0] ?? 'image';
  const elements = Array.from({ length: count }, (_, index) => ({
    ref: `ref-${index + 1}`,
    item:
      kind === 'post'
        ? {
            ...itemDefaults,
            kind,
            text: '晨跑 5 km',
            title: '标题',
            videoUrl: links.video,
            images: [links.image],
          }
        : { ...itemDefaults, kind, title: '标题' },
    ...(kind === 'post' ? {} : { link: links[kind] }),
  }));
  return {
    elements,
    options,
    model: '',
    delivery: service.deliveries[0] ?? 'call',
    isBatch: count > 1,
  };
}

function makeReading(job: string, submission: Submission): JobReading {
  const elements = submission.elements.map(({ ref, link }, position) => ({
    ref,
    position,
    linkHash: hashLink(link ?? ''),
  }));
  return { job, elements, options: submission.options, isBatch: submission.isBatch };
}

/** The exchange's outcomes as the service reads them. */
function replay(service: Service, exchange: RecordedExchange): readonly Outcome[] {
  const { reply, isBatch, job, of } = exchange;
  const elements = exchange.elements.map(({ ref, link, item }) => ({
    ref,
    item: { ...itemDefaults, ...item },
    ...(link === undefined ? {} : { link }),
  }));
  const submission: Submission = {
    elements,
    options: parseOptions(service, needsExample(service, exchange)),
    model: exchange.model ?? '',
    delivery: exchange.delivery ?? service.deliveries[0] ?? 'call',
    isBatch,
  };
  const received = {
    status: reply.status,
    headers: reply.headers,
    body: reply.body ?? (reply.json === undefined ? '' : JSON.stringify(reply.json)),
  };
  if (of === 'submission') return service.readSubmission(received, submission);
  return service.readJob?.(received, makeReading(job, submission)) ?? [];
}

/** An exchange without options is read under the example's where the service demands some. */
function needsExample(service: Service, { options }: RecordedExchange): unknown {
  return service.options.safeParse(options).success ? options : service.exampleOptions;
}

describe.each(cases)('$name', ({ vendor, service }) => {
  const exchanges = loadExchanges(service.name);

  it('takes its own example options, refuses an unknown key, and describes each key', () => {
    expect(() => parseOptions(service, service.exampleOptions)).not.toThrow();
    const odd = { ...z.record(z.string(), z.unknown()).parse(service.exampleOptions), no_such_option: 1 };
    expect(service.options.safeParse(odd).error?.issues[0]?.code).toBe('unrecognized_keys');
    const { properties } = z
      .object({ properties: z.record(z.string(), z.looseObject({ description: z.string() })).default({}) })
      .parse(z.toJSONSchema(service.options, { io: 'input' }));
    const mute = Object.keys(properties).filter((key) => (properties[key]?.description.length ?? 0) < 10);
    expect(mute).toEqual([]);
  });

  it('has recorded an answer, an empty answer and a refusal', () => {
    const found = exchanges.map(({ is }) => is);
    expect(found).toEqual(expect.arrayContaining(['answer', 'empty', 'refusal']));
  });

  it.each(exchanges.map((exchange) => ({ title: exchange.title, exchange })))('reads: $title', ({
    exchange,
  }) => {
    const outcomes = replay(service, exchange);
    expect(outcomes).toHaveLength(exchange.expected.length);
    expect(JSON.parse(JSON.stringify(outcomes))).toMatchObject(exchange.expected);
    // No metric beyond those that are written down.
    const written = exchange.expected.map((one, index) => readMetrics(one) ?? readMetrics(outcomes[index]));
    expect(outcomes.map(readMetrics)).toEqual(written);
  });

  it('declares a column for every metric and every op of its recorded answers', () => {
    for (const exchange of exchanges) {
      const columns = service.columns(parseOptions(service, needsExample(service, exchange)));
      for (const outcome of replay(service, exchange)) {
        if (outcome.is !== 'answered') continue;
        expect(columns.metrics).toEqual(expect.arrayContaining(Object.keys(outcome.finding.metrics)));
        const ops = new Set(outcome.finding.labels.map(({ op }) => op));
        expect(columns.tops.map(({ op }) => op)).toEqual(expect.arrayContaining([...ops]));
      }
    }
  });

  it('uses whole units of SKUs that it and its vendor declare, at least one of each', () => {
    const options = parseOptions(service, service.exampleOptions);
    const skus = service.skus(options);
    expect(vendor.skus.map(({ name }) => name)).toEqual(expect.arrayContaining([...skus]));
    for (const unitsPerCall of [1, 3]) {
      const { item } = makeSubmission(service, 1, options).elements[0] ?? { item: itemDefaults };
      const { units } = service.usage({ item, media: {}, use: { options, unitsPerCall }, assume: {} });
      expect(Object.keys(units).toSorted()).toEqual([...skus].toSorted());
      for (const count of Object.values(units)) expect(Number.isInteger(count) && count >= 1).toBe(true);
    }
  });

  it('submits the same call for the same submission and leaves the submission as it was', () => {
    for (const count of service.maxBatch > 1 ? [1, 3] : [1]) {
      const submission = makeSubmission(service, count, parseOptions(service, service.exampleOptions));
      const before = structuredClone(submission);
      const call = service.submit(submission);
      expect(service.submit(submission)).toEqual(call);
      expect(submission).toEqual(before);
      expect(call.path).toMatch(/^\/[\w/.~%-]+$/);
      expect(() => JSON.parse(call.body ?? '')).not.toThrow();
    }
  });

  it('never throws, and has one outcome per element, whatever the vendor answers', () => {
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((data) => JSON.stringify({ code: 'OK', message: 'success', data })),
      fc.tuple(fc.string(), fc.string()).map(([code, message]) => JSON.stringify({ code, message })),
      fc.tuple(fc.nat(4), fc.jsonValue()).map(([state, value]) =>
        JSON.stringify({
          code: 'OK',
          data: { job: { state, Result: JSON.stringify(value) }, jobs: [{ state, Result: value }, value] },
        }),
      ),
      // A recorded reply of which one value is something else.
      fc
        .tuple(fc.constantFrom(...exchanges.map(({ reply }) => reply.json), null), fc.nat(60), fc.jsonValue())
        .map(([json, place, value]) => replaceValue(json, place, value)),
    );
    const statuses = fc.oneof(fc.constant(200), fc.integer({ min: 200, max: 599 }));
    const options = parseOptions(service, service.exampleOptions);
    fc.assert(
      fc.property(statuses, bodies, fc.boolean(), (status, body, isBatch) => {
        const count = isBatch && service.maxBatch > 1 ? 3 : 1;
        const submission = makeSubmission(service, count, options);
        const reply = { status, headers: {}, body };
        expect(service.readSubmission(reply, submission)).toHaveLength(count);
        const read = service.readJob?.(reply, makeReading('1', submission)) ?? submission.elements;
        expect(read).toHaveLength(count);
        vendor.readRefusal(reply);
      }),
      { numRuns: 300 },
    );
  });

  it('reads an answer that the stand-in gives to its signed call', async () => {
    await expectAnswers(vendor, service, 1);
    if (service.maxBatch > 1) await expectAnswers(vendor, service, 3);
  });
});

/** Sends, polls until nothing waits, and looks at the findings. */
async function expectAnswers(vendor: Vendor, service: Service, count: number): Promise<void> {
  const entry = emulators.find((one) => one.vendor === vendor.name);
  if (!entry) throw new Error(`${vendor.name} has no stand-in`);
  const { send, clock, emulator } = emulateVendor(vendor, entry, media);
  const submission = makeSubmission(service, count, parseOptions(service, service.exampleOptions));
  const reply = await send(service.submit(submission));
  if (!reply) throw new Error('the stand-in broke the connection');
  const begun = service.readSubmission(reply, submission);
  const job = begun.find((outcome) => outcome.is === 'accepted')?.job ?? '';
  let outcomes = begun;
  for (let reads = 0; reads < 20 && outcomes.some(({ is }) => is !== 'answered'); reads += 1) {
    await clock.drive(clock.sleep(200));
    const read = await send(service.poll?.(job, submission.isBatch) ?? service.submit(submission));
    if (!read || !service.readJob) break;
    outcomes = service.readJob(read, makeReading(job, submission));
  }
  expect(outcomes.map(({ is }) => is)).toEqual(Array.from({ length: count }, () => 'answered'));
  const columns = service.columns(submission.options);
  for (const outcome of outcomes) {
    if (outcome.is !== 'answered') continue;
    expect(columns.metrics).toEqual(expect.arrayContaining(Object.keys(outcome.finding.metrics)));
    for (const { score } of outcome.finding.labels) expect(score >= 0 && score <= 1).toBe(true);
  }
  const { units, submissions, openJobs } = emulator.state();
  expect({ submissions, openJobs }).toEqual({ submissions: 1, openJobs: 0 });
  expect(Object.keys(units).toSorted()).toEqual([...service.skus(submission.options)].toSorted());
}

/** The JSON with the value at that place (counted through the whole tree, and around) replaced. */
function replaceValue(json: unknown, place: number, value: unknown): string {
  let seen = 0;
  let total = 0;
  JSON.stringify(json, (_key, one: unknown) => {
    total += 1;
    return one;
  });
  return (
    JSON.stringify(json, (_key, one: unknown) => {
      seen += 1;
      return seen === (place % Math.max(1, total)) + 1 ? value : one;
    }) ?? ''
  );
}

describe('the catalogue', () => {
  it('names each service after its vendor, once', () => {
    const names = every.map(({ service }) => service.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { vendor, service } of every) expect(service.name.startsWith(`${vendor.name}/`)).toBe(true);
  });

  it('has the services of the design', () => {
    expect(every.map(({ service }) => service.name).toSorted()).toEqual([
      'pai/body-reshaping',
      'pai/face-age',
      'pai/face-attributes',
      'pai/image-labels',
      'pai/image-quality',
      'pai/painting-labels',
      'pai/post-labels',
      'pai/video-labels',
      'pai/video-quality',
      'pai/watermark-removal',
      'qiniu/video-censor',
    ]);
  });

  it('has a stand-in for each vendor, whose credentials the vendor takes', () => {
    for (const vendor of catalogue) {
      const entry = emulators.find((one) => one.vendor === vendor.name);
      expect(vendor.credentials.safeParse(entry?.credentials).success).toBe(true);
    }
  });
});
