/** What the ledger knows of the items of one page, asked for in three questions at once, however many items it has. */
import type { PlanPage } from '../../domain/ledger.ts';
import { addKey, findKnown, type Known } from './known.ts';
import type { Session } from './session.ts';
import { after, type Soon, together } from './soon.ts';

/** An item of the run that stands at a position already. */
export interface StoredItem {
  readonly id: number;
  readonly name: string;
}

export class PlanView {
  readonly #session: Session;
  readonly #items = new Map<string, StoredItem>();
  readonly #takenNames = new Set<string>();
  readonly #keys = new Map<string, Known>();

  private constructor(session: Session) {
    this.#session = session;
  }

  static read(session: Session, { items }: PlanPage): Soon<PlanView> {
    const { db, run } = session;
    const reuseKeys = [...new Set(items.flatMap(({ tasks }) => tasks.map(({ reuseKey }) => reuseKey)))];
    const stored = db.each<StoredItem>(
      'SELECT id, name FROM items WHERE run = ? AND position = ?',
      items.map(({ item }) => [run, item.position]),
    );
    const taken = db.each(
      'SELECT 1 AS taken FROM items WHERE run = ? AND SAME(name, ?)',
      items.map(({ item }) => [run, item.id]),
    );
    const known = findKnown(session, reuseKeys);
    return after(together(stored, taken, known), ([placed, names, found]) => {
      const view = new PlanView(session);
      for (const [index, { item }] of items.entries()) {
        const [one] = placed[index] ?? [];
        if (one) view.#items.set(spell(item.position), one);
        if ((names[index] ?? []).length > 0) view.#takenNames.add(item.id);
      }
      for (const [index, reuseKey] of reuseKeys.entries()) {
        const one = found[index];
        if (one) view.#keys.set(reuseKey, one);
      }
      return view;
    });
  }

  findItem(position: Uint8Array): StoredItem | undefined {
    return this.#items.get(spell(position));
  }

  noteItem(position: Uint8Array, item: StoredItem): void {
    this.#items.set(spell(position), item);
    this.#takenNames.add(item.name);
  }

  /** The id itself, else with the lowest `#N` that is found free in few looks: a manifest may repeat an id a million times. */
  findFreeName(id: string): Soon<string> {
    return this.#takenNames.has(id) ? this.#searchName(id) : id;
  }

  async #searchName(id: string): Promise<string> {
    let taken = 1;
    let free = 2;
    while (await this.#isTaken(`${id}#${free}`)) {
      taken = free;
      free *= 2;
    }
    while (free - taken > 1) {
      const middle = Math.floor((taken + free) / 2);
      if (await this.#isTaken(`${id}#${middle}`)) taken = middle;
      else free = middle;
    }
    return `${id}#${free}`;
  }

  /** What is known of a reuse key, which is known from then on. */
  internKey(reuseKey: string): Known {
    let known = this.#keys.get(reuseKey);
    if (!known) {
      known = addKey(this.#session, reuseKey);
      this.#keys.set(reuseKey, known);
    }
    return known;
  }

  async #isTaken(name: string): Promise<boolean> {
    if (this.#takenNames.has(name)) return true;
    const { db, run } = this.#session;
    return (
      (await db.get('SELECT 1 AS taken FROM items WHERE run = ? AND SAME(name, ?)', [run, name])) !==
      undefined
    );
  }
}

/** Bytes as a word that a map can find. */
function spell(position: Uint8Array): string {
  return Buffer.from(position.buffer, position.byteOffset, position.byteLength).toString('latin1');
}
