/** Failed and held tasks grouped by cause, with counts and a few examples, in bounded memory. */
import { type ItemTask, readCode, readMessage } from '../table/task-table.ts';
import type { Cause } from '../../domain/summary.ts';
import { readId } from '../table/address.ts';

export interface Causes {
  /** Ignores tasks that neither failed nor are held. */
  readonly add: (task: ItemTask) => void;
  /** Most frequent first. */
  readonly list: () => readonly Cause[];
}

const mostCauses = 200;
const mostExamples = 5;
const mostCharacters = 500;

/** Causes beyond the first 200 are counted together under the class `other`. */
export function makeCauses(): Causes {
  const causes = new Map<string, Cause>();
  return {
    add(row) {
      const { task } = row;
      if (task.status !== 'failed' && task.status !== 'held') return;
      const named = {
        service: task.service,
        status: task.status,
        class: task.error?.class ?? '',
        code: readCode(task),
        httpStatus: task.error?.httpStatus,
      };
      const key = JSON.stringify(named);
      const isKnown = causes.has(key) || causes.size < mostCauses;
      const other = { service: task.service, status: task.status, class: 'other', code: 'other' };
      const usedKey = isKnown ? key : JSON.stringify(other);
      const cause = causes.get(usedKey) ?? { ...(isKnown ? named : other), count: 0, examples: [] };
      const example = { item: clip(readId(row.item)), message: clip(readMessage(task)) };
      const examples = cause.examples.length < mostExamples ? [...cause.examples, example] : cause.examples;
      causes.set(usedKey, { ...cause, count: cause.count + 1, examples });
    },
    list: () => [...causes.values()].sort((a, b) => b.count - a.count),
  };
}

function clip(text: string): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}...`;
}
