/** Text that is written somewhere, to be looked at. */
import type { TextSink } from '../../src/domain/output.ts';

export function makeSink(): TextSink & { readonly text: () => string } {
  let whole = '';
  return {
    write: async (text) => {
      whole += text;
    },
    text: () => whole,
  };
}
