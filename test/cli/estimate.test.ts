import { describe, expect, test } from 'vitest';
import type { EstimateFlags, EstimateResult } from '../../src/cli/spine.ts';
import type { Estimate, EstimatedSku } from '../../src/domain/estimate.ts';
import { makeTerminal, speak } from './desk.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function makeSku(given: Partial<EstimatedSku> = {}): EstimatedSku {
  return {
    account: 'qiniu-prod',
    sku: 'qiniu/politician-image',
    unit: 'image or frame',
    units: 3_402_118,
    unitsByBasis: { observed: 0, estimated: 3_400_000, sampled: 0, assumed: 2118 },
    basis: 'assumed',
    monthSoFar: 1_250_000,
    walk: [
      {
        from: 'tier',
        units: 1_750_000,
        charge: 2_712_500_000_000n,
        price: 155_000_000n,
        per: 100,
        upTo: 3_000_000,
      },
      { from: 'tier', units: 1_652_118, charge: 2_395_571_100_000n, price: 145_000_000n, per: 100 },
    ],
    unpriced: 0,
    charge: 5_108_071_100_000n,
    isComplete: true,
    ...given,
  };
}

function makeEstimate(given: Partial<Estimate> = {}): Estimate {
  return {
    pipeline: 'audit',
    at: '2026-11-20T02:00:00.000Z',
    month: '2026-11',
    items: 118_204,
    kinds: { video: 96_310, image: 21_894 },
    unselected: 0,
    broken: 0,
    brokenRows: [],
    services: 2,
    notApplicable: 118_204,
    tasks: { calls: 114_055, reused: 4112, joined: 0, waiting: 0, failed: 0, held: 0, skipped: 37 },
    unsent: [
      {
        service: 'pai/image-quality',
        state: 'skipped',
        reason: 'no-link',
        tasks: 37,
        example: '照片/\u001b[2J.jpg',
      },
    ],
    misfits: [{ service: 'pai/video-quality', reason: 'fit: at most 100 MB', tasks: 2, example: 'a.mp4' }],
    skus: [makeSku()],
    total: { charge: 5_108_071_100_000n, currency: 'CNY', isComplete: true },
    assumptions: [
      {
        text: 'videos of unknown duration last 600 s',
        tasks: 212,
        examples: [{ item: 'media/a.avi', why: 'not a video that can be read' }],
      },
    ],
    fetched: [{ storage: 'main', bytes: 2_100_000_000_000, unsized: 0, charge: 977_888_000_000n }],
    duration: {
      seconds: 33_600,
      accounts: [
        {
          account: 'qiniu-prod',
          calls: 96_310,
          requests: 96_310,
          polls: 306_890,
          seconds: 33_600,
          bound: { limit: 'perSecond', value: 12 },
        },
        {
          account: 'pai-prod',
          calls: 17_745,
          requests: 17_745,
          polls: 0,
          seconds: 890,
          bound: { limit: 'perSecond', value: 20, service: 'pai/image-quality' },
        },
      ],
      assumptions: ['a job of qiniu/video-censor takes 1 min 00 s (assumed)'],
    },
    caps: [
      {
        name: 'caps.run',
        scope: 'run',
        isLoopback: false,
        limit: 500_000_000_000n,
        spent: 0n,
        reserved: 0n,
        expected: 5_108_071_100_000n,
        isHit: true,
      },
    ],
    digest: { items: 118_204, sum: '00', least: [] },
    ...given,
  };
}

const tell = (given: Partial<Estimate> = {}) => ({
  estimate: async (): Promise<EstimateResult> => ({ estimate: makeEstimate(given) }),
});

describe('estimate', () => {
  test('prints work, walk, total, fetches, time, caps and assumptions, and exits 0', async () => {
    const { exitCode, out, err } = await speak('estimate audit.yaml', tell());
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toBe(
      [
        'audit: 118,204 items selected (96,310 videos, 21,894 images)',
        '  118,204 items x 2 services = 118,204 not applicable + 114,055 to be asked + 4,112 answered before + 37 skipped',
        '  skipped 37 of pai/image-quality: no-link (such as 照片/\\x1b[2J.jpg)',
        '  outside the limits: at most 100 MB, 2 tasks of pai/video-quality asked all the same (such as a.mp4); select.fit: skip leaves them out',
        '',
        '  SKU                         units  basis                               month so far        charge',
        '  qiniu/politician-image  3,402,118  3,400,000 estimated, 2,118 assumed     1,250,000  5,108.07 CNY',
        '      1,750,000 at 0.155/100, 1,652,118 at 0.145/100',
        `  ${'-'.repeat(97)}`,
        '  5,108.07 CNY',
        '  vendors fetch 1.9 TiB from main (977.89 CNY of egress, on another bill)',
        '  takes about 9 h 20 min: 96,310 calls and 306,890 reads of jobs at the 12 requests/s of qiniu-prod; beside it pai-prod 14 min 50 s',
        '  a job of qiniu/video-censor takes 1 min 00 s (assumed)',
        '  caps.run will be hit: 5,108.07 CNY of 500.00 CNY left, so that the run stops after about 9.7 % (exit 4)',
        '  assumed for 212 tasks: videos of unknown duration last 600 s (such as media/a.avi: not a video that can be read)',
        '',
      ].join('\n'),
    );
  });

  test('says "at least" and what is missing where a SKU has no price', async () => {
    const unpriced = makeSku({
      sku: 'qiniu/pulp-image',
      walk: [],
      unpriced: 3_402_118,
      charge: 0n,
      isComplete: false,
    });
    const total = { charge: 5_108_071_100_000n, currency: 'CNY', isComplete: false };
    const { exitCode, out } = await speak('estimate a.yaml', tell({ skus: [makeSku(), unpriced], total }));
    expect(exitCode).toBe(0);
    expect(out).toContain(
      'at least 5,108.07 CNY (incomplete: set a price for qiniu/pulp-image in config/prices/)',
    );
    expect(out).toMatch(/qiniu\/pulp-image .* price unknown/);
    const told = JSON.parse(
      (await speak('estimate a.yaml --json', tell({ skus: [makeSku(), unpriced], total }))).out,
    );
    expect(told.skus[1]).toMatchObject({ charge: null, complete: false });
    expect(told.total).toEqual({ charge: '5108.0711', currency: 'CNY', complete: false });
    const nothing = { charge: 0n, currency: 'CNY', isComplete: false };
    const none = JSON.parse(
      (await speak('estimate a.yaml --json', tell({ skus: [unpriced], total: nothing }))).out,
    );
    expect(none.total).toEqual({ charge: null, currency: 'CNY', complete: false });
  });

  test('says what packs bear of a charge, and what a billing increment makes of the units', async () => {
    const walk: EstimatedSku['walk'] = [
      { from: 'free', units: 200, charge: 0n },
      {
        from: 'pack',
        units: 1200,
        charge: 4_680_000_000n,
        expires: '2027-06-30',
        packUnits: 5_000_000,
      },
      { from: 'tier', units: 130, charge: 920_000_000n, price: 4_600_000n, per: 1, upTo: 5_000_000 },
    ];
    const sku = makeSku({ walk, units: 1530, increment: 100, billed: 200, charge: 5_600_000_000n });
    const total = { charge: 5_600_000_000n, currency: 'CNY', isComplete: true };
    const { out } = await speak('estimate a.yaml', tell({ skus: [sku], total }));
    expect(out).toContain(
      '      200 free, 1,200 of the pack of 5,000,000 until 2027-06-30 (4.68 CNY of its cost), 130 at 0.0046, 130 charged as 200 (increment 100)\n',
    );
    expect(out).toContain('  5.60 CNY\n  4.68 CNY of it was paid when the packs were bought\n');
  });

  test.each([
    [{ storage: '', bytes: 0, unsized: 3 }, 'vendors fetch 3 files of unknown size from links of rows'],
    [
      { storage: '', bytes: 3_000_000, unsized: 1 },
      'vendors fetch 2.9 MiB from links of rows, and 1 file of unknown size',
    ],
    [
      { storage: '', bytes: 3_000_000, unsized: 0, scaledBytes: 2_000_000 },
      'vendors fetch about 2.9 MiB from links of rows',
    ],
  ])('of %o says "%s"', async (fetched, words) => {
    const { out } = await speak('estimate a.yaml', tell({ fetched: [fetched] }));
    expect(out).toContain(`  ${words}\n`);
  });

  test('names the first rows that cannot be used, and what several files have in common once', async () => {
    const brokenRows = [2, 7].map((line) => ({ line, message: 'no url, no key. Correct the row.' }));
    const why = 'refused to fetch: "nas" is not a public address';
    const assumptions = [
      {
        text: 'videos of unknown duration last 600 s',
        tasks: 3,
        examples: [{ item: 'a', why }, { item: 'b', why }, { item: 'c' }],
      },
    ];
    const { out } = await speak('estimate a.yaml', tell({ broken: 9, brokenRows, assumptions }));
    expect(out).toContain(
      [
        '  9 rows of the manifest could not be read:',
        '    line 2: no url, no key. Correct the row.',
        '    line 7: no url, no key. Correct the row.',
        '    and 7 more',
        '',
      ].join('\n'),
    );
    expect(out).toContain(`(such as a, b: ${why}; c)`);
    const { out: json } = await speak('estimate a.yaml --json', tell({ broken: 9, brokenRows }));
    expect(JSON.parse(json).brokenRows).toEqual(brokenRows);
  });

  test('of a sample too small to scale up says that the rest is assumed', async () => {
    const { out } = await speak(
      'estimate a.yaml --sample 1%',
      tell({ sample: { share: 0.01, read: 0, unreadable: 0, of: 7 } }),
    );
    expect(out).toContain(
      'sampled: 0 of 7 headers read (1 %); too few to scale up, so that the rest stands as assumed; take a larger sample',
    );
    const { out: all } = await speak(
      'estimate a.yaml --sample 1%',
      tell({ sample: { share: 0.01, read: 7, unreadable: 0, of: 7 } }),
    );
    expect(all).toContain('nothing had to be scaled up');
  });

  test('of a sample says how many headers could be read, and that bounds cover no others', async () => {
    const spread = { low: 5_000_000_000_000n, high: 5_200_000_000_000n };
    const total = { charge: 5_108_071_100_000n, currency: 'CNY', isComplete: true, spread };
    const none = { share: 0.3, read: 0, unreadable: 11, of: 33 };
    const { out } = await speak('estimate a.yaml --sample 30%', tell({ total, sample: none }));
    expect(out).toContain(
      'sampled: 11 of 33 headers tried (30 %), 0 could be read; the total rests on assumptions alone, and no bounds can be told; see why below\n',
    );
    expect(out).not.toContain('in 95 cases');
    const some = { share: 0.3, read: 200, unreadable: 11, of: 703 };
    const { out: told } = await speak('estimate a.yaml --sample 30%', tell({ total, sample: some }));
    expect(told).toContain(
      'sampled: 211 of 703 headers tried (30 %), 200 could be read; in 95 cases of 100 the total lies between 5,000.00 CNY and 5,200.00 CNY, as far as headers could be read; assumptions stand in for the others\n',
    );
    const { out: json } = await speak('estimate a.yaml --sample 30% --json', tell({ total, sample: none }));
    expect(JSON.parse(json).sample).toEqual({ ...none, confidence: 0.95 });
  });

  test('of a sample says about, between which bounds, and never a bare figure', async () => {
    const spread = {
      low: { units: 3_300_000, charge: 5_000_000_000_000n },
      high: { units: 3_500_000, charge: 5_200_000_000_000n },
    };
    const { out } = await speak(
      'estimate a.yaml --sample 1%',
      tell({
        skus: [makeSku({ spread, basis: 'sampled' })],
        total: {
          charge: 5_108_071_100_000n,
          currency: 'CNY',
          isComplete: true,
          spread: { low: 5_000_000_000_000n, high: 5_200_000_000_000n },
        },
        sample: { share: 0.01, read: 963, unreadable: 0, of: 96_310 },
      }),
    );
    expect(out).toContain('about 3,402,118');
    expect(out).toContain('  about 5,108.07 CNY\n');
    expect(out).toContain(
      'sampled: 963 of 96,310 headers read (1 %); in 95 cases of 100 the total lies between 5,000.00 CNY and 5,200.00 CNY',
    );
  });

  test('with --json prints one document of the contract, money as decimal strings', async () => {
    const { out } = await speak('estimate a.yaml --json', tell());
    const document = JSON.parse(out);
    expect(document).toMatchObject({
      items: 118_204,
      tasks: 118_204,
      skipped: 37,
      skus: [
        {
          sku: 'qiniu/politician-image',
          units: 3_402_118,
          basis: 'assumed',
          charge: '5108.0711',
          currency: 'CNY',
          complete: true,
        },
      ],
      total: { charge: '5108.0711', currency: 'CNY', complete: true },
      assumptions: [{ text: 'videos of unknown duration last 600 s', tasks: 212 }],
      durationSeconds: 33_600,
      caps: [{ cap: 'caps.run', limit: '500', spent: '0', expected: '5108.0711', hit: true }],
    });
  });

  test.each([
    ['estimate a.yaml', {}],
    ['estimate a.yaml --limit 100', { limit: 100 }],
    ['estimate a.yaml --sample 1%', { sample: 0.01 }],
    ['estimate --sample 0.5 a.yaml', { sample: 0.5 }],
    ['estimate a.yaml --plan-out p.json', { planOut: 'p.json' }],
  ])('"%s" asks for what it says', async (line, flags) => {
    let asked: EstimateFlags | undefined;
    await speak(line, {
      estimate: async (given) => {
        asked = given;
        return { estimate: makeEstimate() };
      },
    });
    expect(asked).toEqual({ path: 'a.yaml', ...flags });
  });

  test('with --plan-out says where the plan is, its hash and how to run it', async () => {
    const plan = { path: '/srv/plan.json', sha256: '9c1f00112233'.padEnd(64, '4') };
    const spine = { estimate: async () => ({ estimate: makeEstimate(), plan }) };
    const { out } = await speak('estimate a.yaml --plan-out plan.json', spine);
    expect(out).toContain(
      'plan saved to /srv/plan.json (sha256 9c1f00112233...). Run it with: mediasweep run pipelines/audit.yaml --plan /srv/plan.json\n',
    );
    const { out: json } = await speak('estimate a.yaml --plan-out plan.json --json', spine);
    expect(JSON.parse(json).plan).toEqual(plan);
  });

  test.each(['0', '0%', '101%', '1.5', 'some', '-1%'])('refuses a sample of %s', async (share) => {
    const { exitCode, err } = await speak(['estimate', 'a.yaml', `--sample=${share}`]);
    expect(exitCode).toBe(2);
    expect(err).toContain('expected a share above 0 and up to 1, such as 1% or 0.01.');
  });

  test('shows on a terminal how far it has come, and takes that away before the result', async () => {
    const terminal = makeTerminal({ isTerminal: true });
    const clock = new VirtualClock();
    const counters = { listed: 0, probed: 0 };
    const spine = {
      estimate: async (_: unknown, __: unknown, watch: { follow: (read: () => typeof counters) => void }) => {
        watch.follow(() => counters);
        counters.listed = 12_000;
        counters.probed = 340;
        await clock.sleep(300);
        return { estimate: makeEstimate() };
      },
    };
    await speak('estimate a.yaml', spine, { terminal, clock });
    expect(terminal.written.err).toContain('listing 12,000  headers read 340');
    expect(terminal.pieces.at(-1)).toBe('\r\u001b[K');
  });
});
