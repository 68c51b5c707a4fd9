/** What a shape expects, in words: read from its JSON Schema, so that ranges stand in one place only. */
import { z } from 'zod';
import type { Path } from './document.ts';

/** The part of JSON Schema that our shapes use. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode | readonly SchemaNode[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly not?: SchemaNode;
  readonly [key: string]: unknown;
}

/** The JSON Schema of what a person may write for a shape. */
export function makeSchema(shape: z.ZodType): SchemaNode {
  return z.toJSONSchema(shape, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // zod leaves examples of transformed values out of the input side, though ours are what people write.
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
      // It also writes the limits of safe integers where a shape names none.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as SchemaNode;
}

/** The schema at a path; `undefined` where the schema does not say. */
export function schemaAt(schema: SchemaNode, path: Path): SchemaNode | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return schema;
  const next = stepInto(schema, step);
  const found = next && schemaAt(next, rest);
  if (found) return found;
  for (const branch of branchesOf(schema)) {
    const inner = schemaAt(branch, path);
    if (inner) return inner;
  }
  return undefined;
}

/** Keys that a map at this place may have and that work. */
export function keysOf(schema: SchemaNode): readonly string[] {
  const own = Object.entries(schema.properties ?? {})
    .filter(([, node]) => node.not === undefined)
    .map(([key]) => key);
  return [...new Set([...own, ...branchesOf(schema).flatMap(keysOf)])];
}

/** `a whole number from 1 to 10`, `one of "free", "billed"`, `a text or a list`. */
export function describeSchema(schema: SchemaNode): string {
  if (schema.enum) return `one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const branches = branchesOf(schema);
  if (branches.length > 0) return [...new Set(branches.map(describeSchema))].join(' or ');
  switch (schema.type) {
    case 'integer':
      return `a whole number${describeRange(schema)}`;
    case 'number':
      return `a number${describeRange(schema)}`;
    case 'string':
      return describeText(schema);
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list${describeCount(schema)}`;
    case 'object':
      return 'a map';
    case undefined:
    default:
      return 'another value';
  }
}

function stepInto(schema: SchemaNode, step: string | number): SchemaNode | undefined {
  if (typeof step === 'number') {
    return Array.isArray(schema.items) ? schema.items[step] : (schema.items as SchemaNode | undefined);
  }
  if (schema.properties && Object.hasOwn(schema.properties, step)) return schema.properties[step];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function branchesOf(schema: SchemaNode): readonly SchemaNode[] {
  return schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
}

function describeRange(schema: SchemaNode): string {
  const { minimum: low, maximum: high, exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  const floor = low !== undefined ? `at least ${low}` : above !== undefined ? `above ${above}` : [];
  const ceiling = high !== undefined ? `at most ${high}` : below !== undefined ? `below ${below}` : [];
  const limits = [floor, ceiling].flat().join(' and ');
  return limits === '' ? '' : ` that is ${limits}`;
}

function describeText(schema: SchemaNode): string {
  if (schema.minLength === 1 && schema.maxLength === 1) return 'a text of one character';
  const most = schema.maxLength === undefined ? '' : ` of at most ${schema.maxLength} characters`;
  return schema.minLength === undefined ? `a text${most}` : `a text${most} that is not empty`;
}

function describeCount(schema: SchemaNode): string {
  const least = schema.minItems;
  const most = schema.maxItems;
  if (least !== undefined && most !== undefined) return ` of ${least} to ${most} entries`;
  if (least !== undefined) return ` of at least ${least} ${least === 1 ? 'entry' : 'entries'}`;
  return most === undefined ? '' : ` of at most ${most} entries`;
}
