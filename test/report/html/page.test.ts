/** `report.html` as text: escaping, the content policy, and what stands on it without a script. */
import { describe, expect, test } from 'vitest';
import { embedJson, escapeHtml, html } from '../../../src/report/html/markup.ts';
import { formatInstant } from '../../../src/report/html/instant.ts';
import { makeContentPolicy } from '../../../src/report/html/head.ts';
import type { ReportRequest } from '../../../src/report/request.ts';
import { writeReports } from '../../../src/report/write-reports.ts';
import { makeItem, makeLedger, makeRequest, makeRun, makeTask, quality, strict } from '../library.ts';
import { makeImageRow } from './rows.ts';

describe('markup', () => {
  test('escapes what is put into a template, and keeps what is markup', () => {
    expect(html`<b title="${'"\'<&>'}">${html`<i>${1}</i>`}${['<', '>']}${undefined}</b>`.markup).toBe(
      '<b title="&quot;&#39;&lt;&amp;&gt;"><i>1</i>&lt;&gt;</b>',
    );
  });

  test('shows what cannot be seen', () => {
    expect(escapeHtml('a\u0000b\n\u202Ec\u007F')).toBe('a\u2400b\u240A&lt;U+202E&gt;c&lt;U+007F&gt;');
  });

  test('in a data block cannot close it', () => {
    const text = embedJson(JSON.stringify({ key: '</script><!--' }));
    expect(text).not.toContain('<');
    expect(JSON.parse(text)).toEqual({ key: '</script><!--' });
  });
});

describe('the content policy', () => {
  const [style, script] = ['body {}', 'void 0'];

  test('allows no source but hashes, and no media without public access', () => {
    expect(makeContentPolicy({ style, script })).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; script-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'$/,
    );
    expect(makeContentPolicy({ style })).not.toContain('script-src');
  });

  test.each([
    ['https://cdn.example:8443/library/?a=1', 'https://cdn.example:8443'],
    ['javascript:alert(1)', undefined],
    [undefined, undefined],
  ])('names the origin alone of public access by %s', async (publicBaseUrl, origin) => {
    const page = await writePageOf(makeRequest([], { publicBaseUrl }));
    const policy =
      /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1]?.replaceAll('&#39;', "'") ?? '';
    const media = origin === undefined ? '' : `img-src ${origin}; media-src ${origin}; `;
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]+'; /);
    expect(policy.replace(/^.*script-src [^;]+; /, '')).toBe(`${media}base-uri 'none'; form-action 'none'`);
  });
});

test('without a script there are no controls that do nothing, and it is said where the items are', async () => {
  const page = await writePageOf(makeRequest([makeImageRow(1, 'a.jpg', 20)]));
  expect(page).toContain(
    '<noscript><p class="note">This list needs JavaScript. The same items are in items.csv',
  );
  for (const id of ['filters', 'found']) expect(page).toMatch(new RegExp(`<\\w+ id="${id}"[^>]* hidden`));
});

test('a run over nothing says where to look, and one that took up troubled items does not', async () => {
  const words = 'look at its bucket and prefix';
  const request = makeRequest([]);
  const run = { ...request.run, counters: { ...request.run.counters, unselected: 0 } };
  expect(await writePageOf({ ...request, run })).toContain(words);
  expect(await writePageOf(request)).toContain('nothing was selected of the 3 that the source held');
  expect(await writePageOf({ ...request, run: { ...run, onlyFailed: 'r' } })).not.toContain(words);
  expect(await writePageOf({ ...request, run: { ...run, listing: 'partial' } })).not.toContain(words);
});

test.each([
  ['2026-11-20T02:00:05Z', 'Asia/Shanghai', '2026-11-20 10:00:05'],
  ['2026-11-20T16:00:00Z', 'Asia/Shanghai', '2026-11-21 00:00:00'],
  ['2026-11-20T02:00:05Z', 'UTC', '2026-11-20 02:00:05'],
  ['no time', 'UTC', 'no time'],
])('%s in %s is %s', (iso, timezone, expected) => {
  expect(formatInstant(iso, timezone)).toBe(expected);
});

async function writePageOf(request: ReturnType<typeof makeRequest>): Promise<string> {
  await writeReports(request);
  return request.folder.files.get('report.html') ?? '';
}

test('a run that its canary stopped does not go on by being run again, and the page says what to do', async () => {
  const canary = { state: 'stopped' as const, items: 10 };
  const run = makeRun([], [quality], { exitCode: 4, why: 'stopped by the canary of 10 items', canary });
  for (const [language, words] of [
    ['en', '--resume sends the rest, --new draws another one'],
    ['zh', '--resume 继续发送，--new 另抽一批金丝雀'],
  ] as const) {
    const reports = { formats: ['html'] as const, timezone: 'UTC', excel: true, language };
    const page = await writePageOf(makeRequest([], { run, reports }));
    expect(page).toContain(words);
    expect(page).not.toMatch(/run again to go on|再次运行即可继续/);
  }
});

test('a page without anything flagged says so, and whether there is a policy', async () => {
  expect(await writePageOf(makeRequest([]))).toContain('No rule of the policy matched.');
  const unjudged = makeRequest([], { policy: { name: 'none', rules: [] } });
  expect(await writePageOf(unjudged)).toContain('The pipeline has no policy');
});

describe('what changed', () => {
  const before = [makeImageRow(1, 'a.jpg', 80), makeImageRow(2, 'b.jpg', 20), makeImageRow(3, 'd.jpg', 80)];
  const after = [makeImageRow(1, 'a.jpg', 30), makeImageRow(2, 'b.jpg', 80), makeImageRow(3, 'c.jpg', 10)];
  const earlier = makeRun(before, [quality], {
    id: '20261119T020000Z-nightly',
    startedAt: '2026-11-19T02:00:00Z',
  });
  const ledger = {
    ...makeLedger(after),
    readNamed: async (_run: string, ids: readonly string[]) =>
      before.filter(({ item }) => ids.includes(item.id)),
  };

  test('since the last run has a section, with the time of that run in the zone of the reports', async () => {
    const previous: ReportRequest['previous'] = { run: earlier, policy: strict };
    const page = await writePageOf(makeRequest(after, { services: [quality], ledger, previous }));
    expect(page).toContain('<section id="change">');
    expect(page).toContain('20261119T020000Z-nightly</span>, 2026-11-19 10:00:00');
    expect(page).toMatch(/<p class="number">2 <small>newly flagged/);
    expect(page).toMatch(
      /<strong>1<\/strong> <span class="chip pass">pass<\/span> → <span class="chip review">/,
    );
    expect(page).toContain('items: new 1, changed 0, gone 1');
  });

  test('is nothing in the first run of a pipeline, and the page says that it is the first', async () => {
    const page = await writePageOf(makeRequest(after, { services: [quality] }));
    expect(page).toContain('First run of this pipeline');
    expect(page).not.toContain('id="change"');
  });
});

test('folders of the library are compared where it first divides, those with most flagged items first', async () => {
  const rows = [
    makeImageRow(1, 'ugc/a/1.jpg', 90),
    makeImageRow(2, 'ugc/b/2.jpg', 10),
    makeImageRow(3, 'ugc/b/3.jpg', 90),
  ];
  const page = await writePageOf(makeRequest(rows));
  const section = page.slice(
    page.indexOf('<section id="places">'),
    page.indexOf('<section id="distributions">'),
  );
  expect([...section.matchAll(/class="key">([^<]*)</g)].map((match) => match[1])).toEqual([
    'media/ugc/b/',
    'media/ugc/a/',
  ]);
});

test('failures come with advice and a command that asks for them again, held tasks with the ways to settle them', async () => {
  const fail = (number: number, status: 'failed' | 'held', name: string) => ({
    item: makeItem(number, `${number}.jpg`),
    tasks: [makeTask(quality, { status, reason: name, error: { class: name, code: '', message: 'words' } })],
  });
  const rows = [fail(1, 'failed', 'media-missing'), fail(2, 'held', 'unknown-fate')];
  const page = await writePageOf(makeRequest(rows));
  expect(page).toContain('The vendor could not find the media');
  expect(page).toContain('mediasweep run pipelines/nightly.yaml --only-failed 20261120T020000Z-nightly');
  expect(page).toContain('mediasweep held resend');
  const strange = makeRun(rows, [quality, { ...quality, name: 'x' }], { pipeline: 'a; rm -rf ~' });
  expect(await writePageOf(makeRequest(rows, { run: strange }))).not.toContain('--only-failed');
});
