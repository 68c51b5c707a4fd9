/** `items.csv`: one row for each item, with the columns that each service declares beforehand. */
import type { Finding, Label } from '../../domain/finding.ts';
import type { TopColumn } from '../../domain/service.ts';
import type { JudgedItem } from '../judged-item.ts';
import type { ReportService } from '../request.ts';
import { addressColumns } from './address.ts';
import { type Cell, type Column, liftColumns } from './column.ts';

/** The fixed columns, then those of the services in the pipeline's order. */
export function itemColumns(services: readonly ReportService[]): readonly Column<JudgedItem>[] {
  return [...fixedColumns, ...services.flatMap(serviceColumns)];
}

const fixedColumns: readonly Column<JudgedItem>[] = [
  ...liftColumns(addressColumns, (row: JudgedItem) => row.item),
  { name: 'kind', kind: 'text', read: (row) => row.item.kind },
  { name: 'size_bytes', kind: 'number', read: (row) => row.item.sizeBytes },
  { name: 'etag', kind: 'text', read: (row) => row.item.etag },
  { name: 'last_modified', kind: 'time', read: (row) => row.item.lastModified },
  { name: 'verdict', kind: 'text', read: (row) => row.verdict },
  { name: 'reasons', kind: 'text', read: (row) => row.reasons.join('; ') },
  { name: 'status', kind: 'text', read: (row) => row.status },
];

function serviceColumns(service: ReportService): readonly Column<JudgedItem>[] {
  const from = (read: (finding: Finding) => Cell) => (row: JudgedItem) => {
    const finding = row.tasks.find((task) => task.service === service.name)?.finding;
    return finding === undefined ? undefined : read(finding);
  };
  const metrics = service.columns.metrics.map((metric) => ({
    name: `${service.name}.${metric}`,
    kind: 'text' as const,
    read: from((finding) => (Object.hasOwn(finding.metrics, metric) ? finding.metrics[metric] : undefined)),
  }));
  const tops = service.columns.tops.flatMap((top) => {
    const prefix = top.op === undefined ? service.name : `${service.name}.${top.op}`;
    return [
      {
        name: `${prefix}.top_label`,
        kind: 'text' as const,
        read: from((finding) => findTop(top, finding)?.label),
      },
      {
        name: `${prefix}.top_score`,
        kind: 'number' as const,
        read: from((finding) => findTop(top, finding)?.score),
      },
    ];
  });
  return [...metrics, ...tops];
}

/**
 * The label with the highest score, the first one of equals. A normal label ("nothing special") is passed over if
 * there is another, whatever their scores.
 */
export function findTop(top: TopColumn, finding: Finding): Label | undefined {
  const candidates = finding.labels.filter((label) => top.op === undefined || label.op === top.op);
  const special = candidates.filter((label) => !top.normal.includes(label.label));
  return (special.length > 0 ? special : candidates).reduce<Label | undefined>(
    (best, label) => (best === undefined || label.score > best.score ? label : best),
    undefined,
  );
}
