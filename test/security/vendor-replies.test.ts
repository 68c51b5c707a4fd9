/** Replies, lists and callbacks that a hostile vendor, or who poses as one, would send: read in words, in no time, by every service. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Service, Submission, Vendor } from '../../src/domain/service.ts';
import { emulators } from '../../src/vendors/emulators.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { loadExchanges } from '../contracts/recorded-exchange.ts';
import {
  broken,
  deepTexts,
  fuzzTimeoutMs,
  nastyText,
  nastyTexts,
  nastyValue,
  replaceAt,
  tries,
} from './hostile.ts';

const cases = catalogue.flatMap((vendor) =>
  vendor.services.map((service) => ({ name: service.name, vendor, service })),
);

function makeSubmission(service: Service, count: number): Submission {
  const kind = service.kinds[0] ?? 'image';
  const item = { id: 'a', position: new Uint8Array([0]), kind, title: 't', text: 'x' };
  const link = 'https://media.example/a?X-Amz-Signature=s';
  return {
    elements: Array.from({ length: count }, (_, index) => ({
      ref: `ref-${index}`,
      item: kind === 'post' ? { ...item, videoUrl: link, images: [link] } : item,
      ...(kind !== 'post' && { link: `${link}${index}` }),
    })),
    options: service.options.parse(service.exampleOptions),
    model: '',
    delivery: service.deliveries[0] ?? 'call',
    isBatch: count > 1,
  };
}

interface Given {
  readonly status: number;
  readonly body: string;
}

/** Everything that reads a reply reads this one, and what it makes of it can be asked for, stored and shown. */
function readEverywhere(vendor: Vendor, service: Service, { status, body }: Given): true {
  const reply = { status, headers: { date: body.slice(0, 40), 'retry-after': body.slice(0, 9) }, body };
  for (const count of service.maxBatch > 1 ? [1, 3] : [1]) {
    const submission = makeSubmission(service, count);
    const { elements, isBatch, options } = submission;
    const begun = service.readSubmission(reply, submission);
    expect(begun).toHaveLength(count);
    const named = elements.map(({ ref }, position) => ({ ref, position, linkHash: 'x' }));
    const read = service.readJob?.(reply, { job: '1', elements: named, options, isBatch }) ?? [];
    expect(read).toHaveLength(service.readJob ? count : 0);
    for (const outcome of [...begun, ...read]) expectUsable(vendor, service, outcome, isBatch);
  }
  vendor.readRefusal(reply);
  const ref = service.readCallback?.(body);
  assert(ref === undefined || typeof ref === 'string');
  for (const { job } of service.search?.readList(reply) ?? []) expectAskable(vendor, service, job, false);
  service.search?.readRef(reply);
  return true;
}

function expectUsable(vendor: Vendor, service: Service, outcome: Outcome, isBatch: boolean): void {
  if (outcome.is === 'accepted') expectAskable(vendor, service, outcome.job, isBatch);
  if (outcome.is === 'refused') {
    expect(outcome.refusal.message.length).toBeLessThanOrEqual(2000);
    expect(outcome.refusal.message).not.toContain('X-Amz-Signature');
  }
  if (outcome.is !== 'answered') return;
  const { labels, segments, metrics } = outcome.finding;
  for (const { label, score } of labels) {
    expect(typeof label).toBe('string');
    expect(Number.isFinite(score)).toBe(true);
  }
  for (const { beginMs, endMs } of segments) expect(Number.isFinite(beginMs + endMs)).toBe(true);
  for (const value of Object.values(metrics)) expect(['number', 'string']).toContain(typeof value);
  for (const units of Object.values(outcome.observed ?? {})) expect(Number.isSafeInteger(units)).toBe(true);
  expect(JSON.parse(JSON.stringify(outcome.finding))).toEqual(outcome.finding);
}

/** A job's id goes into a URL, which is signed. */
function expectAskable(vendor: Vendor, service: Service, job: string, isBatch: boolean): void {
  expect(job.length).toBeLessThanOrEqual(1024);
  const call = service.poll?.(job, isBatch);
  if (call === undefined) return;
  expect(call.path).toMatch(/^\/[\w/.~%*!'()-]+$/);
  const credentials = emulators.find((one) => one.vendor === vendor.name)?.credentials ?? {};
  const signed = vendor.sign(call, { endpoint: 'https://vendor.example', credentials }, 1_763_600_000_000);
  expect(new URL(signed.url).origin).toBe('https://vendor.example');
}

const statuses = fc.oneof({ weight: 3, arbitrary: fc.constant(200) }, fc.integer({ min: 100, max: 999 }));

describe.each(cases)('$name', ({ vendor, service }) => {
  const replies = loadExchanges(service.name).map(({ reply }) => reply.json ?? reply.body ?? null);
  const texts = replies.map((json) => (typeof json === 'string' ? json : JSON.stringify(json)));

  it(
    'reads any reply: broken, of any values, of any text',
    () => {
      const body = fc.oneof(
        broken(texts).map((bytes) => bytes.toString()),
        fc
          .tuple(fc.constantFrom(...replies), fc.nat(), nastyValue)
          .map(([json, place, value]) => JSON.stringify(replaceAt(json, place, value)) ?? ''),
        nastyValue.map((value) => JSON.stringify(value)),
        nastyText,
      );
      fc.assert(
        fc.property(statuses, body, (status, text) =>
          readEverywhere(vendor, service, { status, body: text }),
        ),
        tries(250),
      );
    },
    fuzzTimeoutMs,
  );

  it('reads JSON without bottom, wherever it stands in a reply', () => {
    for (const deep of deepTexts) {
      expect(readEverywhere(vendor, service, { status: 200, body: deep })).toBe(true);
      for (const json of replies.slice(0, 2)) {
        for (const place of [1, 4]) {
          const body = JSON.stringify(replaceAt(json, place, '@deep')).replace('"@deep"', deep);
          readEverywhere(vendor, service, { status: 200, body });
        }
      }
    }
  });

  it('reads each list of its replies grown to thousands, in time that grows no faster', () => {
    const spend = (times: number): number => {
      const grown = replies.flatMap((json) => growLists(json, times));
      const began = performance.now();
      for (const body of grown) readEverywhere(vendor, service, { status: 200, body });
      return performance.now() - began;
    };
    spend(300);
    // Ten times as much may take ten times as long, and three times that where the machine is busy.
    expect(spend(3000)).toBeLessThan(30 * spend(300) + 1000);
  });

  it('takes ids, labels and words that mean something to others for mere text', () => {
    for (const text of nastyTexts) {
      for (const json of replies) {
        for (let place = 1; place < 12; place += 1) {
          const body = JSON.stringify(replaceAt(json, place, text)) ?? '';
          expect(readEverywhere(vendor, service, { status: 200, body })).toBe(true);
        }
      }
    }
  });
});

it('a video of more frames than a call can have arguments is read', () => {
  const censor = cases.find(({ name }) => name === 'qiniu/video-censor');
  if (!censor) throw new Error('the catalogue lacks qiniu/video-censor');
  const cuts = Array.from({ length: 300_000 }, (_, offset) => ({ offset }));
  const asked = { labels: [], segments: [{ cuts }] };
  const ops = { politician: asked, pulp: asked, terror: asked };
  const body = JSON.stringify({ id: 'j', status: 'FINISHED', result: ops });
  expect(readEverywhere(censor.vendor, censor.service, { status: 200, body })).toBe(true);
});

/** For each list in the data, the data with its first element that many times. */
function growLists(json: unknown, times: number): readonly string[] {
  const grown: string[] = [];
  const walk = (one: unknown, rebuild: (inner: unknown) => unknown): void => {
    if (Array.isArray(one) && one.length > 0) {
      grown.push(JSON.stringify(rebuild(Array.from({ length: times }, () => one[0] as unknown))));
      one.slice(0, 1).forEach((inner) => walk(inner, (other) => rebuild([other, ...one.slice(1)])));
    } else if (typeof one === 'object' && one !== null) {
      for (const [key, inner] of Object.entries(one)) {
        walk(inner, (other) => rebuild({ ...one, [key]: other }));
      }
    }
  };
  walk(json, (one) => one);
  return grown;
}
