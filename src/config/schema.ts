/** JSON Schema of the files that people write, for their editors; made from the shapes that loading uses. */
import type { Catalogue, Service, Vendor } from '../domain/service.ts';
import { makeSchema, type SchemaNode } from './expectation.ts';
import { clusterShape } from './shape/cluster.ts';
import { pipelineShape } from './shape/pipeline.ts';
import { policyShape } from './shape/policy.ts';
import { accountShape, pricesShape, storageShape } from './shape/world.ts';

const dialect = 'http://json-schema.org/draft-07/schema#';

/** File name to schema: `pipeline`, `accounts`, `storages`, `prices`, `policy` and `cluster`, each `.schema.json`. */
export function makeSchemas(catalogue: Catalogue): Readonly<Record<string, SchemaNode>> {
  return {
    'pipeline.schema.json': makePipelineSchema(catalogue),
    'accounts.schema.json': makeAccountsSchema(catalogue),
    'storages.schema.json': makeMapSchema('Mediasweep storages', 'storages', inner(makeSchema(storageShape))),
    'prices.schema.json': makeSchema(pricesShape),
    'policy.schema.json': makeSchema(policyShape),
    'cluster.schema.json': makeSchema(clusterShape),
  };
}

function makePipelineSchema(catalogue: Catalogue): SchemaNode {
  const schema = makeSchema(pipelineShape);
  const services = schema.properties?.services;
  const entry = services?.items as SchemaNode | undefined;
  if (!services || !entry?.properties) return schema;
  const known = catalogue.flatMap((vendor) => vendor.services);
  const use = { ...entry.properties.use, enum: known.map((service) => service.name) };
  const items = {
    ...entry,
    properties: { ...entry.properties, use },
    allOf: known.map((service) => ({
      if: { properties: { use: { const: service.name } }, required: ['use'] },
      // oxlint-disable-next-line unicorn/no-thenable -- the key that JSON Schema prescribes
      then: { properties: { options: makeOptionsSchema(service) } },
    })),
  };
  return { ...schema, properties: { ...schema.properties, services: { ...services, items } } };
}

function makeOptionsSchema(service: Service): SchemaNode {
  const options = inner(makeSchema(service.options));
  const model = { type: 'string', minLength: 1, description: 'A custom model; set unitsPerCall beside it.' };
  return {
    ...options,
    description: `${service.about}. ${service.manual}.`,
    examples: [service.exampleOptions],
    ...(service.defaultModel !== undefined && { properties: { ...options.properties, model_name: model } }),
  };
}

function makeAccountsSchema(catalogue: Catalogue): SchemaNode {
  const common = inner(makeSchema(accountShape));
  const vendor = { ...common.properties?.vendor, enum: catalogue.map((one) => one.name) };
  return makeMapSchema('Mediasweep accounts', 'accounts', {
    type: 'object',
    properties: { vendor },
    required: ['vendor'],
    allOf: catalogue.map((one) => ({
      if: { properties: { vendor: { const: one.name } }, required: ['vendor'] },
      // oxlint-disable-next-line unicorn/no-thenable -- the key that JSON Schema prescribes
      then: makeAccountSchema(common, one),
    })),
  });
}

function makeAccountSchema(common: SchemaNode, vendor: Vendor): SchemaNode {
  const credentials = inner(makeSchema(vendor.credentials));
  return {
    ...common,
    description: vendor.about,
    properties: { ...common.properties, ...credentials.properties },
    required: [...(common.required ?? []), ...(credentials.required ?? [])],
  };
}

function makeMapSchema(title: string, key: string, entry: SchemaNode): SchemaNode {
  return {
    $schema: dialect,
    title,
    type: 'object',
    properties: { [key]: { type: 'object', additionalProperties: entry } },
    additionalProperties: false,
  };
}

/** A schema to be put inside another, without the dialect that only a whole file names. */
function inner({ $schema: _, ...schema }: SchemaNode): SchemaNode {
  return schema;
}
