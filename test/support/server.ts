/** Suites that need programs of this machine: skipped by name where those are missing, failed where they are required. */
import { describe, expect, it } from 'vitest';

/** `describe` for a suite over real programs; with MEDIASWEEP_REQUIRE_SERVERS=1 their absence is a failure. */
export function describeReal(name: string, missing: readonly string[], body: () => void): void {
  const isRequired = process.env['MEDIASWEEP_REQUIRE_SERVERS'] === '1';
  const why = missing.length > 0 ? ` (missing: ${missing.join(', ')})` : '';
  describe.skipIf(missing.length > 0 && !isRequired)(`${name}${why}`, () => {
    it('has the programs that it needs; .ci/install-servers brings them', () => {
      expect(missing).toEqual([]);
    });
    if (missing.length === 0) body();
  });
}
