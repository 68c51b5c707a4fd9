/** The identity that every run is held to: nothing that was selected goes unaccounted. */

/** Of one run, in tasks but for `items` (selected ones) and `services` (of the pipeline). */
export interface Accounts {
  readonly items: number;
  readonly services: number;
  readonly notApplicable: number;
  readonly answered: number;
  readonly reused: number;
  readonly skipped: number;
  readonly failed: number;
  readonly held: number;
  readonly overCap: number;
  readonly open: number;
}

/** Whether items x services is the sum of what became of them. */
export function checkAccounts(accounts: Accounts): {
  readonly isBalanced: boolean;
  readonly expected: number;
  readonly found: number;
} {
  const expected = accounts.items * accounts.services;
  const found =
    accounts.notApplicable +
    accounts.answered +
    accounts.reused +
    accounts.skipped +
    accounts.failed +
    accounts.held +
    accounts.overCap +
    accounts.open;
  return { isBalanced: expected === found, expected, found };
}
