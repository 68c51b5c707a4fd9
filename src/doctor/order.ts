/** Whether a storage lists as parallel listing needs it: keys in order, pages that go on, StartAfter with any key. */
import type { Diagnosis } from '../domain/diagnosis.ts';
import { compareKeys } from '../domain/key-order.ts';
import { exitCodes, Stop } from '../domain/problem.ts';
import type { BucketSource } from '../domain/settings.ts';
import type { ListedObject, ListPage, ObjectStorage } from '../domain/storage.ts';

/** Behind a key that exists, before the next one: no server needs such a key to be there. */
const behind = '\u{10FFFD}';

/** What the objects of a prefix's first page and at most four more requests show. `reach` begins the message. */
export async function examineOrder(
  source: BucketSource,
  { prefix, objects }: { readonly prefix: string; readonly objects: readonly ListedObject[] },
  reach: string,
  storage: Pick<ObjectStorage, 'list'>,
): Promise<Diagnosis> {
  const subject = `storage ${source.storage}`;
  const distrust = (fault: string): Diagnosis => ({
    level: 'fail',
    subject,
    message: `${reach}, but ${fault}. Its listing cannot be believed: use an inventory or another manifest.`,
    exitCode: exitCodes.wrongUse,
  });
  const wrong = objects.findIndex((object, at) => compareKeys(objects[at - 1]?.key ?? '', object.key) >= 0);
  const isOrdered = wrong <= 0;
  if (isOrdered && objects.length < 3)
    return { level: 'ok', subject, message: `${reach}; too few keys to try paging` };
  const ask = { storage: source.storage, bucket: source.bucket, prefix };
  const fault =
    objects.length < 3
      ? undefined
      : await examinePaging({ objects, isOrdered }, (more) => storage.list({ ...ask, ...more }));
  if (fault !== undefined) return distrust(fault);
  if (!isOrdered) {
    const message = `${reach}; keys come in an order of its own ("${objects[wrong]?.key}" after "${objects[wrong - 1]?.key}", expected the order of UTF-8 bytes): one listing goes on page after page, which is slower, and from the beginning again where a run is interrupted. An S3 Inventory is faster.`;
    return { level: 'warn', subject, message };
  }
  const middle = Math.floor((objects.length - 1) / 2);
  const key = objects[middle]?.key ?? '';
  const next = objects[middle + 1]?.key;
  const beyond = objects.slice(middle + 1).find((object) => !object.key.startsWith(key))?.key;
  const goesOnAt = async (startAfter: string): Promise<string | undefined> => {
    const page = await storage.list({ ...ask, startAfter, maxKeys: 5 }).catch(forgiveRefusal);
    return page?.objects[0]?.key;
  };
  if ((await goesOnAt(key)) !== next) {
    const advice = source.parallel === 1 ? '' : ' Set parallel: 1.';
    const message = `${reach}; lists in order, but StartAfter is not honoured: one listing goes on page after page, which is slower and complete.${advice}`;
    return { level: 'warn', subject, message };
  }
  if (beyond !== undefined && (await goesOnAt(`${key}${behind}`)) !== beyond) {
    const message = `${reach}; lists in order, but StartAfter finds nothing behind a key that does not exist: parallel listing is complete but gains little. Set parallel: 1.`;
    return { level: 'warn', subject, message };
  }
  return { level: 'ok', subject, message: `${reach}; lists in order, pages go on, StartAfter works` };
}

/** What is wrong with two pages of two keys each; `undefined` where the second goes on behind the first. */
async function examinePaging(
  { objects, isOrdered }: { readonly objects: readonly ListedObject[]; readonly isOrdered: boolean },
  list: (more: { readonly maxKeys: number; readonly token?: string }) => Promise<ListPage>,
): Promise<string | undefined> {
  const first = await list({ maxKeys: 2 });
  // A server that gives more than was asked for leaves nothing to go on behind.
  if (first.objects.length !== 2) return undefined;
  if (!first.isTruncated) return 'a page of two keys says that no more follow, though they do';
  if (first.nextToken === undefined) return 'a page that is not the last has no token to go on with';
  const second = await list({ maxKeys: 2, token: first.nextToken });
  if (!isOrdered && second.objects.length > 0) {
    const again = second.objects.find(({ key }) => first.objects.some((one) => one.key === key));
    return again && `the second page repeats "${again.key}" of the first`;
  }
  const [expected, found] = [objects[2]?.key, second.objects[0]?.key];
  if (found === expected) return undefined;
  return `the second page begins with ${found === undefined ? 'no key' : `"${found}"`} where "${expected}" was expected`;
}

/** A server may refuse a parameter that it does not know; that is an answer to our question. */
function forgiveRefusal(error: unknown): undefined {
  if (error instanceof Stop && error.exitCode === exitCodes.wrongUse) return undefined;
  throw error;
}
