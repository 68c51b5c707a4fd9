/** A process of its own that has a ledger open, says so, and closes it when its input ends. */
import { once } from 'node:events';
import { openLedger } from '../../src/store/ledger.ts';
import { HandClock } from './world.ts';

const ledger = await openLedger({ folder: process.argv[2] ?? '', clock: new HandClock() });
await ledger.listRuns(1);
process.stdout.write('open\n');
process.stdin.resume();
await once(process.stdin, 'end');
await ledger.close();
