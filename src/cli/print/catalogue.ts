/** The services that there are: all of them in a table, or one explained. */
import { defaultMaxAttempts } from '../../domain/decide.ts';
import { describeLimits } from '../../domain/fit.ts';
import type { Delivery, Service, ServiceColumns } from '../../domain/service.ts';
import type { OptionRow } from '../option-row.ts';
import type { ServiceLine, ServiceSheet, SkuLine } from '../service-sheet.ts';
import { type Console, widthOf, writeResult } from './terminal.ts';
import { type Ink, makeInk } from './ink.ts';
import { printJson } from './json.ts';
import { formatFirstTier, formatTiers } from './price.ts';
import { formatTable, wrapText } from './table.ts';

/** A terminal narrower than this gets a few short lines for each service instead of a wide row. */
const roomyColumns = 150;

export function printCatalogue(console: Console, sheets: readonly ServiceSheet[]): void {
  const ink = makeInk(console);
  const width = widthOf(console);
  const isRoomy = width === undefined || width >= roomyColumns;
  writeResult(console, [
    ...(isRoomy ? formatRows(sheets, ink, width) : formatStacks(sheets, ink, width)),
    '',
    ...sheets.flatMap((sheet) => formatTerms(sheet, ink, width)),
  ]);
}

/** What a service takes, in the fewest words: limits of the media, and each option with its range and default. */
function formatTerms(
  { service, options }: ServiceSheet,
  ink: Ink,
  width: number | undefined,
): readonly string[] {
  const taken = options.map((row) => {
    const value = row.range === '' ? '' : ` ${row.range}`;
    return `${row.name}${value}${row.default === undefined ? '' : ` (${JSON.stringify(row.default)})`}`;
  });
  return [
    ink.bold(service.name),
    ...[`media: ${describeLimits(service.limits)}`, `options: ${taken.join(', ') || 'none'}`].flatMap(
      (line) => wrapText(`  ${line}`, width, '    '),
    ),
  ];
}

function formatRows(lines: readonly ServiceLine[], ink: Ink, width: number | undefined): readonly string[] {
  const titles = ['service', 'vendor call', 'kind', 'delivery', 'billed by', 'price from', 'about'];
  const rows = lines.map(({ service, skus }) => [
    service.name,
    service.vendorCall,
    service.kinds.join(', '),
    describeForm(service),
    skus.map(({ sku }) => sku).join('\n'),
    skus.map(({ price }) => formatFirstTier(price) || '-').join('\n'),
    ink.dim(service.about),
  ]);
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
    width,
  );
}

function formatStacks(lines: readonly ServiceLine[], ink: Ink, width: number): readonly string[] {
  const rows = lines.map(({ service }) => [service.name, service.kinds.join(', '), describeForm(service)]);
  const titles = ['service', 'kind', 'delivery'];
  const [head = '', ...heads] = formatTable(
    titles.map((title) => ({ title })),
    rows,
  );
  const stacks = lines.map(({ service, skus }) => [
    ink.dim(`${service.about} (${service.vendorCall})`),
    ...skus.map(({ sku, price }) => `${sku} ${formatFirstTier(price)}`.trimEnd()),
  ]);
  const indent = '    ';
  return [
    head,
    ...heads.flatMap((row, index) => [
      row,
      ...(stacks[index] ?? []).flatMap((line) => wrapText(indent + line, width, indent)),
    ]),
  ];
}

export function printCatalogueJson(console: Console, sheets: readonly ServiceSheet[]): void {
  printJson(console, { services: sheets.map(describeSheet) });
}

export function printService(console: Console, sheet: ServiceSheet): void {
  const ink = makeInk(console);
  const width = widthOf(console);
  const { service, vendor } = sheet;
  const facts = [
    ['vendor', `${vendor.about} (${service.vendorCall})`],
    ['takes', service.kinds.join(', ')],
    ['delivery', service.deliveries.map(explainDelivery).join('\n')],
    ...(service.maxBatch > 1 ? [['batch', `up to ${service.maxBatch} in one call (batch: N)`]] : []),
    ['attempts', `${service.maxAttempts ?? defaultMaxAttempts} (limits: { maxAttempts: N })`],
    ['media', `${describeLimits(service.limits)} (${service.limits.source})`],
    ['billed by', sheet.skus.map(describeSku).join('\n')],
    ['columns', describeColumns(service, sheet.columns)],
    ['manual', service.manual],
  ].map(([name = '', text = '']) => [`  ${name}`, text]);
  writeResult(console, [
    ink.bold(service.name),
    ...wrapText(`  ${service.about}`, width, '  '),
    '',
    ...formatTable([{ title: '' }, { title: '' }], facts, width),
    '',
    ...formatOptions(sheet.options, ink, width),
    '',
    ink.bold('to paste'),
    ...sheet.pasted.map((line) => `  ${line}`),
  ]);
}

export function printServiceJson(console: Console, sheet: ServiceSheet): void {
  printJson(console, describeSheet(sheet));
}

function describeSheet(sheet: ServiceSheet) {
  const { service, columns, schema, example } = sheet;
  return {
    ...describeLine(sheet),
    manual: service.manual,
    defaultModel: service.defaultModel,
    limits: service.limits,
    columns,
    options: schema,
    example,
  };
}

function describeLine({ vendor, service, skus }: ServiceLine) {
  return {
    name: service.name,
    vendor: vendor.name,
    vendorCall: service.vendorCall,
    about: service.about,
    kinds: service.kinds,
    deliveries: service.deliveries,
    maxBatch: service.maxBatch,
    maxAttempts: service.maxAttempts ?? defaultMaxAttempts,
    skus,
  };
}

function formatOptions(rows: readonly OptionRow[], ink: Ink, width: number | undefined): readonly string[] {
  if (rows.length === 0) return ['options: none'];
  const cells = rows.map((row) => [
    `  ${row.name}`,
    describeValue(row),
    row.isRequired ? 'required' : row.default === undefined ? '-' : JSON.stringify(row.default),
    row.description,
  ]);
  const titles = ['options', 'value', 'default', 'what it does'];
  const [head = '', ...lines] = formatTable(
    titles.map((title) => ({ title })),
    cells,
    width,
  );
  return [ink.bold(head), ...lines];
}

function describeValue({ type, range }: OptionRow): string {
  return range === '' ? type : `${type}: ${range}`;
}

function describeForm({ deliveries, maxBatch }: Service): string {
  const form = deliveries.map((delivery) => (delivery === 'call' ? 'one call' : delivery)).join(', ');
  return maxBatch > 1 ? `${form}, batch to ${maxBatch}` : form;
}

function explainDelivery(delivery: Delivery): string {
  switch (delivery) {
    case 'call':
      return 'call: the answer is in the reply';
    case 'poll':
      return 'poll: a job, read until it is done';
    case 'callback':
      return 'callback: a job, the vendor calls back when it is done';
    case 'sync':
      return 'sync: the reply is held until the answer is there';
  }
}

function describeSku({ sku, about, price }: SkuLine): string {
  return `${sku}: ${formatTiers(price)}${about === '' ? '' : ` (${about})`}`;
}

/** Columns of `items.csv` under the example's options. */
function describeColumns({ name }: Service, { metrics, tops }: ServiceColumns): string {
  const columns = [
    ...metrics.map((metric) => `${name}.${metric}`),
    ...tops.flatMap(({ op }) => {
      const base = op === undefined ? name : `${name}.${op}`;
      return [`${base}.top_label`, `${base}.top_score`];
    }),
  ];
  return columns.length === 0 ? 'none' : columns.join('\n');
}
