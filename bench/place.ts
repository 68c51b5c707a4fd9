/** Where the package lies: benchmarks run as they are compiled, from `bench/built/bench`, and so does what they measure. */
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..', '..');
