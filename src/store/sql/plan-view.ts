/** What the ledger knows of the items of one page, read in three questions however many items it has. */
import type { PlanPage } from '../../domain/ledger.ts';
import { addKey, findKnown, type Known } from './known.ts';
import type { Session } from './session.ts';

/** An item of the run that stands at a position already. */
export interface StoredItem {
  readonly id: number;
  readonly name: string;
}

export class PlanView {
  readonly #session: Session;
  readonly #items: Map<string, StoredItem>;
  readonly #takenNames: Set<string>;
  readonly #keys: Map<string, Known>;

  private constructor(
    session: Session,
    items: Map<string, StoredItem>,
    takenNames: Set<string>,
    keys: Map<string, Known>,
  ) {
    this.#session = session;
    this.#items = items;
    this.#takenNames = takenNames;
    this.#keys = keys;
  }

  static async read(session: Session, { items }: PlanPage): Promise<PlanView> {
    const { db, run } = session;
    const stored = await db.each<StoredItem>(
      'SELECT id, name FROM items WHERE run = ? AND position = ?',
      items.map(({ item }) => [run, item.position]),
    );
    const placed = items.flatMap(({ item }, index) => {
      const found = stored[index]?.[0];
      return found ? [[spell(item.position), found] as const] : [];
    });
    const names = items.flatMap(({ item }, index) => (stored[index]?.[0] ? [] : [item.id]));
    const taken = await db.each(
      'SELECT 1 AS taken FROM items WHERE run = ? AND SAME(name, ?)',
      names.map((name) => [run, name]),
    );
    const reuseKeys = [...new Set(items.flatMap(({ tasks }) => tasks.map(({ reuseKey }) => reuseKey)))];
    const known = await findKnown(session, reuseKeys);
    return new PlanView(
      session,
      new Map(placed),
      new Set(names.filter((_, index) => (taken[index] ?? []).length > 0)),
      new Map(
        reuseKeys.flatMap((reuseKey, index) => {
          const one = known[index];
          return one ? [[reuseKey, one] as const] : [];
        }),
      ),
    );
  }

  findItem(position: Uint8Array): StoredItem | undefined {
    return this.#items.get(spell(position));
  }

  noteItem(position: Uint8Array, item: StoredItem): void {
    this.#items.set(spell(position), item);
    this.#takenNames.add(item.name);
  }

  /** The id itself, else with the lowest `#N` that is found free in few looks: a manifest may repeat an id a million times. */
  async findFreeName(id: string): Promise<string> {
    if (!this.#takenNames.has(id)) return id;
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
