/** Says which media could not be read before they were priced: the first few one by one, the rest at the end. */
import type { Item } from '../domain/item.ts';
import type { Log } from '../domain/log.ts';

const mostShown = 5;

/** Makes the note-taker of one run. */
export function makeUnreadNotes(log: Log): (item: Item, why: string) => void {
  let count = 0;
  return (item, why) => {
    count += 1;
    if (count <= mostShown) {
      log.warn('the length could not be read, so that an assumption stands in for it on the bill', {
        item: item.id,
        why,
      });
    } else if (count === mostShown + 1) {
      log.warn('the lengths of more items could not be read; bill.json counts them');
    }
  };
}
