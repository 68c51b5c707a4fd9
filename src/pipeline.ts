/**
 * The spine: every command as calls to the stages in order. Source -> plan -> dispatch <-> vendors -> store -> report.
 * This file and its folder are the only rooms that import stages.
 */
import type { Places, Spine } from './cli/spine.ts';
import type { Ledger } from './domain/ledger.ts';
import type { Outside } from './pipeline/outside.ts';

// No command waits for the stages and libraries of another.
const loadVendors = async () => (await import('./vendors/index.ts')).catalogue;
const loadLook = () => import('./pipeline/look.ts');
const loadCompare = () => import('./pipeline/compare.ts');
const loadLedger = () => import('./pipeline/ledger.ts');
const loadRehearse = () => import('./pipeline/rehearse.ts');

/** All commands. */
export function makeSpine(outside: Outside): Spine {
  const withLedger = async <Value>(places: Places, use: (ledger: Ledger) => Promise<Value>) =>
    (await loadLedger()).withLedgerOf(outside, places, use);
  return {
    catalogue: loadVendors,
    schemas: async () => (await import('./config/schema.ts')).makeSchemas(await loadVendors()),
    check: async (...given) => (await loadLook()).check(outside, ...given),
    doctor: async (...given) => (await loadLook()).doctor(outside, ...given),
    prices: async (...given) => (await loadLook()).prices(outside, ...given),
    estimate: async (...given) => (await import('./pipeline/estimate.ts')).estimate(outside, ...given),
    run: async (...given) => (await import('./pipeline/run.ts')).run(outside, ...given),
    report: async (...given) => (await import('./pipeline/report.ts')).report(outside, ...given),
    judge: async (...given) => (await loadCompare()).judge(outside, ...given),
    diff: async (...given) => (await loadCompare()).diff(outside, ...given),
    reconcile: async (...given) =>
      (await import('./pipeline/reconcile.ts')).reconcileExport(outside, ...given),
    cost: async (...given) => (await import('./pipeline/cost.ts')).cost(outside, ...given),
    status: async (...given) => (await import('./pipeline/status.ts')).status(outside, ...given),
    listHeld: (selection, places) => withLedger(places, (ledger) => ledger.listHeld(selection)),
    settleHeld: (selection, how, places) => withLedger(places, (ledger) => ledger.settleHeld(selection, how)),
    listFailed: (selection, places) => withLedger(places, (ledger) => ledger.listFailed(selection)),
    acknowledgeFailed: (selection, places) =>
      withLedger(places, (ledger) => ledger.acknowledgeFailed(selection)),
    init: async (...given) => (await import('./pipeline/init.ts')).init(outside, ...given),
    importReview: async (...given) => (await import('./pipeline/review.ts')).importReview(outside, ...given),
    listDecisions: (selection, places) => withLedger(places, (ledger) => ledger.listDecisions(selection)),
    pruneLedger: async (...given) => (await loadLedger()).pruneLedger(outside, ...given),
    backUpLedger: async (...given) => (await loadLedger()).save(outside, ...given),
    restoreLedger: async (...given) => (await loadLedger()).restore(outside, ...given),
    copyLedger: async (...given) => (await loadLedger()).copy(outside, ...given),
    emulate: async (...given) => (await loadRehearse()).emulate(outside, ...given),
    work: async (...given) => (await import('./pipeline/worker.ts')).work(outside, ...given),
    rehearse: async (...given) => (await loadRehearse()).rehearse(outside, ...given),
  };
}
