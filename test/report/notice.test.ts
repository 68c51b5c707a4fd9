/** What people are told, and how each receiver is spoken to. */
import { describe, expect, test } from 'vitest';
import type { Language, NotifySettings } from '../../src/domain/settings.ts';
import type { Summary } from '../../src/domain/summary.ts';
import { makeTell } from '../../src/report/html/language/say.ts';
import { makeCapWatch, readCaps } from '../../src/report/notice/cap-watch.ts';
import { makeNoticeCall, readNoticeReply } from '../../src/report/notice/form.ts';
import {
  makeCapNotice,
  makeEndNotice,
  makeTroubleNotice,
  type Notice,
} from '../../src/report/notice/notice.ts';
import { makeSummary } from '../cli/desk.ts';

/** Of one second, so that both clocks of the bots' rules can be seen. */
const nowMs = Date.parse('2025-11-20T02:00:00Z');
const secret = 'SECa1b2c3 密钥';

const change = {
  previous: '20261119T020000Z-audit',
  previousStartedAt: '2026-11-19T02:00:00.000Z',
  new: 1204,
  changed: 88,
  gone: 310,
  verdictChanged: 7,
  verdicts: [],
  newlyFlagged: 6,
  cleared: 1,
  scoreMoved: 41,
  movedBy: 0.1,
  charge: { before: '1', after: '2', currency: 'CNY', complete: true },
} as const;

function tell(given: Parameters<typeof makeSummary>[0], language: Language = 'en'): Notice {
  return makeEndNotice(makeSummary(given), '/srv/reports/audit/r', makeTell(language));
}

describe('the end of a run', () => {
  const flagged = { review: 5 };
  const cases: readonly (readonly [string, Parameters<typeof makeSummary>[0], readonly string[]])[] = [
    ['in order', {}, ['finished']],
    ['with failures', { exitCode: 1 }, ['failure', 'finished']],
    ['at a cap', { exitCode: 4 }, ['failure', 'finished']],
    ['with flagged items', { verdicts: flagged }, ['flagged', 'finished']],
    ['that --fail-on made no failure', { verdicts: flagged, exitCode: 5 }, ['flagged', 'finished']],
    [
      'with nothing flagged that the run before did not have',
      { verdicts: flagged, change: { ...change, newlyFlagged: 0 } },
      ['finished'],
    ],
  ];
  test.each(cases)('%s is told to whom it concerns', (_, given, events) => {
    expect(tell(given).events).toEqual(events);
  });

  test('is told in a few lines, the answer first', () => {
    const { title, lines, document } = tell({
      why: 'finished with 14 failures',
      exitCode: 1,
      counts: { failed: 14, reused: 3 },
      verdicts: { block: 12, review: 431 },
      complete: false,
      caps: [
        { cap: 'caps.run', spent: '5098.12', reserved: '0', limit: '6000' },
        { cap: 'caps.units.pai/basic', sku: 'pai/basic', spent: 100, reserved: 0, limit: 2000 },
      ],
      change,
    });
    expect(title).toBe('mediasweep audit: finished with 14 failures');
    expect(lines).toEqual([
      '20261120T020000Z-audit, 9 h 04 min (exit 1)',
      'block 12, review 431, incomplete 0, pass 100',
      '100 items: 100 answered, 3 reused, 14 failed, 0 held',
      'charged at least 0.4600 CNY (incomplete)',
      'caps.run: 5,098.12 CNY of 6,000.00 CNY',
      'caps.units.pai/basic: 100 pai/basic of 2,000 pai/basic',
      'since 20261119T020000Z-audit: 6 newly flagged, 1 cleared, 1,204 new, 88 changed, 310 gone',
      'report: /srv/reports/audit/r',
    ]);
    expect(document).toMatchObject({
      events: ['failure', 'flagged', 'finished'],
      run: '20261120T020000Z-audit',
      summary: { charge: '0.46' },
      report: '/srv/reports/audit/r',
    });
  });

  test('shows no link’s signature, whoever wrote it', () => {
    const why = 'halted: https://s3.example/a.jpg?X-Amz-Signature=abc could not be read';
    expect(tell({ why, exitCode: 3 }).title).toContain('halted: https://s3.example/a.jpg could');
    const { lines } = makeTroubleNotice('audit', why, 3, makeTell('en'));
    expect(lines).toEqual(['halted: https://s3.example/a.jpg could not be read', 'exit 3']);
  });
});

describe('in Chinese', () => {
  const counts = { failed: 14, reused: 3, overCap: 2 };

  test('the end of a run is told in the same lines', () => {
    const { title, lines, document } = tell(
      {
        why: 'finished with 14 failures',
        exitCode: 1,
        counts,
        verdicts: { block: 12, review: 431 },
        complete: false,
        caps: [{ cap: 'caps.run', spent: '5098.12', reserved: '0', limit: '6000' }],
        change,
      },
      'zh',
    );
    expect(title).toBe('mediasweep audit：已完成，其中 14 个任务失败，0 个搁置');
    expect(lines).toEqual([
      '20261120T020000Z-audit，用时 9 小时 04 分（退出码 1）',
      '屏蔽 12，复审 431，未完成 0，通过 100',
      '100 个条目：已应答 100，复用 3，失败 14，搁置 0，超出上限 2',
      '费用至少 0.4600 CNY（不完整）',
      'caps.run：已用 5,098.12 CNY，上限 6,000.00 CNY',
      '对比 20261119T020000Z-audit：新命中 6，解除 1，新增 1,204，改动 88，消失 310',
      '报告：/srv/reports/audit/r',
    ]);
    expect(document['text']).toBe([title, ...lines].join('\n'));
  });

  test.each([
    [0, '已完成'],
    [3, '已中止，供应商或依赖不可用；再次运行即可继续'],
    [4, '已停止，到达上限或截止时间；再次运行即可继续，2 个任务超出上限'],
    [5, '已完成，命中 5 个条目'],
    [143, '被中断，再次运行即可继续'],
  ] as const)('exit %i is said in words', (exitCode, words) => {
    const { title } = tell({ exitCode, counts, verdicts: { review: 5 } }, 'zh');
    expect(title).toBe(`mediasweep audit：${words}`);
  });

  test('a canary’s stop does not say that it goes on by itself', () => {
    const canary = { state: 'stopped', items: 200 } as const;
    expect(tell({ exitCode: 4, canary }, 'zh').title).toContain('：已停止，金丝雀未通过');
  });

  test('what a vendor said is quoted as it is, without a link’s signature', () => {
    const why = 'halted: pai-prod answered 401 for https://s3.example/a.jpg?X-Amz-Signature=abc';
    expect(tell({ why, exitCode: 3 }, 'zh').lines[1]).toBe(
      'halted: pai-prod answered 401 for https://s3.example/a.jpg',
    );
  });

  test('trouble and caps are told', () => {
    const words = makeTell('zh');
    expect(makeTroubleNotice('audit', 'no disk', 3, words)).toMatchObject({
      title: 'mediasweep audit：没有运行到结束',
      lines: ['no disk', '退出码 3'],
    });
    const cap = { name: 'caps.run', spent: 800n, reserved: 5n, limit: 1000n, sku: 'pai/basic' };
    expect(makeCapNotice({ pipeline: 'audit', run: 'r', currency: 'CNY' }, cap, words)).toMatchObject({
      title: 'mediasweep audit：caps.run 已用 80 %',
      lines: [
        'r',
        '已用 800 pai/basic，预留 5 pai/basic，上限 1,000 pai/basic',
        expect.stringContaining('继续'),
      ],
    });
  });
});

describe('a cap', () => {
  const stand = (spent: bigint, name = 'caps.run') => ({ name, spent, reserved: 5n, limit: 1000n });

  test('is told of once, when it passes 80 per cent', () => {
    const { look } = makeCapWatch();
    const told = [799n, 799n, 800n, 900n, 1000n].map((spent) => look([stand(spent)]).length);
    expect(told).toEqual([0, 0, 1, 0, 0]);
  });

  test('that was beyond it at the first look is not told of, and others are', () => {
    const { look } = makeCapWatch();
    expect(look([stand(900n, 'caps.month'), stand(0n)])).toEqual([]);
    expect(look([stand(950n, 'caps.month'), stand(850n)]).map(({ name }) => name)).toEqual(['caps.run']);
  });

  test('is told with what is spent, reserved and left', () => {
    const run = { spent: '4800', reserved: '200.5', limit: '6000', cap: 'caps.run' };
    const units = {
      spent: 80_000,
      reserved: 20,
      limit: 100_000,
      sku: 'qiniu/pulp-image',
      cap: 'caps.units.q',
    };
    const [money, count] = readCaps({ caps: [run, units] }).map((cap) =>
      makeCapNotice({ pipeline: 'audit', run: 'r', currency: 'CNY' }, cap, makeTell('en')),
    );
    expect(money).toMatchObject({
      events: ['cap80'],
      title: 'mediasweep audit: caps.run is used to 80 %',
      lines: ['r', 'spent 4,800.00 CNY, reserved 200.50 CNY, of 6,000.00 CNY', expect.any(String)],
      document: { run: 'r', cap: { name: 'caps.run', spent: '4800', limit: '6000', currency: 'CNY' } },
    });
    expect(count?.lines[1]).toBe(
      'spent 80,000 qiniu/pulp-image, reserved 20 qiniu/pulp-image, of 100,000 qiniu/pulp-image',
    );
  });
});

const notice: Notice = { events: ['finished'], title: 'mediasweep a: b', lines: ['c'], document: { a: 1 } };

function call(settings: Partial<NotifySettings>) {
  const webhook = 'https://bot.example/send?access_token=t';
  const made = makeNoticeCall({ webhook, format: 'json', on: ['finished'], ...settings }, notice, nowMs);
  return { ...made, body: JSON.parse(made.body ?? '') as unknown };
}

// Signatures were computed with Python's hmac, by the rules of the bots' manuals.
describe('a message', () => {
  test('for DingTalk bears timestamp and signature in the query', () => {
    expect(call({ format: 'dingtalk', secret })).toMatchObject({
      method: 'POST',
      url: 'https://bot.example/send?access_token=t&timestamp=1763604000000&sign=XdEPFmOlDnl2fDlYYhOhqX%2BXgkpVu0CJEIQUKwtRWWI%3D',
      body: { msgtype: 'text', text: { content: 'mediasweep a: b\nc' } },
    });
    expect(call({ format: 'dingtalk' }).url).toBe('https://bot.example/send?access_token=t');
  });

  test('for Feishu bears them in the body, in seconds, and signs nothing but the key', () => {
    expect(call({ format: 'feishu', secret })).toMatchObject({
      url: 'https://bot.example/send?access_token=t',
      body: {
        timestamp: '1763604000',
        sign: 'xWncF91lz6W1m9Xb8mYuQ7XYfwsbSyA2koEu11yyp2U=',
        msg_type: 'text',
        content: { text: 'mediasweep a: b\nc' },
      },
    });
    expect(call({ format: 'feishu' }).body).toEqual({
      msg_type: 'text',
      content: { text: 'mediasweep a: b\nc' },
    });
  });

  test('for anybody else is the document, signed in the headers where there is a secret', () => {
    expect(call({ secret })).toMatchObject({
      body: { a: 1 },
      headers: {
        'x-mediasweep-timestamp': '1763604000000',
        'x-mediasweep-signature': 'sha256=762b1a9d8931203a479514f1468dc93dabbe1033139eb311216f0ec1c4a03a3c',
      },
    });
    expect(Object.keys(call({}).headers)).toEqual(['content-type']);
  });

  test('is cut to what bots take', () => {
    const long = { ...notice, lines: Array.from({ length: 1000 }, () => 'a long line') };
    const settings = { webhook: 'https://b.example', format: 'feishu', on: ['finished'] } as const;
    expect(makeNoticeCall(settings, long, nowMs).body?.length).toBeLessThan(5000);
  });
});

describe('an answer', () => {
  const reply = (body: unknown, status = 200) => ({ status, headers: {}, body: JSON.stringify(body) });
  test.each([
    ['json', reply('anything', 204), undefined],
    ['json', reply({}, 404), { words: 'status 404', isPassing: false }],
    ['json', reply({}, 503), { words: 'status 503', isPassing: true }],
    ['json', reply({}, 302), { words: 'status 302', isPassing: false }],
    ['dingtalk', reply({ errcode: 0, errmsg: 'ok' }), undefined],
    [
      'dingtalk',
      reply({ errcode: 310_000, errmsg: 'sign not match' }),
      { words: 'sign not match (310000)', isPassing: false },
    ],
    [
      'dingtalk',
      reply({ errcode: -1, errmsg: 'system busy' }),
      { words: 'system busy (-1)', isPassing: true },
    ],
    ['feishu', reply({ code: 0, msg: 'success' }), undefined],
    ['feishu', reply({ StatusCode: 0, StatusMessage: 'success' }), undefined],
    [
      'feishu',
      reply({ code: 19_021, msg: 'sign match fail or timestamp is not within one hour from current time' }),
      {
        words: 'sign match fail or timestamp is not within one hour from current time (19021)',
        isPassing: false,
      },
    ],
    [
      'feishu',
      { status: 200, headers: {}, body: '<html>' },
      { words: 'an answer that is not JSON (no code)', isPassing: false },
    ],
    ['feishu', reply([]), { words: 'no words (no code)', isPassing: false }],
  ] as const)('of %s, %j, is understood', (format, given, expected) => {
    expect(readNoticeReply(format, given)).toEqual(expected);
  });
});

test('the summary of a run without an end is told as such', () => {
  const summary: Summary = { ...makeSummary(), exitCode: null, endedAt: null, why: null };
  const titleIn = (language: Language) => makeEndNotice(summary, '/r', makeTell(language)).title;
  expect(titleIn('en')).toBe('mediasweep audit: has not ended');
  expect(titleIn('zh')).toBe('mediasweep audit：尚未结束');
});
