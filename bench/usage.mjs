/** Loaded before a program (`node --import`): tells what it used, as JSON in the file named by BENCH_USAGE, when it ends. */
import { writeFileSync } from 'node:fs';

const path = process.env.BENCH_USAGE;
delete process.env.BENCH_USAGE;
process.on('exit', () => {
  if (path === undefined) return;
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeFileSync(
    path,
    JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 }),
  );
});
