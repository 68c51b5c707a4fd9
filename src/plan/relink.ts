/** Gives tasks of the ledger back what it keeps of their items in part only, from the manifest's rows. */
import { type Item, linesOfPart, type RowLinks } from '../domain/item.ts';
import { wrongUse } from '../domain/problem.ts';
import { contentIdOf } from '../domain/reuse.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { Task } from '../domain/task.ts';
import { makeKeys } from './plan-tasks.ts';

/**
 * The task with its row's own links. The row must be about the very content that was planned; a link may bear another
 * signature by now.
 *
 * @throws `Stop` with exit 2 where the manifest has another row in its place, or none
 */
export function makeRelinker(
  pipeline: Pick<Pipeline, 'services' | 'source' | 'reuse'>,
): (task: Task, row: RowLinks | undefined) => Task {
  const keyOf = makeKeys(pipeline);
  const uses = new Map(pipeline.services.map((use) => [use.name, use]));
  const by = pipeline.reuse.by === 'path' ? 'path' : 'content';
  return (task, row) => {
    const { isUrlCut: _isUrlCut, ...stored } = task.item;
    const use = uses.get(task.service);
    const found = row && { ...stored, ...row };
    const key = found && use && keyOf(use, found, contentIdOf(found, by));
    if (!found || key !== task.reuseKey) throw refuse(pipeline, stored, row);
    return { ...task, item: { ...found, id: stored.id } };
  };
}

function refuse({ source }: Pick<Pipeline, 'source'>, planned: Item, row: RowLinks | undefined): Error {
  const path = 'path' in source ? source.path : '';
  const { buffer, byteOffset } = planned.position;
  const line = new DataView(buffer, byteOffset).getBigUint64(0) % BigInt(linesOfPart);
  const same = 'a row of that id with other media';
  const found = row === undefined ? 'no such row' : row.id === planned.id ? same : `"${row.id}"`;
  return wrongUse(
    `${path}:${line}: expected item "${planned.id}", as the run was planned, found ${found}. The manifest has changed, or is another one here: put the one of the run in its place.`,
  );
}
