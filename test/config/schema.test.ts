/** The JSON Schema for editors: made from the shapes, and committed as they are. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SchemaNode } from '../../src/config/expectation.ts';
import { makeSchemas } from '../../src/config/schema.ts';
import { catalogue } from '../../src/vendors/index.ts';
import { toyCatalogue } from '../support/toy-catalogue.ts';

const folder = join(import.meta.dirname, '../../schema');

test('the committed schemas are those of the shapes; if not: npx tsx scripts/write-schema.ts', async () => {
  const schemas = makeSchemas(catalogue);
  expect((await readdir(folder)).sort()).toEqual(Object.keys(schemas).sort());
  for (const [name, schema] of Object.entries(schemas)) {
    const committed: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'));
    expect({ name, committed }).toEqual({ name, committed: JSON.parse(JSON.stringify(schema)) });
  }
});

test('every key that people write is described', () => {
  const bare: string[] = [];
  const visit = (node: SchemaNode, path: string): void => {
    for (const [key, inner] of Object.entries(node.properties ?? {})) {
      const place = `${path}.${key}`;
      const isNamedMap = ['accounts', 'storages'].includes(key);
      const isChoice = path.endsWith('.if') || inner.const !== undefined;
      if (inner.description === undefined && !isNamedMap && !isChoice) bare.push(place);
      visit(inner, place);
    }
    for (const inner of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) visit(inner, path);
    if (node.items && !Array.isArray(node.items)) visit(node.items as SchemaNode, `${path}[]`);
    if (typeof node.additionalProperties === 'object') visit(node.additionalProperties, `${path}.*`);
    for (const inner of node.allOf ?? []) visit(inner.then as SchemaNode, `${path}.then`);
  };
  for (const [name, schema] of Object.entries(makeSchemas(toyCatalogue))) visit(schema, name);
  // Units of a free quota, and what an op is, explain themselves.
  expect(bare).toEqual([
    'pipeline.schema.json.services[].then.options.ops[].op',
    'prices.schema.json.skus.*.free.units',
    'prices.schema.json.skus.*.free.per',
  ]);
});

test('options are checked by the service that is used', () => {
  const pipeline = makeSchemas(toyCatalogue)['pipeline.schema.json'];
  const entry = pipeline?.properties?.services?.items as SchemaNode | undefined;
  expect(entry?.properties?.use?.enum).toEqual([
    'toy/image',
    'toy/video',
    'toy/watch',
    'toy/post',
    'toy/repaint',
  ]);
  const branch = entry?.allOf?.[0] as { if: SchemaNode; then: SchemaNode } | undefined;
  expect(branch?.if).toEqual({ properties: { use: { const: 'toy/image' } }, required: ['use'] });
  expect(branch?.then.properties?.options).toMatchObject({
    additionalProperties: false,
    properties: {
      top_k: { type: 'integer', minimum: 1, maximum: 10, default: 5 },
      model_name: { type: 'string' },
    },
    examples: [{ top_k: 3 }],
  });
});

test('an account has the credential fields of its vendor', () => {
  const accounts = makeSchemas(toyCatalogue)['accounts.schema.json']?.properties?.accounts;
  const entry = accounts?.additionalProperties as SchemaNode | undefined;
  const [toy] = (entry?.allOf ?? []) as readonly { then: SchemaNode }[];
  expect(toy?.then.required).toEqual(['vendor', 'key', 'secret']);
  expect(Object.keys(toy?.then.properties ?? {})).toContain('limits');
});
