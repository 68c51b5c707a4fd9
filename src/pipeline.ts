/**
 * The spine: every command as calls to the stages in order. Source -> plan -> dispatch <-> vendors -> store -> report.
 * This file and its folder are the only rooms that import stages.
 */
import type { Spine } from './cli/spine.ts';
import { makeSchemas } from './config/schema.ts';
import { diff, judge } from './pipeline/compare.ts';
import { cost } from './pipeline/cost.ts';
import { estimate } from './pipeline/estimate.ts';
import { init } from './pipeline/init.ts';
import { copy, pruneLedger, restore, withLedgerOf } from './pipeline/ledger.ts';
import { check, doctor, prices } from './pipeline/look.ts';
import type { Outside } from './pipeline/outside.ts';
import { reconcileExport } from './pipeline/reconcile.ts';
import { report } from './pipeline/report.ts';
import { importReview } from './pipeline/review.ts';
import { run } from './pipeline/run.ts';
import { status } from './pipeline/status.ts';
import { work } from './pipeline/worker.ts';
import { catalogue } from './vendors/index.ts';

/** They read media as vendors do, with libraries that no other command need wait for. */
const standIns = () => import('./pipeline/rehearse.ts');

/** All commands. */
export function makeSpine(outside: Outside): Spine {
  return {
    catalogue: async () => catalogue,
    schemas: async () => makeSchemas(catalogue),
    check: (paths, places) => check(outside, paths, places),
    doctor: (path, places) => doctor(outside, path, places),
    prices: (places) => prices(outside, places),
    estimate: (flags, places, watch) => estimate(outside, flags, places, watch),
    run: (flags, places, watch) => run(outside, flags, places, watch),
    report: (selector, places, flags) => report(outside, selector, places, flags),
    judge: (selector, policyFile, places, output) => judge(outside, selector, policyFile, places, output),
    diff: (selectors, movedBy, places, output) => diff(outside, selectors, movedBy, places, output),
    reconcile: (flags, places, output) => reconcileExport(outside, flags, places, output),
    cost: (flags, places, output) => cost(outside, flags, places, output),
    status: (selector, places) => status(outside, selector, places),
    listHeld: (selection, places) => withLedgerOf(outside, places, (ledger) => ledger.listHeld(selection)),
    settleHeld: (selection, how, places) =>
      withLedgerOf(outside, places, (ledger) => ledger.settleHeld(selection, how)),
    listFailed: (selection, places) =>
      withLedgerOf(outside, places, (ledger) => ledger.listFailed(selection)),
    acknowledgeFailed: (selection, places) =>
      withLedgerOf(outside, places, (ledger) => ledger.acknowledgeFailed(selection)),
    init: (folder, answers) => init(outside, folder, answers),
    importReview: (path, by, places) => importReview(outside, path, by, places),
    listDecisions: (selection, places) =>
      withLedgerOf(outside, places, (ledger) => ledger.listDecisions(selection)),
    pruneLedger: (keepMs, places) => pruneLedger(outside, keepMs, places),
    restoreLedger: (backup, isForced, places) => restore(outside, backup, isForced, places),
    copyLedger: (to, places, watch) => copy(outside, to, places, watch),
    emulate: async (vendor, options) => (await standIns()).emulate(outside, vendor, options),
    work: (flags, places, watch) => work(outside, flags, places, watch),
    rehearse: async (flags, places, watch) => (await standIns()).rehearse(outside, flags, places, watch),
  };
}
