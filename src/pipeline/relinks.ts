/** Links for shards of a manifest: the ledger keeps no signature, so that whoever carries a shard out reads its rows again. */
import type { RowLinks } from '../domain/item.ts';
import type { RunLedger } from '../domain/ledger.ts';
import type { Pipeline } from '../domain/settings.ts';
import type { TaskRange } from '../domain/shard.ts';
import type { Task } from '../domain/task.ts';
import { makeRelinker } from '../plan/relink.ts';
import { ManifestReader, namePosition } from '../source/reread.ts';
import { openObjectStorage } from '../wire/s3.ts';
import type { Outside } from './outside.ts';

const pageSize = 500;

export type Relink = (tasks: readonly Task[]) => Promise<readonly Task[]>;

/** Of one run. */
export interface Relinks {
  /**
   * Reads what the shard needs of the manifest, and answers what gives its tasks their links. All of it is held against
   * what was planned before anything is sent.
   *
   * @throws `Stop` with exit 2 where the manifest cannot be read here, or is another one
   */
  readonly open: (run: Pick<RunLedger, 'readReady'>, shard: TaskRange) => Promise<Relink>;
  readonly close: () => Promise<void>;
}

/** Nothing for a bucket, whose links are made of what stands in the ledger. */
export function openRelinks({ clock }: Outside, pipeline: Pipeline): Relinks | undefined {
  if (pipeline.source.form === 'bucket') return undefined;
  const storage = openObjectStorage(pipeline.storages, { nowMs: () => clock.now() });
  const reader = new ManifestReader(pipeline, { storage, nowMs: clock.now() });
  const relink = makeRelinker(pipeline);
  return {
    open: async (run, shard) => {
      const cut: Task[] = [];
      for (const { name } of pipeline.services) {
        for (let after = 0; ; ) {
          const page = await run.readReady(name, after, pageSize, shard);
          cut.push(...page.filter(isCut));
          after = page.at(-1)?.id ?? 0;
          if (page.length < pageSize) break;
        }
      }
      const rows = new Map<string, RowLinks>();
      const read = async (tasks: readonly Task[]) => {
        const wanted = new Map(tasks.map(({ item: { position } }) => [namePosition(position), position]));
        for (const name of rows.keys()) wanted.delete(name);
        const positions = [...wanted.values()].toSorted((one, other) => Buffer.compare(one, other));
        for (const [name, row] of await reader.read(positions)) rows.set(name, row);
      };
      const fill = (task: Task): Task =>
        isCut(task) ? relink(task, rows.get(namePosition(task.item.position))) : task;
      await read(cut);
      cut.forEach(fill);
      return async (tasks) => {
        // What an answer let go meanwhile, or waited for another's, was not there at the beginning.
        await read(tasks.filter(isCut));
        return tasks.map(fill);
      };
    },
    close: async () => {
      await reader.close();
      storage.close();
    },
  };
}

function isCut({ item }: Task): boolean {
  return item.isUrlCut === true;
}
