/** Environment variables: what is replaced, what is not, and that their values are never told. */
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/config/document.ts';
import { replaceVariables } from '../../src/config/variable.ts';
import { environment, load, secret, withLines, withService } from './project.ts';

function replace(text: string, variables: Readonly<Record<string, string | undefined>> = {}) {
  const { document } = readDocument('a.yaml', text);
  if (!document) throw new Error('expected YAML without fault');
  return replaceVariables(document, variables);
}

describe('replacing', () => {
  test.each([
    ['${A}', 'one'],
    ['x-${A}-${B}', 'x-one-two'],
    ['${A:-other}', 'one'],
    ['${NONE:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY}', ''],
    ['${NONE:-}', ''],
    ['${NONE:-a:-b}', 'a:-b'],
    ['$${A}', '${A}'],
    ['$A and $', '$A and $'],
    ['${C}', '${A}'],
  ])('%s becomes %s', (written, replaced) => {
    const file = replace(JSON.stringify({ a: [written] }), { A: 'one', B: 'two', C: '${A}', EMPTY: '' });
    expect(file.data).toEqual({ a: [replaced] });
    expect(file.faults).toEqual([]);
    expect(file.written).toEqual({ a: [written] });
  });

  test('leaves keys and values that are no text alone', () => {
    const file = replace('"${A}": 1\nb: [true, null, 2.5]\n', { A: 'one' });
    expect(file.data).toEqual({ '${A}': 1, b: [true, null, 2.5] });
  });

  test.each(['${}', '${1A}', '${A', '${A B}', '${A:+x}'])('%s is a fault', (written) => {
    const file = replace(JSON.stringify({ a: written }), { A: 'one' });
    expect(file.data).toEqual({ a: written });
    expect(file.faults).toEqual([
      {
        path: ['a'],
        message:
          'expected ${NAME} or ${NAME:-default} after "$". Close the brace, or write $${ for a literal ${.',
      },
    ]);
  });

  test('does not reach into prototypes', () => {
    const file = replace('__proto__: { polluted: "${A}" }\n', { A: 'yes' });
    expect(Object.hasOwn(file.data as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });
});

test('a variable that is not set is told at each of its places in the pipeline', async () => {
  const { problems } = await load({
    'pipelines/p.yaml': withService(
      'use: ${NOPE}\naccount: ${NOPE}\noptions: { top_k: 3 }',
      'about: ${NOPE}\n',
    ),
  });
  expect(problems).toEqual([
    'pipelines/p.yaml:4:10 services[0].use: environment variable NOPE is not set. Set it, or name another variable.',
    'pipelines/p.yaml:5:14 services[0].account: environment variable NOPE is not set. Set it, or name another variable.',
    'pipelines/p.yaml:7:8 about: environment variable NOPE is not set. Set it, or name another variable.',
  ]);
});

test('a malformed variable is told', async () => {
  const { problems } = await load({ 'pipelines/p.yaml': withLines('about: "${NOT OK}"\n') });
  expect(problems).toEqual([
    'pipelines/p.yaml:5:8 about: expected ${NAME} or ${NAME:-default} after "$". Close the brace, or write $${ for a literal ${.',
  ]);
});

describe('a value from the environment is quoted as written', () => {
  const leak = `secret-${'x'.repeat(20)}`;
  const everywhere: Readonly<Record<string, string>> = {
    'pipelines/p.yaml': `source:
  bucket: { storage: "\${LEAK}", bucket: media, prefix: "\${LEAK}", parallel: "\${LEAK}" }
services:
  - { use: "\${LEAK}", as: "\${LEAK} \${LEAK}", account: "\${LEAK}", delivery: "\${LEAK}" }
  - { use: toy/image, account: "\${LEAK}", batch: "\${LEAK}", options: { top_k: "\${LEAK}", model_name: "\${LEAK}" } }
  - { use: toy/watch, options: { ops: [{ op: "\${LEAK}" }] }, limits: "\${LEAK}" }
select: { include: "\${LEAK}", minSize: "\${LEAK}", modifiedAfter: "\${LEAK}", modifiedWithin: "\${LEAK}", fit: "\${LEAK}" }
access: { mode: "\${LEAK}" }
policy: "\${LEAK}"
reports: { formats: ["\${LEAK}"], timezone: "\${LEAK}", language: "\${LEAK}" }
reuse: "\${LEAK}"
unknown: { resendBelow: "\${LEAK}" }
deadlines: { call: "\${LEAK}" }
`,
    'config/accounts.yaml': `accounts:
  a: { vendor: "\${LEAK}", key: "\${LEAK}", secret: "\${LEAK}" }
  b: { vendor: toy, key: "\${LEAK}", secret: ["\${LEAK}"], endpoint: "\${LEAK}", billing: { toy/call: { packs: [{ units: 1, expires: "\${LEAK}", cost: "\${LEAK}" }] } } }
`,
    'config/storages.yaml': `storages:
  main: { endpoint: "\${LEAK}", pathStyle: "\${LEAK}", accessKeyId: "\${LEAK}", secretAccessKey: ["\${LEAK}"] }
`,
    'config/prices/toy.yaml': `currency: "\${LEAK}"
timezone: "\${LEAK}"
skus: { toy/call: { unit: "\${LEAK}", price: "\${LEAK}", readOn: "\${LEAK}" } }
`,
  };

  test('in every message of every file', async () => {
    const { problems, warnings } = await load(everywhere, { LEAK: leak });
    expect(problems.length).toBeGreaterThan(20);
    expect([...problems, ...warnings].filter((line) => line.includes(leak))).toEqual([]);
    expect(problems).toContain(
      'pipelines/p.yaml:2:22 source.bucket.storage: there is no storage "${LEAK}" (its variables replaced) in config/storages.yaml. Known: main.',
    );
  });

  test('in rules too', async () => {
    const { problems, warnings } = await load(
      {
        'pipelines/p.yaml': withLines(
          'policy: { rules: [{ service: "${LEAK}", op: "${LEAK}", score: "${LEAK}", verdict: "${LEAK}" }, { service: toy/image, metric: "${LEAK}", is: "${LEAK}", verdict: review }] }\n',
        ),
      },
      { ...environment, LEAK: leak },
    );
    expect(problems.length).toBeGreaterThan(3);
    expect([...problems, ...warnings].filter((line) => line.includes(leak))).toEqual([]);
  });
});

test('credentials are never told, even where they stand in the file', async () => {
  const { problems } = await load({
    'config/accounts.yaml': `accounts: { a: { vendor: toy, key: { a: ${secret} }, secret: [${secret}], token: ${secret} } }\n`,
    'config/storages.yaml': `storages: { main: { accessKeyId: [${secret}], secretAccessKey: { a: ${secret} }, sessionToken: 12345678 } }\n`,
  });
  expect(problems).toHaveLength(6);
  expect(problems.filter((line) => line.includes(secret) || line.includes('12345678'))).toEqual([]);
});
