/** Faults of the other sections of a pipeline. */
import { expect, test } from 'vitest';
import { type Changes, load, withLines } from './project.ts';

const p = (text: string, more: Changes = {}): Changes => ({ 'pipelines/p.yaml': text, ...more });

const cases: readonly (readonly [
  claim: string,
  changes: Changes,
  problems: readonly string[],
  warnings: readonly string[],
])[] = [
  [
    'unknown keys are told at the key, with the right one or with all',
    p(withLines('servces: 1\nfoo: 2\n')),
    [
      'pipelines/p.yaml:5:1 servces: unknown key "servces". Did you mean "services"?',
      'pipelines/p.yaml:6:1 foo: unknown key "foo". Known here: about, source, select, access, services, policy, reports, caps, reuse, unknown, deadlines, canary, notify.',
    ],
    [],
  ],
  [
    'every fault of reports is told at once',
    p(withLines('reports: { formats: [pdf], timezone: China, excel: 3, language: fr, respect: x }\n')),
    [
      'pipelines/p.yaml:5:22 reports.formats[0]: expected one of "csv", "jsonl", "html", found "pdf".',
      'pipelines/p.yaml:5:38 reports.timezone: expected a time zone of the IANA list, such as "Asia/Shanghai", found "China".',
      'pipelines/p.yaml:5:52 reports.excel: expected true or false, found 3.',
      'pipelines/p.yaml:5:65 reports.language: expected one of "en", "zh", found "fr".',
      'pipelines/p.yaml:5:78 reports.respect: expected "decisions", found "x".',
    ],
    [],
  ],
  [
    'formats are a list, and an offset is no time zone',
    p(withLines('reports: { language: fr, formats: csv, timezone: "+08:00" }\n')),
    [
      'pipelines/p.yaml:5:22 reports.language: expected one of "en", "zh", found "fr".',
      'pipelines/p.yaml:5:35 reports.formats: expected a list, found "csv".',
      'pipelines/p.yaml:5:50 reports.timezone: expected a time zone of the IANA list, such as "Asia/Shanghai", found "+08:00".',
    ],
    [],
  ],
  [
    'a canary has at least one condition',
    p(withLines('canary: { items: 200 }\n')),
    [
      'pipelines/p.yaml:5:9 canary.stopIf: expected a condition, failed or chargePerItem or both, found none. Write one, such as { failed: "> 5%" }.',
    ],
    [],
  ],
  [
    'a canary needs a source that can be read twice',
    p(
      'source: { jsonl: { path: "-" } }\nservices: [{ use: toy/image }]\ncanary: { stopIf: { failed: "> 0%" } }\n',
    ),
    [
      'pipelines/p.yaml:3:9 canary: expected a source that can be read a second time, found standard input. Put it into a file.',
    ],
    [],
  ],
  [
    'every fault of a canary is told at once',
    p(withLines('canary: { items: 0, stopIf: { failed: 5%, chargePerItem: "> much", cost: 1 } }\n')),
    [
      'pipelines/p.yaml:5:18 canary.items: expected a whole number from 1 to 10000, found 0.',
      'pipelines/p.yaml:5:39 canary.stopIf.failed: expected a comparison with a share, such as "> 5%" (operators: < <= > >=), found "5%".',
      'pipelines/p.yaml:5:58 canary.stopIf.chargePerItem: expected a comparison with an amount of money, such as "> 0.02 CNY" (operators: < <= > >=), found "> much".',
      'pipelines/p.yaml:5:68 canary.stopIf.cost: unknown key "cost". Known here: failed, chargePerItem.',
    ],
    [],
  ],
  [
    'what an item costs is in the currency of the price book, and of SKUs that have a price',
    p(
      'source: { bucket: { storage: main, bucket: media } }\nservices: [{ use: toy/watch, options: { ops: [{ op: faces }] } }]\ncanary: { stopIf: { chargePerItem: "> 0.02 USD" } }\n',
    ),
    [
      'pipelines/p.yaml:3:36 canary.stopIf.chargePerItem: expected an amount in CNY, the currency of the price book, found "> 0.02 USD".',
      'pipelines/p.yaml:3:36 canary.stopIf.chargePerItem: chargePerItem cannot be told with "toy/frame", which has no price: expected one in config/prices. Set its price, or stop by failed alone.',
    ],
    [],
  ],
  [
    'every fault of reuse, unknown and deadlines is told at once',
    p(
      withLines(
        'reuse: { by: etag, maxAge: 180, retryFailedAfter: x }\nunknown: { resendBelow: 1 USD }\ndeadlines: { call: 0s, job: 24, run: 3x, syncCall: "" }\nabout: 3\n',
      ),
    ),
    [
      'pipelines/p.yaml:5:14 reuse.by: expected one of "content", "path", "never", found "etag".',
      'pipelines/p.yaml:5:28 reuse.maxAge: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found 180.',
      'pipelines/p.yaml:5:51 reuse.retryFailedAfter: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found "x".',
      'pipelines/p.yaml:6:25 unknown.resendBelow: expected an amount in CNY, the currency of the price book, found "1 USD".',
      'pipelines/p.yaml:7:20 deadlines.call: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found "0s".',
      'pipelines/p.yaml:7:29 deadlines.job: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found 24.',
      'pipelines/p.yaml:7:38 deadlines.run: expected a duration with its unit (ms, s, m, h, d, w), such as "8h", or "none", found "3x".',
      'pipelines/p.yaml:7:52 deadlines.syncCall: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found "".',
      'pipelines/p.yaml:8:8 about: expected a text, found 3.',
    ],
    [],
  ],
  [
    'an amount is a decimal with at most nine places',
    p(withLines('unknown: { resendBelow: 0.0000000001 CNY }\ndeadlines: { run: 3 }\n')),
    [
      'pipelines/p.yaml:5:25 unknown.resendBelow: expected an amount of money with at most nine decimals, such as "500 CNY" or "0.10", found "0.0000000001 CNY".',
      'pipelines/p.yaml:6:19 deadlines.run: expected a duration with its unit (ms, s, m, h, d, w), such as "8h", or "none", found 3.',
    ],
    [],
  ],
];

test.each(cases)('%s', async (_, changes, problems, warnings) => {
  const told = await load(changes);
  expect(told.problems).toEqual(problems);
  expect(told.warnings).toEqual(warnings);
  expect(told.pipeline === undefined).toBe(problems.length > 0);
});
