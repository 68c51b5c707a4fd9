/** Everything the catalogue knows of one service, as plain data: printed for people, or as JSON. */
import type { PriceBook, SkuPrice } from '../domain/pricing.ts';
import type { Catalogue, Service, ServiceColumns, Vendor } from '../domain/service.ts';
import { type OptionRow, type SchemaNode, listOptions } from './option-row.ts';

export interface SkuLine {
  readonly sku: string;
  readonly unit: string;
  readonly about: string;
  /** Absent where no price book names it. */
  readonly price?: SkuPrice | undefined;
}

/** A service with what it is billed by under its example options. */
export interface ServiceLine {
  readonly vendor: Vendor;
  readonly service: Service;
  readonly skus: readonly SkuLine[];
}

export interface ServiceSheet extends ServiceLine {
  readonly schema: SchemaNode;
  readonly options: readonly OptionRow[];
  readonly columns: ServiceColumns;
  /** An entry of `services:` to paste. */
  readonly example: Readonly<Record<string, unknown>>;
  /** The same as lines of YAML. */
  readonly pasted: readonly string[];
}

export function listServices(catalogue: Catalogue, prices: PriceBook | undefined): readonly ServiceLine[] {
  return catalogue.flatMap((vendor) =>
    vendor.services.map((service) => ({ vendor, service, skus: listSkus(vendor, service, prices) })),
  );
}

/** Loads zod and yaml, which nothing else here needs. */
export async function makeServiceSheet(line: ServiceLine): Promise<ServiceSheet> {
  const [{ z }, { stringify }] = await Promise.all([import('zod'), import('yaml')]);
  const { service } = line;
  const example = makeExample(service);
  const shape = z.toJSONSchema(service.options, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  const schema = addModelName(shape, service.defaultModel);
  return {
    ...line,
    schema,
    options: listOptions(schema),
    columns: service.columns(readExampleOptions(service)),
    example,
    pasted: stringify({ services: [example] }, { lineWidth: 0 })
      .trimEnd()
      .split('\n'),
  };
}

function listSkus(vendor: Vendor, service: Service, prices: PriceBook | undefined): readonly SkuLine[] {
  return service.skus(readExampleOptions(service)).map((sku) => {
    const known = vendor.skus.find(({ name }) => name === sku);
    return { sku, unit: known?.unit ?? 'unit', about: known?.about ?? '', price: prices?.skus.get(sku) };
  });
}

function readExampleOptions(service: Service): unknown {
  return service.options.parse(service.exampleOptions);
}

/** `model_name` stands among the options for the person's sake, and is no option of the service's own shape. */
function addModelName(shape: SchemaNode, defaultModel: string | undefined): SchemaNode {
  if (defaultModel === undefined) return shape;
  const model: SchemaNode = {
    type: 'string',
    description:
      'A custom model that the vendor has switched on for the account. Where it costs several units a call, set ' +
      'unitsPerCall beside use',
    ...(defaultModel === '' ? {} : { default: defaultModel }),
  };
  return { ...shape, properties: { ...shape.properties, model_name: model } };
}

/** The account may be left out where there is one of the vendor; a batch is shown where there can be one. */
function makeExample(service: Service): Readonly<Record<string, unknown>> {
  const given = service.exampleOptions;
  const hasOptions = typeof given === 'object' && given !== null && Object.keys(given).length > 0;
  return {
    use: service.name,
    ...(service.maxBatch > 1 ? { batch: Math.min(20, service.maxBatch) } : {}),
    ...(hasOptions ? { options: given } : {}),
  };
}
