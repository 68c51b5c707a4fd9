/**
 * Reads an S3 Inventory: a manifest.json that names gzipped CSV parts, whose columns it tells and whose keys are
 * URL-encoded. AWS, "Inventory manifest", read 2026-11-20.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import { linesOfPart } from '../domain/item.ts';
import { wrongUse } from '../domain/problem.ts';
import type { InventorySource } from '../domain/settings.ts';
import type { Columns } from './column.ts';
import { readCsvRecords } from './csv-record.ts';
import { type ManifestTools, parseObjectPath, readManifestBytes } from './manifest-bytes.ts';
import { breakRow, readRow, type Row, type RowField } from './manifest-row.ts';

const mostManifestBytes = 64 * 1024 * 1024;

const manifestShape = z.object({
  fileFormat: z.string(),
  fileSchema: z.string(),
  files: z.array(
    z.object({ key: z.string(), size: z.number().optional(), MD5checksum: z.string().optional() }),
  ),
});

/** Their columns under our names; others of an inventory say nothing about media. */
const fieldNames: Readonly<Record<string, RowField>> = {
  Bucket: 'bucket',
  Key: 'key',
  Size: 'size',
  LastModifiedDate: 'last_modified',
  ETag: 'etag',
};

interface Schema extends Columns {
  readonly isLatest: number;
  readonly isDeleteMarker: number;
}

/**
 * The rows of all parts in their order. Delete markers, versions that are not the latest and folder markers are passed
 * over. The parts are read from the bucket that the manifest lies in, whichever it names, and held against the size and
 * the MD5 that it gives.
 *
 * @throws Stop with exit 2 where the manifest is none, or not in CSV, or a part is another than it names
 */
export async function* readInventoryRows(
  source: InventorySource,
  tools: ManifestTools,
): AsyncGenerator<Iterable<Row>> {
  const address = parseObjectPath(source.manifest);
  if (address === undefined) {
    throw wrongUse(`${source.manifest}: expected s3://storage/bucket/key of a manifest.json. Correct it.`);
  }
  const { files, fileSchema } = await readInventory(source, tools);
  const schema = readSchema(source, fileSchema);
  for (const [part, { key, size, MD5checksum }] of files.entries()) {
    const promised = { sizeBytes: size, md5: MD5checksum };
    const name = basename(key);
    const path = `s3://${address.storage}/${address.bucket}/${key}`;
    for await (const pieces of readCsvRecords(readManifestBytes(path, 'utf-8', tools, promised), ',')) {
      yield pieces.map((piece) => {
        const line = part * linesOfPart + (piece.form === 'record' ? piece.record.line : piece.line);
        if (piece.form === 'not-utf8') throw wrongUse(`${path}:${piece.line}: expected text in UTF-8.`);
        if (piece.form === 'broken') return breakRow(line, `${name}: ${piece.message}`);
        const row = readRow({ ...piece.record, line }, schema, { storage: source.storage });
        if (row.isBroken) return breakRow(line, `${name}: ${row.message}`);
        return isPassedOver(piece.record.fields, row, schema) ? { ...row, isPassedOver: true } : row;
      });
    }
  }
}

async function readInventory(
  source: InventorySource,
  tools: ManifestTools,
): Promise<z.output<typeof manifestShape>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readManifestBytes(source.manifest, 'utf-8', tools)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostManifestBytes) {
      throw wrongUse(
        `${source.manifest}: expected the manifest.json of an S3 Inventory, found more than ${mostManifestBytes} bytes. Correct the path.`,
      );
    }
  }
  const manifest = manifestShape.safeParse(parseJson(Buffer.concat(chunks).toString()));
  if (!manifest.success) {
    const expected = 'expected the manifest.json of an S3 Inventory with fileFormat, fileSchema and files';
    throw wrongUse(`${source.manifest}: ${expected}, found something else. Correct the path.`);
  }
  if (manifest.data.fileFormat !== 'CSV') {
    const found = `found "${manifest.data.fileFormat}"`;
    throw wrongUse(
      `${source.manifest}: expected fileFormat "CSV", ${found}. Set the inventory's format to CSV.`,
    );
  }
  return manifest.data;
}

function readSchema({ manifest }: InventorySource, text: string): Schema {
  const names = text.split(',').map((name) => name.trim());
  const at = new Map<RowField, number>();
  for (const [index, name] of names.entries()) {
    const field = Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined;
    if (field !== undefined) at.set(field, index);
  }
  if (!at.has('bucket') || !at.has('key')) {
    throw wrongUse(
      `${manifest}: expected Bucket and Key in fileSchema, found "${text}". Check the inventory.`,
    );
  }
  return {
    width: names.length,
    at,
    areKeysEncoded: true,
    isLatest: names.indexOf('IsLatest'),
    isDeleteMarker: names.indexOf('IsDeleteMarker'),
  };
}

function isPassedOver(fields: readonly string[], row: Row, schema: Schema): boolean {
  if (fields[schema.isDeleteMarker] === 'true' || fields[schema.isLatest] === 'false') return true;
  return !row.isBroken && row.item.sizeBytes === 0 && row.item.key?.endsWith('/') === true;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
