import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/support/closing-line.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By default one core is left to others, which on two cores means that files run one after another.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: './test/support/build.ts',
    reporters: ['default', new ClosingLine()],
  },
});
