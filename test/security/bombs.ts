/** Gzip bombs in the place of a manifest. */
import type { CsvSource, JsonlSource } from '../../src/domain/settings.ts';

export interface Bomb {
  readonly name: string;
  readonly form: 'csv' | 'jsonl';
  readonly head: string;
  /** Repeated until the bomb is so many MiB. */
  readonly fill: string;
  readonly mebibytes: number;
}

const longText = 'a'.repeat(1_000_000);

export const bombs: readonly Bomb[] = [
  { name: 'one line without end, as CSV', form: 'csv', head: 'key\n', fill: 'a', mebibytes: 400 },
  { name: 'one line without end, as JSON', form: 'jsonl', head: '{}\n', fill: '[', mebibytes: 400 },
  {
    name: 'rows as long as they may be, as CSV',
    form: 'csv',
    head: 'text\n',
    fill: `${longText}\n`,
    mebibytes: 40,
  },
  {
    name: 'rows as long as they may be, as JSON',
    form: 'jsonl',
    head: '\n',
    fill: `{"text":"${longText}"}\n`,
    mebibytes: 100,
  },
  {
    name: 'a quote without end',
    form: 'csv',
    head: 'key\n"',
    fill: `${'a'.repeat(65_535)}\n`,
    mebibytes: 40,
  },
  { name: 'zeros', form: 'csv', head: 'key\n', fill: '\0', mebibytes: 400 },
];

export function makeBombSource(form: Bomb['form']): CsvSource | JsonlSource {
  const common = {
    path: '-',
    encoding: 'utf-8',
    storage: 'main',
    bucket: 'media',
    allowPrivateAddresses: false,
  } as const;
  return form === 'jsonl'
    ? { form, ...common }
    : { form, ...common, header: true, columns: {}, delimiter: ',' };
}
