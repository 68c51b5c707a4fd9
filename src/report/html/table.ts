/** A table of the page from columns such as those of the CSV. */
import type { Cell, Column } from '../table/column.ts';
import { html, type Markup } from './markup.ts';

/** A column whose head is in the page's language, and whose cells may be markup. */
export interface PageColumn<Row> {
  readonly name: string | Markup;
  readonly kind: Column<Row>['kind'];
  readonly read: (row: Row) => Cell | Markup;
}

/** Wide tables scroll inside their own frame, which the keyboard can reach. */
export function renderTable<Row>(
  caption: string | Markup,
  columns: readonly PageColumn<Row>[],
  rows: readonly Row[],
): Markup {
  const heads = columns.map(
    ({ name, kind }) =>
      html`<th scope="col" class="${kind}">${typeof name === 'string' ? name.replaceAll('_', ' ') : name}</th>`,
  );
  const lines = rows.map((row) => {
    const cells = columns.map(({ kind, read }) => {
      return html`<td class="${kind}">${renderCell(read(row), kind === 'number')}</td>`;
    });
    return html`<tr>${cells}</tr>`;
  });
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption class="unseen">${caption}</caption>
<thead><tr>${heads}</tr></thead><tbody>${lines}</tbody></table></div>
`;
}

function renderCell(cell: Cell | Markup, isNumber: boolean): string | Markup {
  if (cell === undefined) return '';
  if (isMarkup(cell)) return cell;
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'object') return JSON.stringify(cell);
  return isNumber ? separateThousands(String(cell)) : String(cell);
}

function isMarkup(cell: Cell | Markup): cell is Markup {
  return typeof cell === 'object' && 'markup' in cell;
}

/** `7550.5` as `7,550.5`; exact, since it never becomes a float. */
export function separateThousands(decimal: string): string {
  return decimal.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(?:\d{3})+$)/g, ','));
}
