/** The options of a service, one row each, read from the JSON Schema of their shape. */

/** The part of JSON Schema that options use. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

export interface OptionRow {
  /** Path such as `ops[].params.labels[].score`. */
  readonly name: string;
  readonly type: string;
  /** Values or bounds, in words; empty where there are none. */
  readonly range: string;
  readonly isRequired: boolean;
  readonly default?: unknown;
  readonly description: string;
}

/** Outer options before the inner ones, in the order of the shape. */
export function listOptions(schema: SchemaNode, prefix = ''): readonly OptionRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, node]) => {
    const name = `${prefix}${key}`;
    const row: OptionRow = {
      name,
      type: describeType(node),
      range: describeRange(node),
      isRequired: schema.required?.includes(key) ?? false,
      default: node.default,
      description: node.description ?? '',
    };
    return [row, ...listOptions(node, `${name}.`), ...listOptions(node.items ?? {}, `${name}[].`)];
  });
}

/** Type and range of a value, in words. */
export function describeNode(node: SchemaNode): Pick<OptionRow, 'type' | 'range'> {
  return { type: describeType(node), range: describeRange(node) };
}

function describeType(node: SchemaNode): string {
  const branches = node.anyOf ?? [];
  if (branches.length > 0) return [...new Set(branches.map(describeType))].join(' or ');
  switch (node.type) {
    case 'integer':
      return 'whole number';
    case 'number':
      return 'number';
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    case 'array':
      return 'list';
    case 'object':
      return 'map';
    case undefined:
    default:
      return 'any';
  }
}

function describeRange(node: SchemaNode): string {
  const choices = node.enum ?? (node.const === undefined ? undefined : [node.const]);
  if (choices) return choices.map(String).join(', ');
  if (node.anyOf) {
    const ranges = node.anyOf.map(describeRange).filter((range) => range !== '');
    return ranges.join(', ');
  }
  if (node.type === 'array') return describeBounds(node.minItems, node.maxItems, ' entries');
  return describeBounds(node.minimum, node.maximum, '');
}

function describeBounds(least: number | undefined, most: number | undefined, what: string): string {
  if (least !== undefined && most !== undefined && most < Number.MAX_SAFE_INTEGER)
    return `${least} to ${most}${what}`;
  if (least !== undefined && least > Number.MIN_SAFE_INTEGER) return `at least ${least}${what}`;
  return most === undefined || most >= Number.MAX_SAFE_INTEGER ? '' : `at most ${most}${what}`;
}
