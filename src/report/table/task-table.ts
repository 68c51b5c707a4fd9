/** `tasks.jsonl`, one line for each task, and `failures.csv`, one row for each failed or held one. Both are manifests. */
import type { Item } from '../../domain/item.ts';
import type { ItemRow, TaskRow } from '../../domain/ledger.ts';
import { redactLinks } from '../../domain/link.ts';
import { formatNano } from '../../domain/money.ts';
import { addressColumns } from './address.ts';
import { type Column, liftColumns } from './column.ts';

export interface ItemTask {
  readonly item: Item;
  readonly task: TaskRow;
}

export const taskColumns: readonly Column<ItemTask>[] = [
  ...liftColumns(addressColumns, (row: ItemTask) => row.item),
  { name: 'kind', kind: 'text', read: ({ item }) => item.kind },
  { name: 'sizeBytes', kind: 'number', read: ({ item }) => item.sizeBytes },
  { name: 'etag', kind: 'text', read: ({ item }) => item.etag },
  { name: 'duration', kind: 'number', read: ({ item }) => item.durationSeconds },
  { name: 'service', kind: 'text', read: ({ task }) => task.service },
  { name: 'account', kind: 'text', read: ({ task }) => task.account },
  { name: 'status', kind: 'text', read: ({ task }) => task.status },
  { name: 'reason', kind: 'text', read: ({ task }) => redactLinks(task.reason) },
  { name: 'finding', kind: 'object', read: ({ task }) => task.finding },
  { name: 'usage', kind: 'object', read: ({ task }) => ({ units: task.units, basis: task.basis }) },
  { name: 'charge', kind: 'number', read: ({ task }) => formatNano(task.charge) },
  { name: 'attempts', kind: 'number', read: ({ task }) => task.attempts },
  { name: 'jobId', kind: 'text', read: ({ task }) => task.job },
  { name: 'error', kind: 'object', read: readError },
  { name: 'startedAt', kind: 'time', read: ({ task }) => task.startedAt },
  { name: 'endedAt', kind: 'time', read: ({ task }) => task.endedAt },
];

export const failureColumns: readonly Column<ItemTask>[] = [
  ...liftColumns(addressColumns, (row: ItemTask) => row.item),
  { name: 'service', kind: 'text', read: ({ task }) => task.service },
  { name: 'status', kind: 'text', read: ({ task }) => task.status },
  { name: 'code', kind: 'text', read: ({ task }) => readCode(task) },
  { name: 'http_status', kind: 'number', read: ({ task }) => task.error?.httpStatus },
  { name: 'message', kind: 'text', read: ({ task }) => readMessage(task) },
  { name: 'attempts', kind: 'number', read: ({ task }) => task.attempts },
];

export function listTasks(row: ItemRow): readonly ItemTask[] {
  return row.tasks.map((task) => ({ item: row.item, task }));
}

export function isFailure(row: ItemTask): boolean {
  return row.task.status === 'failed' || row.task.status === 'held';
}

/** The vendor's code; our own word for the cause where the vendor sent none. */
export function readCode(task: TaskRow): string {
  return task.error?.code || (task.error?.class ?? '');
}

/** The vendor's words, else our reason; links lose their query. */
export function readMessage(task: TaskRow): string {
  return redactLinks(task.error?.message || task.reason);
}

function readError({ task }: ItemTask): object | undefined {
  if (task.error === undefined) return undefined;
  const { class: cause, code, httpStatus, message } = task.error;
  return { class: cause, code, httpStatus, message: redactLinks(message) };
}
