/** The ledger of the built program: a thread runs JavaScript files only. */
import type { openLedger } from '../../src/store/ledger.ts';

const built = new URL('../../dist/store/ledger.js', import.meta.url).href;

export const openBuiltLedger: typeof openLedger = async (options) => {
  const store = (await import(built)) as { readonly openLedger: typeof openLedger };
  return await store.openLedger(options);
};
