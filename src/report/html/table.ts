/** A table of the page from the same columns as the CSV. */
import type { Cell, Column } from '../table/column.ts';
import { html, type Markup } from './markup.ts';

/** Wide tables scroll inside their own frame, which the keyboard can reach. */
export function renderTable<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Markup {
  const heads = columns.map(
    (column) => html`<th scope="col" class="${column.kind}">${column.name.replaceAll('_', ' ')}</th>`,
  );
  const lines = rows.map((row) => {
    const cells = columns.map((column) => {
      return html`<td class="${column.kind}">${renderCell(column.read(row), column.kind === 'number')}</td>`;
    });
    return html`<tr>${cells}</tr>`;
  });
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption class="unseen">${caption}</caption>
<thead><tr>${heads}</tr></thead><tbody>${lines}</tbody></table></div>
`;
}

function renderCell(cell: Cell, isNumber: boolean): string {
  if (cell === undefined) return '';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'object') return JSON.stringify(cell);
  return isNumber ? separateThousands(String(cell)) : String(cell);
}

/** `7550.5` as `7,550.5`; exact, since it never becomes a float. */
export function separateThousands(decimal: string): string {
  return decimal.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(?:\d{3})+$)/g, ','));
}
