/** Reads a manifest as a stream of pages; a broken row is reported and the rest goes on. */
import pLimit from 'p-limit';
import type { BrokenRow, Item, SourcePage } from '../domain/item.ts';
import { kindOf } from '../domain/kind.ts';
import { redactLinks } from '../domain/link.ts';
import { wrongUse } from '../domain/problem.ts';
import type { CsvSource, InventorySource, JsonlSource } from '../domain/settings.ts';
import type { ObjectStorage } from '../domain/storage.ts';
import { isKindHidden } from './content-type.ts';
import { readCsvRows } from './csv-rows.ts';
import { readInventoryRows } from './inventory.ts';
import { readJsonRows } from './json-rows.ts';
import { type ManifestTools, readManifestBytes } from './manifest-bytes.ts';
import { breakCutRow, breakRow, type Row } from './manifest-row.ts';
import type { Selection } from './select.ts';

/** Few milliseconds of planning: calls and commits wait for it. */
const rowsOfPage = 100;
/** The one page that a look without planning takes. */
const rowsOfGlance = 500;
/** A page of posts that are all as long as a row may be would take more memory than a run has. */
const charactersOfPage = 1024 * 1024;
/** Heads in progress at once. */
const headConcurrency = 8;

/**
 * Yields the rows of a manifest in pages of 100, or fewer where they are long. Rows with a key in a known storage but without etag or size, or
 * of no known kind, are completed by HEAD; one whose object is not there is broken. Neighbours of one id that name services are one item.
 *
 * @throws Stop with exit 2 where the manifest cannot be used or too many rows are broken
 */
export async function* readManifest(
  source: CsvSource | JsonlSource | InventorySource,
  selection: Selection,
  tools: ManifestTools,
): AsyncGenerator<SourcePage> {
  const limit = pLimit(headConcurrency);
  const mostRows = tools.isGlance === true ? rowsOfGlance : rowsOfPage;
  const complete = async (item: Item): Promise<Item | undefined> =>
    tools.isGlance === true ? item : await limit(() => completeItem(item, tools.storage));
  const toPage = async (rows: readonly Row[], isLast: boolean): Promise<SourcePage> =>
    await makePage(await refuseCut(rows, tools), isLast, selection, complete);
  let rows: Row[] = [];
  let characters = 0;
  let broken = 0;
  for await (const more of readRows(source, tools)) {
    for (const row of more) {
      const merged = mergeRows(rows.at(-1), row);
      characters += measure(row);
      if (merged !== undefined) rows[rows.length - 1] = merged;
      else if (rows.length < mostRows && characters < charactersOfPage) rows.push(row);
      else {
        const page = await toPage(rows, false);
        yield page;
        broken += page.broken.length;
        checkBroken(source, broken);
        rows = [row];
        characters = measure(row);
      }
    }
  }
  const last = await toPage(rows, true);
  const isLast = broken + last.broken.length <= mostBroken(source);
  yield { ...last, isLast };
  checkBroken(source, broken + last.broken.length);
}

/** About how many characters a row keeps in memory. */
function measure(row: Row): number {
  if (row.isBroken) return row.message.length;
  const { id, key, url, title, text, images } = row.item;
  const length = (value: string | undefined) => value?.length ?? 0;
  const listed = images?.reduce((sum, image) => sum + image.length, 0) ?? 0;
  return id.length + length(key) + length(url) + length(title) + length(text) + listed;
}

function readRows(
  source: CsvSource | JsonlSource | InventorySource,
  tools: ManifestTools,
): AsyncGenerator<Iterable<Row>> {
  if (source.form === 'inventory') return readInventoryRows(source, tools);
  const chunks = readManifestBytes(source.path, source.encoding, tools);
  return source.form === 'csv' ? readCsvRows(chunks, source) : readJsonRows(chunks, source);
}

/** One row for two of one item that differ in their service; `undefined` where they are two. */
function mergeRows(before: Row | undefined, row: Row): Row | undefined {
  if (before === undefined || before.isBroken || row.isBroken) return undefined;
  const [first, second] = [before.item, row.item];
  if (first.onlyServices === undefined || second.onlyServices === undefined) return undefined;
  if (first.id !== second.id || first.key !== second.key || first.url !== second.url) return undefined;
  const onlyServices = [...new Set([...first.onlyServices, ...second.onlyServices])];
  return { ...before, item: { ...first, onlyServices } };
}

/** Rows of our own reports whose links were cut are broken: the bare link leads to other media, or to none. */
async function refuseCut(rows: readonly Row[], { readEarlier }: ManifestTools): Promise<readonly Row[]> {
  const byLink = rows.flatMap((row) =>
    !row.isBroken && row.isReported === true && row.item.key === undefined ? [row.item.id] : [],
  );
  if (readEarlier === undefined || byLink.length === 0) return rows;
  const earlier = new Map((await readEarlier(byLink)).map((item) => [item.id, item]));
  return rows.map((row) => {
    if (row.isBroken || row.isReported !== true || row.item.url === undefined) return row;
    const known = earlier.get(row.item.id);
    const isCut = known?.isUrlCut === true && known.url === row.item.url;
    return isCut ? breakCutRow(row.line, row.item.url) : row;
  });
}

function mostBroken({ maxBrokenRows }: CsvSource | JsonlSource | InventorySource): number {
  return maxBrokenRows ?? Number.POSITIVE_INFINITY;
}

function checkBroken(source: CsvSource | JsonlSource | InventorySource, broken: number): void {
  if (broken <= mostBroken(source)) return;
  const path = source.form === 'inventory' ? source.manifest : source.path;
  const expected = `expected at most ${mostBroken(source)} (maxBrokenRows), found ${broken}`;
  throw wrongUse(`${path}: too many broken rows: ${expected}. Correct them, or raise maxBrokenRows.`);
}

async function makePage(
  rows: readonly Row[],
  isLast: boolean,
  selection: Selection,
  complete: (item: Item) => Promise<Item | undefined>,
): Promise<SourcePage> {
  const looked = await settle(rows.map((row) => lookAt(row, selection, complete)));
  const items: Item[] = [];
  const broken: BrokenRow[] = [];
  for (const row of looked) {
    if (row === undefined) continue;
    if (row.isBroken) broken.push({ line: row.line, message: row.message });
    else items.push(row.item);
  }
  return { items, unselected: rows.length - items.length - broken.length, broken, isLast };
}

type Look = Row | undefined;

/** The row as it goes into the page; `undefined` where it is not selected. */
function lookAt(
  row: Row,
  selection: Selection,
  complete: (item: Item) => Promise<Item | undefined>,
): Look | Promise<Look> {
  if (row.isBroken) return row;
  if (row.isPassedOver === true || !selection.isPathSelected(row.item)) return undefined;
  const look = (item: Item | undefined): Look => {
    if (item === undefined) return breakRow(row.line, nameAbsent(row.item));
    return selection.isSelected(item) ? { ...row, item } : undefined;
  };
  return isComplete(row.item) ? look(row.item) : complete(row.item).then(look);
}

/** Most manifests say all that is asked: a promise for each of their rows would cost as much as reading it. */
async function settle(looks: readonly (Look | Promise<Look>)[]): Promise<readonly Look[]> {
  const isUnderway = looks.some((look) => look instanceof Promise);
  return isUnderway ? await Promise.all(looks.map(async (look) => await look)) : (looks as readonly Look[]);
}

function isComplete(item: Item): boolean {
  const { object, etag, sizeBytes } = item;
  return object === undefined || (etag !== undefined && sizeBytes !== undefined && !isKindHidden(item));
}

async function completeItem(item: Item, storage: ObjectStorage): Promise<Item | undefined> {
  const facts = item.object && (await storage.head(item.object));
  if (facts === undefined) return undefined;
  const contentType = item.contentType ?? facts.contentType;
  return {
    ...item,
    contentType,
    kind: item.kind ?? kindOf({ ...item, contentType }),
    etag: item.etag ?? facts.etag,
    sizeBytes: item.sizeBytes ?? facts.sizeBytes,
    lastModified: item.lastModified ?? facts.lastModified,
  };
}

function nameAbsent(item: Item): string {
  const { storage, bucket, key } = item.object ?? { storage: '', bucket: '', key: '' };
  return `no object "${redactLinks(key)}" in bucket "${bucket}" of storage "${storage}". Correct the row or remove it.`;
}
