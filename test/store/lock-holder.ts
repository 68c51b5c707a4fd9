/** A process of its own that takes a run lock, says so, and keeps it until it is killed. */
import { acquireRunLock } from '../../src/store/run-lock.ts';

const [folder = '', pipeline = ''] = process.argv.slice(2);
await acquireRunLock(folder, pipeline, { pid: process.pid, startedAt: '2026-11-20T02:00:00.000Z' });
process.stdout.write('held\n');
setInterval(() => undefined, 60_000);
