/** Reads the kind of objects whose key has no extension from their content type. */
import pLimit from 'p-limit';
import type { Item } from '../domain/item.ts';
import { extensionOf, kindOf } from '../domain/kind.ts';
import type { Log } from '../domain/log.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import type { ObjectStorage } from '../domain/storage.ts';

const headConcurrency = 16;

/** True for an object that may be media, though neither its row nor its key says so. */
export function isKindHidden({ object, kind, contentType }: Item): boolean {
  return (
    object !== undefined && kind === undefined && contentType === undefined && extensionOf(object.key) === ''
  );
}

/**
 * Answers an item with the kind that its content type tells, by one HEAD. Where the storage does not let us, which is
 * said in the log once, and where the object is gone, the item stays as it is.
 */
export function makeKindReader(
  storage: Pick<ObjectStorage, 'head'>,
  log: Pick<Log, 'warn'>,
): (item: Item) => Promise<Item> {
  const limit = pLimit(headConcurrency);
  let isRefused = false;
  const read = async (item: Item): Promise<Item> => {
    if (item.object === undefined || isRefused) return item;
    try {
      const facts = await storage.head(item.object);
      const contentType = facts?.contentType;
      return contentType === undefined ? item : { ...item, contentType, kind: kindOf({ contentType }) };
    } catch (error) {
      if (!(error instanceof Stop) || error.exitCode !== exitCodes.wrongUse) throw error;
      if (!isRefused) log.warn(`${error.message} Keys without an extension are of no known kind, then.`);
      isRefused = true;
      return item;
    }
  };
  return (item) => limit(() => read(item));
}
