/**
 * Defects as they could creep into the program, planted at its seams: each breaks one promise, and the simulation has to
 * notice. The source stays as it is.
 */
import type { Clock } from '../../src/domain/clock.ts';
import type { Attempt, PlannedItem, PlanPage, RunLedger, Transition } from '../../src/domain/ledger.ts';
import { exchange, type PaceBoard, type PaceOffice } from '../../src/domain/pace.ts';
import type { Service } from '../../src/domain/service.ts';
import type { Account, ServiceUse } from '../../src/domain/settings.ts';
import { type Schedule, unitPrice } from './schedule.ts';
import type { Plant, Seams } from './sim-session.ts';

/** How long a write that should have been waited for takes to reach the disk. */
const lagMs = 3000;

/**
 * Transitions of these kinds are reported as durable before they are. A session that ends in good order writes them all;
 * one that dies never does.
 */
function lag(...kinds: readonly Transition['is'][]): Plant {
  return (seams) => {
    const late = new Set<readonly Transition[]>();
    const { run } = changeTransitions(seams, async (transitions, write) => {
      const slow = transitions.filter(({ is }) => kinds.includes(is));
      const fast = transitions.filter(({ is }) => !kinds.includes(is));
      if (fast.length > 0) await write(fast);
      if (slow.length === 0) return;
      late.add(slow);
      void seams.process.clock.sleep(lagMs).then(async () => {
        if (late.delete(slow)) await write(slow);
      });
    });
    const end: RunLedger['end'] = async (given) => {
      for (const slow of late) await seams.run.transition(slow);
      late.clear();
      return await seams.run.end(given);
    };
    return { ...seams, run: { ...run, end } };
  };
}

/** Transitions are recorded as something else. */
function mistake(change: (transition: Transition) => Transition | undefined): Plant {
  return (seams) =>
    changeTransitions(seams, async (transitions, write) => {
      await write(transitions.flatMap((transition) => change(transition) ?? []));
    });
}

function changeTransitions(
  seams: Seams,
  transition: (
    given: readonly Transition[],
    write: (transitions: readonly Transition[]) => Promise<unknown>,
  ) => Promise<void>,
): Seams {
  const write = (transitions: readonly Transition[]) => seams.run.transition(transitions);
  const changed: RunLedger['transition'] = async (given) => {
    await transition(given, write);
    return [];
  };
  return { ...seams, run: { ...seams.run, transition: changed } };
}

function changeServices(change: (service: Service) => Service): Plant {
  return (seams) => ({
    ...seams,
    services: seams.services.map((use): ServiceUse => ({ ...use, service: change(use.service) })),
  });
}

function changeLimits(change: (limits: Account['limits']) => Partial<Account['limits']>): Plant {
  return ({ services, ...seams }) => {
    const widen = makeWidener((account) => ({ limits: { ...account.limits, ...change(account.limits) } }));
    return { ...seams, services: services.map(widen) };
  };
}

/** Uses of one account before are uses of one account afterwards. */
function makeWidener(change: (account: Account) => Partial<Account>): (use: ServiceUse) => ServiceUse {
  const accounts = new Map<Account, Account>();
  return (use) => {
    const account = accounts.get(use.account) ?? { ...use.account, ...change(use.account) };
    accounts.set(use.account, account);
    return { ...use, account };
  };
}

/** The intent is written while the call is on its way: a process that dies meanwhile never made it. */
const intentAfterSend: Plant = (seams) => {
  const { process, run } = seams;
  const written = new Map<number, number>();
  const young = new Map<number, Attempt>();
  const now = () => process.clock.monotonic();
  seams.undo(async () => {
    const lost = [...young.values()].filter(({ id }) => now() - (written.get(id) ?? 0) < lagMs);
    await seams.raw.transition(lost.map((attempt) => ({ is: 'unsent', attempt, cause: 'never written' })));
  });
  const intend: RunLedger['intend'] = async (request) => {
    const intents = await run.intend(request);
    for (const intent of intents) {
      if (intent.is !== 'intended') continue;
      young.set(intent.attempt.id, intent.attempt);
      written.set(intent.attempt.id, now());
    }
    return intents;
  };
  const transition: RunLedger['transition'] = async (transitions) => {
    for (const { attempt } of transitions) young.delete(attempt.id);
    return await run.transition(transitions);
  };
  return { ...seams, run: { ...run, intend, transition } };
};

/** What is under way, or was answered, is looked up among these tasks alone. */
function keepApart(among: (planned: PlannedItem, seams: Seams) => string): Plant {
  return (seams) => {
    const plan: RunLedger['plan'] = (page: PlanPage) =>
      seams.run.plan({
        ...page,
        items: page.items.map((planned) => ({
          ...planned,
          tasks: planned.tasks.map((task) => ({
            ...task,
            reuseKey: `${task.reuseKey}${among(planned, seams)}`,
          })),
        })),
      });
    return { ...seams, run: { ...seams.run, plan } };
  };
}

/** Another session of the pipeline may begin as soon as this one has called for the first time. */
const lockDroppedEarly: Plant = (seams) => {
  const intend: RunLedger['intend'] = async (request) => {
    seams.releaseLock();
    return await seams.run.intend(request);
  };
  return { ...seams, run: { ...seams.run, intend } };
};

/** Each process has the limits to itself. */
const pacedAlone: Plant = (seams) => {
  const { bench, process } = seams;
  const boards = new Map<string, PaceBoard>();
  const pace: PaceOffice = {
    exchange: async (request) => {
      const now = process.clock.monotonic();
      const { board, grant } = exchange(boards.get(request.limit), process.pipeline, request, now);
      boards.set(request.limit, board);
      return grant;
    },
  };
  return { ...seams, bench: { ...bench, pace } };
};

/** A listing that could not be read whole counts as one that shows nothing. */
const incompleteListingTrusted = changeServices((service) =>
  service.search
    ? {
        ...service,
        search: { ...service.search, readList: (reply) => service.search?.readList(reply) ?? [] },
      }
    : service,
);

/** Only the jobs that still run are looked through. */
const endedJobsNotListed = changeServices((service) =>
  service.search
    ? { ...service, search: { ...service.search, lists: service.search.lists.slice(0, 1) } }
    : service,
);

/** The second listing follows the first at once, and so proves nothing. */
const secondListingAtOnce: Plant = (seams) => {
  const { clock } = seams.bench;
  const hasty: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms === 10_000 ? 0 : ms, signal),
  };
  return { ...seams, bench: { ...seams.bench, clock: hasty } };
};

/** A call that got no reply is taken for one that was never made. */
const unknownTakenAsUnsent: Plant = (seams) => {
  const { http } = seams.bench;
  return {
    ...seams,
    bench: {
      ...seams.bench,
      http: {
        send: async (call, limits) => {
          const sent = await http.send(call, limits);
          return sent.phase === 'unknown' ? { phase: 'not-sent', cause: sent.cause } : sent;
        },
      },
    },
  };
};

/** Whatever the vendor says, it is as late as this machine believes. */
const clockBelieved: Plant = (seams) => {
  const { bench } = seams;
  const { http } = bench;
  return {
    ...seams,
    bench: {
      ...bench,
      http: {
        send: async (call, limits) => {
          const sent = await http.send(call, limits);
          if (sent.phase !== 'answered') return sent;
          const headers = { ...sent.reply.headers, date: new Date(bench.clock.now()).toUTCString() };
          return { ...sent, reply: { ...sent.reply, headers } };
        },
      },
    },
  };
};

/** What an earlier session left open is planned again instead of being asked for. */
const orphansForgotten: Plant = (seams) => {
  const readOrphans: RunLedger['readOrphans'] = async (afterId, limit) => {
    const orphans = await seams.run.readOrphans(afterId, limit);
    const intents = orphans.filter(({ state }) => state === 'intent');
    await seams.run.transition(intents.map((attempt) => ({ is: 'unsent', attempt, cause: 'forgotten' })));
    return orphans.filter(({ state }) => state !== 'intent');
  };
  return { ...seams, run: { ...seams.run, readOrphans } };
};

/** Jobs of an earlier session are not read on. */
const jobsAbandoned: Plant = (seams) => {
  const readOrphans: RunLedger['readOrphans'] = async (afterId, limit) => {
    const orphans = await seams.run.readOrphans(afterId, limit);
    return orphans.map((one) =>
      one.state === 'accepted' ? { ...one, state: 'intent', job: undefined } : one,
    );
  };
  return { ...seams, run: { ...seams.run, readOrphans } };
};

interface Defect {
  readonly plant?: Plant;
  /** Where it is not at a seam, but in what the program was told. */
  readonly change?: (schedule: Schedule) => Schedule;
  /** Schedules that it can show in; all where absent. */
  readonly among?: (schedule: Schedule) => boolean;
  readonly within: number;
}

const hasCompany = ({ pipelines }: Schedule) => pipelines.length > 1;
const hasOverlap = ({ pipelines }: Schedule) =>
  pipelines.some(({ sessions }) => sessions.some(({ isOverlapped }) => isOverlapped));
/** By more than a day, where there are submissions that a vendor is asked for. */
const hasStray = ({ clockJumps, pipelines, weather }: Schedule) =>
  clockJumps.some(({ offByMs }) => offByMs > 86_400_000) &&
  weather.lostAnswer + weather.truncated > 0.1 &&
  pipelines.some(({ services }) =>
    services.some(({ service, delivery }) => service.search !== undefined && delivery !== 'sync'),
  );
const hasAccountCap = ({ pipelines }: Schedule) =>
  pipelines.length > 1 &&
  pipelines.every(({ services }) => services.some(({ account }) => account.caps !== undefined));

function changeCaps(change: (limit: bigint) => bigint): (schedule: Schedule) => Schedule {
  const widen = (limit: bigint | undefined) => (limit === undefined ? undefined : change(limit));
  return ({ pipelines, ...schedule }) => ({
    ...schedule,
    pipelines: pipelines.map(({ caps, ...plan }) => ({
      ...plan,
      caps: { run: widen(caps.run), month: widen(caps.month) },
    })),
  });
}

/** Each pipeline counts what it spends itself, where the account's cap is over all of them. */
const accountCapsApart = ({ pipelines, ...schedule }: Schedule): Schedule => ({
  ...schedule,
  pipelines: pipelines.map(({ services, ...plan }) => {
    const limits = services.flatMap(({ account }) => account.caps?.month ?? []);
    const month = [plan.caps.month ?? [], ...limits]
      .flat()
      .reduce<bigint | undefined>(
        (least, limit) => (least === undefined || limit < least ? limit : least),
        undefined,
      );
    return {
      ...plan,
      caps: { ...plan.caps, month },
      services: services.map(makeWidener(() => ({ caps: undefined }))),
    };
  }),
});

/** Each defect, and within how many schedules it has to be noticed. */
export const defects: Readonly<Record<string, Defect>> = {
  'a cap is checked after the call that passes it': {
    change: changeCaps((limit) => limit + unitPrice),
    within: 200,
  },

  'a cap of an account is counted by each pipeline for itself': {
    change: accountCapsApart,
    among: hasAccountCap,
    within: 60,
  },
  'the intent is written after the call is sent': { plant: intentAfterSend, within: 100 },
  'a job is read before its id is durable': { plant: lag('accepted'), within: 150 },
  'a task is answered before its answer is durable': { plant: lag('answered'), within: 100 },
  'a place in flight is given back before the reply is durable': {
    plant: lag('accepted', 'answered', 'again', 'failed', 'resend', 'held', 'unsent'),
    within: 100,
  },
  'a failure is not remembered before the next session': { plant: lag('failed'), within: 400 },
  'an answer is kept without the reply that proves it': {
    plant: mistake(({ ...transition }) => {
      if (transition.is === 'answered') return withoutReply(transition);
      return transition;
    }),
    within: 10,
  },
  'a second task is sent while its content is under way': {
    plant: keepApart(({ item }) => item.id),
    within: 100,
  },
  'a task is sent while another pipeline has its content under way': {
    plant: keepApart((_, { process }) => process.pipeline),
    among: hasCompany,
    within: 60,
  },
  'the lock is dropped while calls are in flight': {
    plant: lockDroppedEarly,
    among: hasOverlap,
    within: 60,
  },
  'pace is ignored': { plant: changeLimits(() => ({ perSecond: 1_000_000 })), within: 50 },
  'a process has the pace to itself': { plant: pacedAlone, among: hasCompany, within: 60 },
  'an unsent call is booked as one of unknown fate': {
    plant: mistake((transition) =>
      transition.is === 'unsent' ? { is: 'resend', attempt: transition.attempt, cause: '' } : transition,
    ),
    within: 100,
  },
  'a call of unknown fate is booked as unsent': {
    plant: mistake((transition) =>
      transition.is === 'resend' ? { is: 'unsent', attempt: transition.attempt, cause: '' } : transition,
    ),
    within: 100,
  },
  'a call without a reply is taken for one that never left': { plant: unknownTakenAsUnsent, within: 100 },
  'a failure that is billed is not booked': {
    plant: mistake((transition) =>
      transition.is === 'failed' ? { ...transition, booked: undefined } : transition,
    ),
    within: 150,
  },
  'what a dead session sent is forgotten': { plant: orphansForgotten, within: 150 },
  'jobs of a dead session are not read on': { plant: jobsAbandoned, within: 150 },
  'a search trusts an incomplete listing': { plant: incompleteListingTrusted, within: 800 },
  'a clock that is days ahead is believed': { plant: clockBelieved, among: hasStray, within: 60 },
  'a search looks through running jobs only': { plant: endedJobsNotListed, within: 200 },
  'a search trusts one listing': { plant: secondListingAtOnce, within: 200 },
  'one call more than allowed is in flight': {
    plant: changeLimits(({ concurrency }) => ({ concurrency: concurrency + 1 })),
    within: 150,
  },
  'calls leave half as fast again as allowed': {
    plant: changeLimits(({ perSecond }) => ({ perSecond: perSecond * 1.5 + 1 })),
    within: 150,
  },
  'one job more than allowed is open': {
    plant: changeLimits(({ maxOpenJobs }) => ({ maxOpenJobs: maxOpenJobs + 1 })),
    within: 100,
  },
};

function withoutReply(transition: Transition): Transition {
  const { reply: _reply, ...rest } = transition as Extract<Transition, { is: 'answered' }>;
  return rest;
}
