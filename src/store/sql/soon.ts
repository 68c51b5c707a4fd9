/**
 * Answers that may be there already. Most of what a transaction asks for is: a file answers at once, and what a server will be
 * asked for is read ahead. A promise for each of a thousand answers takes longer than the answers do.
 */
export type Soon<Value> = Value | Promise<Value>;

/** Goes on with a value, at once where it is there. */
export function after<Value, Next>(soon: Soon<Value>, next: (value: Value) => Soon<Next>): Soon<Next> {
  return soon instanceof Promise ? soon.then(next) : next(soon);
}

/** All of these. */
export function together<One, Other, Third>(
  one: Soon<One>,
  other: Soon<Other>,
  third: Soon<Third>,
): Soon<readonly [One, Other, Third]> {
  if (one instanceof Promise || other instanceof Promise || third instanceof Promise) {
    return Promise.all([one, other, third]);
  }
  return [one, other, third];
}

/** A step for each, one after the other, without a pause where none has to be waited for. */
export function inTurn<One>(list: readonly One[], step: (one: One, place: number) => Soon<void>): Soon<void> {
  for (let place = 0; place < list.length; place += 1) {
    const waited = step(list[place] as One, place);
    if (waited) return goOn(waited, list, step, place + 1);
  }
  return undefined;
}

async function goOn<One>(
  waited: Promise<void>,
  list: readonly One[],
  step: (one: One, place: number) => Soon<void>,
  from: number,
): Promise<void> {
  await waited;
  for (let place = from; place < list.length; place += 1) await step(list[place] as One, place);
}
