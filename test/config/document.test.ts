/** Faults of YAML itself, which must never quote the file. */
import { expect, test } from 'vitest';
import { type Changes, load } from './project.ts';

const p = (text: string, more: Changes = {}): Changes => ({ 'pipelines/p.yaml': text, ...more });

const cases: readonly (readonly [
  claim: string,
  changes: Changes,
  problems: readonly string[],
  warnings: readonly string[],
])[] = [
  [
    'an empty file lacks its required keys',
    p(''),
    [
      'pipelines/p.yaml:1:1 source: this key is missing: expected a map with exactly one of bucket, csv, jsonl, inventory.',
      'pipelines/p.yaml:1:1 services: this key is missing: expected a list of at least one service, such as "- use: toy/image".',
    ],
    [],
  ],
  [
    'a file that is a list is no pipeline',
    p('- 1\n'),
    ['pipelines/p.yaml:1:1: expected a map, found a list.'],
    [],
  ],
  [
    'a key given twice is a fault at its second place',
    p('source: {}\nsource: {}\n'),
    ['pipelines/p.yaml:2:1: this key stands twice in its map. Remove one of them.'],
    [],
  ],
  [
    'a second document in the file is a fault',
    p('a: 1\n---\nb: 2\n'),
    [
      'pipelines/p.yaml:2:1: a second document begins here: expected one document in a file. Remove the "---" line or split the file.',
    ],
    [],
  ],
  [
    'a custom tag is a fault',
    p('source: !x {}\n'),
    [
      'pipelines/p.yaml:1:9: unknown tag: expected plain YAML without custom tags. Remove the tag that begins with "!".',
    ],
    [],
  ],
  [
    'a binary tag is a fault',
    p('source: !!binary aGk=\n'),
    [
      'pipelines/p.yaml:1:9: unknown tag: expected plain YAML without custom tags. Remove the tag that begins with "!".',
    ],
    [],
  ],
  [
    'of faults that come of each other only the first is told',
    p('source: {a: 1\nservices: ]\n'),
    [
      'pipelines/p.yaml:2:1: this line is indented in a way that fits none of the lines above it, or a bracket or brace above is not closed.',
    ],
    [],
  ],
  [
    'a tab as indentation is a fault',
    p('source:\n\tbucket: 1\n'),
    ['pipelines/p.yaml:2:1: a tab indents this line: expected spaces.'],
    [],
  ],
  [
    'an alias without anchor is a fault at its place',
    p('a: 1\nb: *x\n'),
    ['pipelines/p.yaml:2:4: this alias names no anchor, or stands where none may. Write the value out.'],
    [],
  ],
  [
    'aliases that unfold without end are a fault',
    p(
      [
        'a: &a [1,1,1,1,1,1,1,1,1,1]',
        'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]',
        'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]',
        'd: [*c,*c,*c,*c,*c]',
        '',
      ].join('\n'),
    ),
    ['pipelines/p.yaml:1:1: the aliases unfold to far more than is written. Write the values out.'],
    [],
  ],
  [
    'nesting without end is a fault',
    p('a: ' + '['.repeat(6000)),
    ['pipelines/p.yaml:1:825: nested too deeply. Write it flatter.'],
    [],
  ],
  [
    'an open quote is a fault that does not quote its text',
    p('about: "my-secret-token\n'),
    [
      'pipelines/p.yaml:2:1: a character is missing here: a closing quote, bracket or brace, a comma, or the space after ":".',
    ],
    [],
  ],
  [
    'an unknown escape is a fault that does not quote its text',
    p('about: "C:\\quiet"\n'),
    [
      'pipelines/p.yaml:1:11: unknown escape in a text in double quotes. Use single quotes, or write the backslash twice.',
    ],
    [],
  ],
  [
    'an unknown directive is a fault',
    p('%FOO bar\n---\nabout: x\n'),
    ['pipelines/p.yaml:1:1: unknown or misplaced YAML directive. Remove the line that begins with "%".'],
    [],
  ],
  [
    'a reserved character at the beginning of a text is a fault',
    p('about: @home\n'),
    ['pipelines/p.yaml:1:8: a text cannot begin with this character. Put it in quotes.'],
    [],
  ],
  [
    'faults of several files are told at once',
    p('a: b: c\n', {
      'config/accounts.yaml': 'accounts: {a: "x}\n',
      'config/policies/strict.yaml': 'rules: [\n',
    }),
    [
      'pipelines/p.yaml:1:4: a key or a nested map stands where none may. Check the indentation and the ":" of this line.',
      'config/accounts.yaml:2:1: a character is missing here: a closing quote, bracket or brace, a comma, or the space after ":".',
      'config/policies/strict.yaml:2:1: this line is indented in a way that fits none of the lines above it, or a bracket or brace above is not closed.',
    ],
    [],
  ],
  [
    'a broken file of config hides no fault of the pipeline, and makes none up',
    p(
      'source: { bucket: { storage: main, bucket: media } }\nservices: [{ use: toy/imagee }, { use: toy/image }]\npolicy: strict\n',
      {
        'config/accounts.yaml': 'accounts: {',
        'config/storages.yaml': 'storages: ]',
        'config/prices/toy.yaml': 'a: {',
        'config/policies/strict.yaml': 'rules: [',
      },
    ),
    [
      'pipelines/p.yaml:2:19 services[0].use: there is no service "toy/imagee". Did you mean "toy/image"? `mediasweep catalogue` lists all.',
      'config/accounts.yaml:1:12: this line is indented in a way that fits none of the lines above it, or a bracket or brace above is not closed.',
      'config/storages.yaml:1:11: this is not valid YAML 1.2. Check brackets, quotes and indentation here and on the line above.',
      'config/prices/toy.yaml:1:5: this line is indented in a way that fits none of the lines above it, or a bracket or brace above is not closed.',
      'config/policies/strict.yaml:1:9: this line is indented in a way that fits none of the lines above it, or a bracket or brace above is not closed.',
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
