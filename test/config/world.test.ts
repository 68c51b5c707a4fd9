/** Faults and warnings of accounts, storages and prices. */
import { expect, test } from 'vitest';
import { type Changes, load, withService } from './project.ts';

const head = 'currency: CNY\ntimezone: Asia/Shanghai\n';
const fine = 'vendor: toy, key: k, secret: "${TOY_SECRET}"';
const accounts = (...lines: readonly string[]): Changes => ({
  'config/accounts.yaml': ['accounts:', ...lines, ''].join('\n'),
});
const storages = (...lines: readonly string[]): Changes => ({
  'config/storages.yaml': ['storages:', ...lines, ''].join('\n'),
});
const prices = (...lines: readonly string[]): Changes => ({
  'config/prices/toy.yaml': [head + 'skus:', ...lines, ''].join('\n'),
});
const p = (text: string, more: Changes = {}): Changes => ({ 'pipelines/p.yaml': text, ...more });

const cases: readonly (readonly [
  claim: string,
  changes: Changes,
  problems: readonly string[],
  warnings: readonly string[],
])[] = [
  [
    'without accounts.yaml a service has no account',
    { 'config/accounts.yaml': undefined },
    [
      'pipelines/p.yaml:4:5 services[0].account: this key is missing: expected exactly one account of vendor "toy" in config/accounts.yaml, found none. Add one.',
    ],
    [],
  ],
  [
    'an empty map of accounts is none',
    accounts(),
    [
      'pipelines/p.yaml:4:5 services[0].account: this key is missing: expected exactly one account of vendor "toy" in config/accounts.yaml, found none. Add one.',
    ],
    [],
  ],
  [
    'accounts.yaml has one key',
    { 'config/accounts.yaml': 'acounts: {}\naccounts: {}\n' },
    [
      'pipelines/p.yaml:4:5 services[0].account: this key is missing: expected exactly one account of vendor "toy" in config/accounts.yaml, found none. Add one.',
      'config/accounts.yaml:1:1 acounts: unknown key "acounts". Did you mean "accounts"?',
    ],
    [],
  ],
  [
    'accounts are a map',
    { 'config/accounts.yaml': 'accounts: 3\n' },
    [
      'pipelines/p.yaml:4:5 services[0].account: this key is missing: expected exactly one account of vendor "toy" in config/accounts.yaml, found none. Add one.',
      'config/accounts.yaml:1:11 accounts: expected a map, found 3.',
    ],
    [],
  ],
  [
    'a misspelt vendor is told with the right one, and nothing that follows from it',
    accounts('  a: { vendor: toi, key: k, secret: abc }'),
    ['config/accounts.yaml:2:16 accounts.a.vendor: there is no vendor "toi". Did you mean "toy"?'],
    [],
  ],
  [
    'an account without vendor lacks it, and an account is a map',
    accounts('  a: { key: k, secret: abc }', '  b: 3'),
    [
      'config/accounts.yaml:2:6 accounts.a.vendor: this key is missing: expected a text that is not empty.',
      'config/accounts.yaml:3:6 accounts.b: expected a map, found 3.',
    ],
    [],
  ],
  [
    'credential fields are checked by their vendor and never quoted',
    accounts('  a: { vendor: toy, kee: k, secret: my-pin, limit: {} }'),
    [
      'config/accounts.yaml:2:6 accounts.a.key: this key is missing: expected a text that is not empty.',
      'config/accounts.yaml:2:21 accounts.a.kee: unknown key "kee". Did you mean "key"?',
      'config/accounts.yaml:2:37 accounts.a.secret: expected a text that is not empty, found a text that is not shown, being secret.',
      'config/accounts.yaml:2:45 accounts.a.limit: unknown key "limit". Did you mean "limits"?',
    ],
    [],
  ],
  [
    'every fault of an account is told at once',
    accounts(
      '  a: { vendor: toy, key: 3, secret: "${TOY_SECRET}", endpoint: "https://u:pw@toy.example/?t=1", callback: { listen: "8787", publicUrl: x }, caps: { month: 1 USD }, booking: { refused: maybe }, assume: { duration: 10 }, returnsEmptyFrames: 1 }',
    ),
    [
      'config/accounts.yaml:2:26 accounts.a.key: expected a text that is not empty, found a number that is not shown, being secret.',
      'config/accounts.yaml:2:64 accounts.a.endpoint: expected an http or https address without user name, query or fragment, such as "https://ai.example.com", found "https://toy.example/".',
      'config/accounts.yaml:2:117 accounts.a.callback.listen: expected a host and a port from 1 to 65535, such as "127.0.0.1:8787", found "8787".',
      'config/accounts.yaml:2:136 accounts.a.callback.publicUrl: expected an http or https address without user name, query or fragment, such as "https://ai.example.com", found "x".',
      'config/accounts.yaml:2:156 accounts.a.caps.month: expected an amount in CNY, the currency of the price book, found "1 USD".',
      'config/accounts.yaml:2:185 accounts.a.booking.refused: expected one of "free", "billed", found "maybe".',
      'config/accounts.yaml:2:214 accounts.a.assume.duration: expected a duration with its unit (ms, s, m, h, d, w), such as "30m", found 10.',
      'config/accounts.yaml:2:240 accounts.a.returnsEmptyFrames: expected true or false, found 1.',
    ],
    [],
  ],
  [
    'every fault of billing facts is told at once',
    accounts(
      `  a: { ${fine}, limits: { concurrency: 0 }, billing: { toy/cal: {}, toy/call: { freeUsed: -1, usedThisMonth: { 2026-13: 1 }, packs: [{ units: 0, expires: tomorrow, cost: 1 USD }] } } }`,
    ),
    [
      'config/accounts.yaml:2:77 accounts.a.limits.concurrency: expected a whole number from 1 to 10000, found 0.',
      'config/accounts.yaml:2:128 accounts.a.billing.toy/call.freeUsed: expected a whole number that is at least 0, found -1.',
      'config/accounts.yaml:2:149 accounts.a.billing.toy/call.usedThisMonth.2026-13: expected months such as 2026-11 as keys, found "2026-13".',
      'config/accounts.yaml:2:180 accounts.a.billing.toy/call.packs[0].units: expected a whole number that is at least 1, found 0.',
      'config/accounts.yaml:2:192 accounts.a.billing.toy/call.packs[0].expires: expected a day such as "2026-11-20", found "tomorrow".',
    ],
    [],
  ],
  [
    'an unknown SKU is told with the right one, and packs cost what the price book counts in',
    accounts(
      `  a: { ${fine}, billing: { toy/cal: {}, toy/call: { packs: [{ units: 5, expires: 2026-11-30, cost: 1 USD }] } } }`,
    ),
    [
      'config/accounts.yaml:2:65 accounts.a.billing.toy/cal: there is no SKU "toy/cal". Did you mean "toy/call"?',
      'config/accounts.yaml:2:137 accounts.a.billing.toy/call.packs[0].cost: expected an amount in CNY, the currency of the price book, found "1 USD".',
    ],
    [],
  ],
  [
    'of two accounts of a vendor the service must name one',
    accounts(`  a: { ${fine} }`, `  b: { ${fine} }`),
    [
      'pipelines/p.yaml:4:5 services[0].account: this key is missing: expected exactly one account of vendor "toy" in config/accounts.yaml, found a, b. Say here which of them.',
    ],
    [],
  ],
  [
    'an account of another vendor is none of this one',
    accounts('  a: { vendor: mock, key: k, secret: long-enough }'),
    [
      'pipelines/p.yaml:4:5 services[0].account: this key is missing: expected exactly one account of vendor "toy" in config/accounts.yaml, found none. Add one.',
    ],
    [],
  ],
  [
    'a service takes an account of its own vendor only',
    {
      ...accounts('  a: { vendor: mock, key: k, secret: long-enough }', `  b: { ${fine} }`),
      ...p(withService('use: toy/image\naccount: a')),
    },
    [
      'pipelines/p.yaml:5:14 services[0].account: expected an account of vendor "toy", found "a" of "mock". Known: b.',
    ],
    [],
  ],
  [
    'plain http to another machine is warned of where the vendor answers on https',
    accounts(`  a: { ${fine}, endpoint: "http://toy.example" }`),
    [],
    [
      'config/accounts.yaml:2:64 accounts.a.endpoint: plain http to another machine, though "toy" answers on https: requests can be read and repeated on the way. Use https.',
    ],
  ],
  [
    'plain http to this machine is fine',
    accounts(`  a: { ${fine}, endpoint: "http://127.0.0.1:9001" }`),
    [],
    [],
  ],
  [
    'variables that are not set are faults of an account that is used',
    accounts('  a: { vendor: toy, key: "${NOPE}", secret: "${NOPE2}", endpoint: "${NOPE3}" }'),
    [
      'config/accounts.yaml:2:26 accounts.a.key: environment variable NOPE is not set. Set it, or name another variable.',
      'config/accounts.yaml:2:45 accounts.a.secret: environment variable NOPE2 is not set. Set it, or name another variable.',
      'config/accounts.yaml:2:67 accounts.a.endpoint: environment variable NOPE3 is not set. Set it, or name another variable.',
    ],
    [],
  ],
  [
    'variables that are not set are no faults of an account that is not used',
    accounts(
      `  a: { ${fine} }`,
      '  b: { vendor: mock, key: "${NOPE}", secret: "${NOPE2}", endpoint: "${NOPE3}" }',
    ),
    [],
    [],
  ],
  [
    'egress is in the currency of the price book',
    storages('  main: { accessKeyId: "${S3_KEY}", secretAccessKey: "${S3_SECRET}", egress: 0.1 USD }'),
    [
      'config/storages.yaml:2:78 storages.main.egress: expected an amount in CNY, the currency of the price book, found "0.1 USD".',
    ],
    [],
  ],
  [
    'without storages.yaml there is no storage',
    { 'config/storages.yaml': undefined },
    [
      'pipelines/p.yaml:2:22 source.bucket.storage: there is no storage "main" in config/storages.yaml. Add it to config/storages.yaml.',
    ],
    [],
  ],
  [
    'every fault of a storage is told at once, and its keys are never quoted',
    storages(
      '  main: { endpont: x, region: "", pathStyle: 1, accessKeyId: 3, secretAccessKey: "", egress: -1, allowPrivateAddresses: 2 }',
    ),
    [
      'config/storages.yaml:2:11 storages.main.endpont: unknown key "endpont". Did you mean "endpoint"?',
      'config/storages.yaml:2:31 storages.main.region: expected a text that is not empty, found "".',
      'config/storages.yaml:2:46 storages.main.pathStyle: expected true or false, found 1.',
      'config/storages.yaml:2:62 storages.main.accessKeyId: expected a text that is not empty, found a number that is not shown, being secret.',
      'config/storages.yaml:2:82 storages.main.secretAccessKey: expected a text that is not empty, found an empty text.',
      'config/storages.yaml:2:94 storages.main.egress: expected an amount of money with at most nine decimals, such as "500 CNY" or "0.10", found -1.',
      'config/storages.yaml:2:121 storages.main.allowPrivateAddresses: expected true or false, found 2.',
    ],
    [],
  ],
  [
    'an access key needs its secret',
    storages('  main: { endpoint: s3.example, accessKeyId: "${S3_KEY}" }'),
    [
      'config/storages.yaml:2:9 storages.main.secretAccessKey: this key is missing beside its other half. Set both, or neither for the AWS credential chain.',
      'config/storages.yaml:2:21 storages.main.endpoint: expected an http or https address without user name, query or fragment, such as "https://ai.example.com", found "s3.example".',
    ],
    [],
  ],
  [
    'a secret key needs its id',
    storages('  main: { secretAccessKey: "${S3_SECRET}" }'),
    [
      'config/storages.yaml:2:9 storages.main.accessKeyId: this key is missing beside its other half. Set both, or neither for the AWS credential chain.',
    ],
    [],
  ],
  [
    'a session token needs both keys',
    storages('  main: { sessionToken: "${S3_SECRET}" }'),
    [
      'config/storages.yaml:2:25 storages.main.sessionToken: expected accessKeyId and secretAccessKey beside a sessionToken, found neither. Set all three.',
    ],
    [],
  ],
  [
    'variables that are not set are faults of the storage that is used, and an empty session token is none',
    storages(
      '  main: { accessKeyId: "${NOPE}", secretAccessKey: "${NOPE}", sessionToken: "${NOPE:-}" }',
      '  other: { accessKeyId: "${NOPE}", secretAccessKey: "${NOPE}" }',
    ),
    [
      'config/storages.yaml:2:24 storages.main.accessKeyId: environment variable NOPE is not set. Set it, or name another variable.',
      'config/storages.yaml:2:52 storages.main.secretAccessKey: environment variable NOPE is not set. Set it, or name another variable.',
    ],
    [],
  ],
  [
    'without prices the total is incomplete',
    { 'config/prices/toy.yaml': undefined },
    [],
    [
      'pipelines/p.yaml:4:10 services[0].use: no price for "toy/call": its units are counted, and the total is marked incomplete. Add it to config/prices/, with `price: unknown` if it is not known.',
    ],
  ],
  [
    'a price file says its currency and time zone',
    { 'config/prices/toy.yaml': 'currncy: CNY\n' },
    [
      'config/prices/toy.yaml:1:1 currency: this key is missing: expected a text.',
      'config/prices/toy.yaml:1:1 timezone: this key is missing: expected a time zone of the IANA list, such as "Asia/Shanghai".',
      'config/prices/toy.yaml:1:1 currncy: unknown key "currncy". Did you mean "currency"?',
    ],
    [
      'pipelines/p.yaml:4:10 services[0].use: no price for "toy/call": its units are counted, and the total is marked incomplete. Add it to config/prices/, with `price: unknown` if it is not known.',
    ],
  ],
  [
    'currency and time zone must exist',
    { 'config/prices/toy.yaml': 'currency: yuan\ntimezone: Asia/Shanghi\nskus: 3\n' },
    [
      'config/prices/toy.yaml:1:11 currency: expected a currency of three capital letters, such as "CNY", found "yuan".',
      'config/prices/toy.yaml:2:11 timezone: expected a time zone of the IANA list, such as "Asia/Shanghai", found "Asia/Shanghi".',
      'config/prices/toy.yaml:3:7 skus: expected a map, found 3.',
    ],
    [
      'pipelines/p.yaml:4:10 services[0].use: no price for "toy/call": its units are counted, and the total is marked incomplete. Add it to config/prices/, with `price: unknown` if it is not known.',
    ],
  ],
  [
    'a SKU has tiers or a price',
    prices('  toy/call: { unit: call }', '  toy/frame: { unit: frame, price: 1, tiers: [{ price: 1 }] }'),
    [
      'config/prices/toy.yaml:4:13 skus.toy/call: expected either tiers or price, found neither. Write one; price may be unknown.',
      'config/prices/toy.yaml:5:14 skus.toy/frame: expected either tiers or price, found both. Write one; price may be unknown.',
    ],
    [
      'pipelines/p.yaml:4:10 services[0].use: no price for "toy/call": its units are counted, and the total is marked incomplete. Add it to config/prices/, with `price: unknown` if it is not known.',
    ],
  ],
  [
    'every fault of prices is told at once',
    prices(
      '  toy/call: { tiers: [{ upTo: 10, price: abc }, { price: "0.0000000001" }], per: 0, free: -1, readOn: today }',
      '  toy/frame: { unit: f, price: cheap, free: { units: 3, per: day }, increment: 0.5 }',
    ),
    [
      'config/prices/toy.yaml:4:13 skus.toy/call.unit: this key is missing: expected a text that is not empty.',
      'config/prices/toy.yaml:4:42 skus.toy/call.tiers[0].price: expected a price as a decimal in quotes with at most nine decimals, such as "0.155", found "abc".',
      'config/prices/toy.yaml:4:58 skus.toy/call.tiers[1].price: expected a price as a decimal in quotes with at most nine decimals, such as "0.155", found "0.0000000001".',
      'config/prices/toy.yaml:4:82 skus.toy/call.per: expected a whole number that is at least 1, found 0.',
      'config/prices/toy.yaml:4:91 skus.toy/call.free: expected a whole number that is at least 0 or a map, found -1.',
      'config/prices/toy.yaml:4:103 skus.toy/call.readOn: expected a day such as "2026-11-20", found "today".',
      'config/prices/toy.yaml:5:32 skus.toy/frame.price: expected a price as a decimal in quotes with at most nine decimals, such as "0.155", found "cheap".',
      'config/prices/toy.yaml:5:62 skus.toy/frame.free.per: expected one of "once", "month", found "day".',
      'config/prices/toy.yaml:5:80 skus.toy/frame.increment: expected a whole number that is at least 1, found 0.5.',
    ],
    [
      'pipelines/p.yaml:4:10 services[0].use: no price for "toy/call": its units are counted, and the total is marked incomplete. Add it to config/prices/, with `price: unknown` if it is not known.',
    ],
  ],
  [
    'tiers ascend, and the last one has no end',
    prices(
      '  toy/call: { unit: c, tiers: [{ upTo: 10, price: 1 }, { upTo: 10, price: 1 }, { price: 1 }, { upTo: 20, price: 1 }] }',
      '  toy/frame: { unit: f, tiers: [] }',
    ),
    [
      'config/prices/toy.yaml:4:64 skus.toy/call.tiers[1].upTo: expected more than 10, where the tier before ends, found 10.',
      'config/prices/toy.yaml:4:80 skus.toy/call.tiers[2].upTo: this key is missing: only the last tier goes without upTo.',
      'config/prices/toy.yaml:4:102 skus.toy/call.tiers[3].upTo: the last tier has no upTo: there would be no price for what comes after it. Remove it, or add a tier.',
      'config/prices/toy.yaml:5:32 skus.toy/frame.tiers: expected a list of at least 1 entry, found an empty list.',
    ],
    [
      'pipelines/p.yaml:4:10 services[0].use: no price for "toy/call": its units are counted, and the total is marked incomplete. Add it to config/prices/, with `price: unknown` if it is not known.',
    ],
  ],
  [
    'there is one price book over all files: one currency, one time zone, each SKU once',
    {
      'config/prices/b.yaml':
        'currency: USD\ntimezone: Asia/Tokyo\nskus:\n  toy/frame: { unit: f, price: unknown }\n',
    },
    [
      'config/prices/toy.yaml:1:11 currency: expected "USD" as in config/prices/b.yaml, since there is one price book, found "CNY".',
      'config/prices/toy.yaml:2:11 timezone: expected "Asia/Tokyo" as in config/prices/b.yaml, since there is one price book, found "Asia/Shanghai".',
      'config/prices/toy.yaml:5:3 skus.toy/frame: the price of "toy/frame" is given twice, first in config/prices/b.yaml skus.toy/frame. Remove one of them.',
    ],
    [],
  ],
  [
    'a SKU that is nearly a known one is warned of',
    prices('  toy/cal: { unit: c, price: 1 }'),
    [],
    [
      'pipelines/p.yaml:4:10 services[0].use: no price for "toy/call": its units are counted, and the total is marked incomplete. Add it to config/prices/, with `price: unknown` if it is not known.',
      'config/prices/toy.yaml:4:12 skus.toy/cal: no service uses the SKU "toy/cal". Did you mean "toy/call"?',
    ],
  ],
];

test.each(cases)('%s', async (_, changes, problems, warnings) => {
  const told = await load(changes);
  expect(told.problems).toEqual(problems);
  expect(told.warnings).toEqual(warnings);
  expect(told.pipeline === undefined).toBe(problems.length > 0);
});
