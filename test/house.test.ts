/** The house rules of ARCHITECTURE.md, held against the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const source = join(import.meta.dirname, '..', 'src');

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'library' ? [] : listFiles(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** The room of a file: its first folder below `src/`, or the file itself for those that stand at the top. */
function roomOf(path: string): string {
  return relative(source, path).split('/')[0] as string;
}

function listImports(): Import[] {
  return listFiles(source).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
      (match) => match[1] as string,
    );
    return specifiers.map((specifier) => ({
      file: relative(source, file),
      from: roomOf(file),
      to: roomOf(join(file, '..', specifier)),
    }));
  });
}

const imports = listImports();
const describeImport = ({ file, to }: Import) => `${file} imports ${to}`;

describe('the import rule', () => {
  test('finds the imports that it judges', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.some(({ from, to }) => from === 'pipeline' && to === 'dispatch')).toBe(true);
  });

  test('a stage imports the domain and itself only', () => {
    const broken = imports.filter(
      ({ from, to }) => !from.endsWith('.ts') && from !== 'pipeline' && to !== from && to !== 'domain',
    );
    expect(broken.map(describeImport)).toEqual([]);
  });

  test('only the spine imports stages, and the executable imports the spine, the command line and the outside', () => {
    const allowed = new Set(['pipeline.ts', 'cli', 'wire', 'domain']);
    const broken = imports.filter(({ from, to }) => from === 'main.ts' && !allowed.has(to));
    expect(broken.map(describeImport)).toEqual([]);
  });

  test('the spine does not know the command line', () => {
    expect(
      imports.filter(({ from, to }) => from.startsWith('pipeline') && to === 'main.ts').map(describeImport),
    ).toEqual([]);
  });
});

describe('the homes of effects', () => {
  const rules: readonly { effect: string; pattern: RegExp; homes: readonly string[] }[] = [
    {
      effect: 'sockets',
      pattern: /from '(?:undici|node:https?|node:net|node:tls|node:dns(?:\/promises)?)'/,
      homes: ['wire/'],
    },
    { effect: 'the AWS SDK', pattern: /from '@aws-sdk\/|import\('@aws-sdk\//, homes: ['wire/'] },
    { effect: 'Redis', pattern: /'(?:ioredis|bullmq)'/, homes: ['cluster/'] },
    {
      effect: 'the disk',
      pattern: /from '(?:node:fs|node:fs\/promises)'/,
      homes: ['store/', 'config/', 'source/', 'rehearsal/'],
    },
    { effect: 'the database', pattern: /'(?:better-sqlite3|pg)'/, homes: ['store/'] },
    {
      effect: 'the clock',
      pattern: /\bDate\.now\b|\bperformance\.now\b|\bnew Date\(\)|\bsetTimeout\b|\bsetInterval\b/,
      // The page's own script runs in a reader's browser.
      homes: ['wire/', 'report/html/script.ts'],
    },
    {
      effect: 'the environment',
      pattern: /\bprocess\.(?:env|argv|exit|exitCode|on|once|kill|pid)\b/,
      homes: ['main.ts', 'store/'],
    },
    {
      effect: 'the console',
      pattern: /\bconsole\.|\bprocess\.(?:stdout|stderr)\b/,
      homes: ['main.ts', 'cli/print'],
    },
  ];

  test.each(rules)('$effect', ({ pattern, homes }) => {
    const broken = listFiles(source)
      .filter((file) => pattern.test(readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')))
      .map((file) => relative(source, file))
      .filter((file) => !homes.some((home) => file.startsWith(home)));
    expect(broken).toEqual([]);
  });
});

describe('vendor code', () => {
  test('has no await outside its emulators', () => {
    const broken = listFiles(join(source, 'vendors'))
      .filter((file) => !/emulat/.test(relative(source, file)))
      .filter((file) =>
        /\bawait\b/.test(readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')),
      );
    expect(broken.map((file) => relative(source, file))).toEqual([]);
  });

  test('of an emulator never imports its vendor’s translator', () => {
    const broken = listFiles(join(source, 'vendors'))
      .filter((file) => /\/emulator/.test(file))
      .flatMap((file) => {
        const text = readFileSync(file, 'utf8');
        return [...text.matchAll(/from '(\.[^']+)'/g)]
          .map((match) => relative(source, join(file, '..', match[1] as string)))
          .filter((target) => target.startsWith('vendors/') && !/emulat/.test(target))
          .map((target) => `${relative(source, file)} imports ${target}`);
      });
    expect(broken).toEqual([]);
  });
});
