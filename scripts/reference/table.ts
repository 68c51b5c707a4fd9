/** Tables of Markdown, and rows of config keys read from a JSON Schema. */
import { describeNode, type SchemaNode } from '../../src/cli/option-row.ts';

/** Cells are escaped so that no text can break a row. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/[\n\t]/g, ' ');
}

export const code = (text: string) => (text === '' ? '' : `\`${text}\``);

export interface KeyNode extends SchemaNode {
  readonly properties?: Readonly<Record<string, KeyNode>>;
  readonly additionalProperties?: KeyNode | boolean;
  readonly items?: KeyNode;
  readonly anyOf?: readonly KeyNode[];
  readonly allOf?: readonly { readonly if: KeyNode; readonly then: KeyNode }[];
  readonly examples?: readonly unknown[];
}

export interface KeyRow {
  readonly name: string;
  readonly cells: readonly string[];
}

export const keyHeader = ['key', 'value', 'default', 'what it does'];

/** Every key below a node: outer ones before inner ones; `NAME` stands for a name of one's own. */
export function listKeys(node: KeyNode, prefix = ''): readonly KeyRow[] {
  const rows = Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    return [makeRow(name, value, node.required?.includes(key) ?? false), ...listInner(value, name)];
  });
  const seen = new Set<string>();
  return rows.filter(({ name }) => !seen.has(name) && seen.add(name));
}

function listInner(node: KeyNode, name: string): readonly KeyRow[] {
  const map = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  return [
    ...listKeys(node, `${name}.`),
    ...(map ? listInner(map, `${name}.NAME`) : []),
    ...(node.items ? listInner(node.items, `${name}[]`) : []),
    ...(node.anyOf ?? []).flatMap((branch) => listInner(branch, name)),
  ];
}

function makeRow(name: string, node: KeyNode, isRequired: boolean): KeyRow {
  const { type, range } = describeNode(node);
  const example = node.examples?.[0];
  const standard = node.default === undefined ? '' : JSON.stringify(node.default);
  const text = node.description ?? '';
  return {
    name,
    cells: [
      code(name),
      range === '' || range.length > 200 ? type : `${type}: ${range}`,
      isRequired ? 'required' : code(standard),
      example === undefined ? text : `${text} Example: ${code(JSON.stringify(example))}`.trim(),
    ],
  };
}
