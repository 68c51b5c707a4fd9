/** The texts of the page: every language has them all, and none is written anywhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decideWhen } from '../../../src/domain/cascade.ts';
import { emptyFinding } from '../../../src/domain/finding.ts';
import { findMisfit } from '../../../src/domain/fit.ts';
import type { MediaFacts } from '../../../src/domain/item.ts';
import type { UsageQuestion } from '../../../src/domain/service.ts';
import { sayKnown } from '../../../src/report/html/language/known.ts';
import { videoCensor } from '../../../src/vendors/qiniu/video-censor.ts';
import type { MessageKey } from '../../../src/report/html/language/catalogue.ts';
import { catalogues, makeSay } from '../../../src/report/html/language/say.ts';
import { html } from '../../../src/report/html/markup.ts';
import { languages } from '../../../src/domain/settings.ts';

const keys = Object.keys(catalogues.en) as MessageKey[];
const folder = join(import.meta.dirname, '..', '..', '..', 'src', 'report');

function listPlaces(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort();
}

describe.each(languages)('the catalogue of %s', (language) => {
  const catalogue = catalogues[language];

  test('has every message of the others, in their order', () => {
    expect(Object.keys(catalogue)).toEqual(keys);
    expect(Object.entries(catalogue).filter(([, text]) => text.trim() === '')).toEqual([]);
  });

  test('fills the same places as English, in each of its forms', () => {
    const forms = keys.flatMap((key) => catalogue[key].split(' || ').map((form) => ({ key, form })));
    const other = forms.filter(
      ({ key, form }) => String(listPlaces(form)) !== String(listPlaces(catalogues.en[key])),
    );
    expect(other).toEqual([]);
  });
});

test('no message is Chinese in English, or English in Chinese but for names', () => {
  const han = /\p{Script=Han}/u;
  expect(keys.filter((key) => han.test(catalogues.en[key]))).toEqual([]);
  const names = new Set(['page.lang', 'bill.everyUnit', 'bill.per', 'notice.title']);
  expect(
    keys.filter(
      (key) =>
        !han.test(catalogues.zh[key]) &&
        !names.has(key) &&
        /[a-z]/i.test(catalogues.zh[key].replaceAll(/\{\w+\}/g, '')),
    ),
  ).toEqual([]);
});

test('every message is spoken somewhere', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/language.(?:en|zh)\.ts$/.test(name),
  );
  const source = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  // Those of a family are spoken by the value that completes their key.
  const families = [...source.matchAll(/(?:[`'])(\w+)\.(?:\$\{|' \+)/g)].map((match) => match[1]);
  const unspoken = keys.filter(
    (key) => !source.includes(`'${key}'`) && !families.includes(key.split('.')[0]),
  );
  expect(unspoken).toEqual([]);
});

describe('words that a run left in the ledger', () => {
  const zh = makeSay('zh');
  const han = /\p{Script=Han}/u;

  test('stay as they are in English', () => {
    expect(sayKnown('when: <a> does not apply', makeSay('en')).markup).toBe('when: &lt;a&gt; does not apply');
  });

  test('are Chinese where a vendor assumed something', () => {
    const ask = (mode: 0 | 1, media: MediaFacts) =>
      videoCensor.usage({
        item: { id: 'a', position: new Uint8Array(), kind: 'video' },
        media,
        assume: {},
        use: { options: { ops: [{ op: 'pulp' }], vframe: { mode } } },
      } as unknown as UsageQuestion).assumptions ?? [];
    const texts = [...ask(0, {}), ...ask(1, {}), ...ask(1, { keyFrames: 3, hasSparseIndex: true })];
    expect(new Set(texts).size).toBe(3);
    for (const text of texts) expect(sayKnown(text, zh).markup).toMatch(han);
  });

  test('are Chinese where a cascade skipped a task, or the media did not fit', () => {
    const when = { service: 'cheap', metric: 'score', is: { comparator: '<', value: 60 } } as const;
    const states = [undefined, { state: 'failed' }, { state: 'answered', finding: emptyFinding }] as const;
    const reasons = states
      .map((other) => decideWhen(when, other))
      .map((step) => (step.next === 'skip' ? step.reason : ''));
    expect(reasons.map((reason) => sayKnown(reason, zh).markup)).toEqual([
      '级联：cheap 不适用',
      '级联：cheap 没有应答（failed）',
      '级联：cheap score &lt; 60 不成立',
    ]);
    const item = { id: 'a', position: new Uint8Array(), kind: 'image', sizeBytes: 0 } as const;
    expect(sayKnown(findMisfit({ source: '' }, item) ?? '', zh).markup).toMatch(han);
  });

  test('of any other kind are marked as English', () => {
    expect(sayKnown('cannot <open>', zh).markup).toBe('<span lang="en">cannot &lt;open&gt;</span>');
  });
});

describe('saying', () => {
  const say = makeSay('en');

  test('fills places with separated numbers, escaped text and markup as it is', () => {
    expect(say('state.failures', { failed: 1234, held: '<b>' }).markup).toBe(
      'with 1,234 failed and &lt;b&gt; held tasks',
    );
    expect(say('change.since', { run: html`<i>x</i>` }).markup).toBe('since <i>x</i>');
  });

  test('tells one from many', () => {
    expect(say('list.segments', { count: 1 }).markup).toBe('1 segment');
    expect(say('list.segments', { count: 2000 }).markup).toBe('2,000 segments');
    expect(makeSay('zh')('list.segments', { count: 1 }).markup).toBe('1 个片段');
  });

  test.each([
    [32_640_000, '9 h 04 min', '9 小时 04 分'],
    [125_000, '2 min 05 s', '2 分 05 秒'],
    [850, '850 ms', '850 毫秒'],
  ])('%i ms is said in the words of the language', (ms, english, chinese) => {
    expect(say.duration(ms).markup).toBe(english);
    expect(makeSay('zh').duration(ms).markup).toBe(chinese);
  });
});
