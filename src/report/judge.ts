/** Another policy applied to the stored answers of a run: which verdicts would flip. Nobody is called. */
import {
  type Evidence,
  type Flip,
  makeVerdictTally,
  nameVerdict,
  type VerdictChange,
} from '../domain/change.ts';
import type { ItemRow, Ledger } from '../domain/ledger.ts';
import { type Policy, verdicts } from '../domain/policy.ts';
import { findHits } from './gather/hit.ts';
import { makeWorstFirst } from './gather/worst-first.ts';
import { judgeRow } from './judged-item.ts';
import { readPages } from './pages.ts';
import type { RowStream } from './row-stream.ts';
import { addressColumns } from './table/address.ts';
import { type Column, liftColumns } from './table/column.ts';

export const flipColumns: readonly Column<Flip>[] = [
  ...liftColumns(addressColumns, (row: Flip) => row.item),
  { name: 'from', kind: 'text', read: (row) => row.from },
  { name: 'to', kind: 'text', read: (row) => row.to },
  { name: 'rule', kind: 'text', read: (row) => row.evidence?.rule },
  { name: 'service', kind: 'text', read: (row) => row.evidence?.service },
  { name: 'op', kind: 'text', read: (row) => row.evidence?.op },
  { name: 'label', kind: 'text', read: (row) => row.evidence?.name },
  { name: 'score', kind: 'text', read: (row) => row.evidence?.value },
];

export interface Judging {
  readonly ledger: Pick<Ledger, 'readItems'>;
  readonly run: string;
  /** The run's own policy, as it is today. */
  readonly policy: Policy;
  readonly other: Policy;
  readonly streams: readonly RowStream<Flip>[];
  /** How many of the worst flips are kept. */
  readonly show: number;
  readonly stop?: AbortSignal | undefined;
}

export interface Judged {
  readonly items: number;
  readonly flips: number;
  readonly verdicts: readonly VerdictChange[];
  /** What the other policy flags comes first, then what it lets pass; by how far it lies beyond the rule. */
  readonly worst: readonly Flip[];
}

/** One pass over the run's items; flips leave in source order as they are found. */
export async function judgeRun({
  ledger,
  run,
  policy,
  other,
  streams,
  show,
  stop,
}: Judging): Promise<Judged> {
  const tally = makeVerdictTally();
  const worst = makeWorstFirst<{ rank: number; order: number; flip: Flip }>(show);
  let [items, flips] = [0, 0];
  const head = { run, policies: { from: policy.name, to: other.name } };
  for (const stream of streams) await stream.begin(head);
  for await (const page of readPages(ledger, run, stop)) {
    items += page.length;
    const found = page.flatMap((row) => findFlip(row, policy, other) ?? []);
    for (const { flip, severity } of found) {
      flips += 1;
      tally.add(flip.from, flip.to);
      worst.add({ rank: 4 * rankOf(flip.to) + rankOf(flip.from) + severity, order: flips, flip });
    }
    for (const stream of streams) await stream.write(found.map(({ flip }) => flip));
  }
  const counts = { items, verdicts: tally.list() };
  for (const stream of streams) await stream.end(counts);
  return { ...counts, flips, worst: worst.list().map(({ flip }) => flip) };
}

function findFlip(
  row: ItemRow,
  policy: Policy,
  other: Policy,
): { readonly flip: Flip; readonly severity: number } | undefined {
  const [from, to] = [judgeRow(policy, row), judgeRow(other, row)].map(({ verdict }) => nameVerdict(verdict));
  if (from === undefined || to === undefined || from === to) return undefined;
  const graver = rankOf(to) > rankOf(from) ? other : policy;
  const [hit] = findHits(graver, row);
  const evidence: Evidence | undefined = hit && {
    rule: graver.rules[hit.rule]?.reason ?? '',
    service: hit.service,
    op: hit.op,
    name: hit.name,
    value: hit.value,
  };
  return { flip: { item: row.item, from, to, evidence }, severity: (hit?.severity ?? 0) / 2 };
}

function rankOf(verdict: Flip['to']): number {
  return verdict === 'none' ? -1 : verdicts.indexOf(verdict);
}
