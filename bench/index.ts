/** `npm run bench [-- calls]`: every benchmark, its ratios and raw figures. */
import { benchCalls } from './calls.ts';
import { writeFigures } from './measure.ts';

const calls = Number(process.argv[2] ?? 20_000);
await writeFigures(await benchCalls(calls, Number(process.argv[3] ?? 5)));
