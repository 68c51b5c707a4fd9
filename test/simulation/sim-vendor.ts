/** Plays the toy vendor for a whole schedule, and counts from its side what was carried out. */
import type { Reply, SignedCall } from '../../src/domain/exchange.ts';
import { jitter } from '../../src/domain/clock.ts';
import type { SimClock } from './sim-clock.ts';

export interface Element {
  readonly ref: string;
  readonly link?: string;
  readonly text?: string;
}

export interface Carried {
  /** When the call left us; it may have arrived much later. */
  readonly departedAtMs: number;
  /** Whose process sent it. */
  readonly pipeline: string;
  readonly ref: string;
  readonly content: string;
  readonly sku: 'toy/call' | 'toy/frame';
  readonly units: number;
}

interface Job {
  readonly id: string;
  readonly account: string;
  readonly createdAtMs: number;
  readonly elements: readonly Element[];
}

/** A job turns up in listings a little after it was taken. */
const listLagMs = 1000;
/** A video of 12 s, one frame every 5 s: as the plan estimates it. */
const framesOfVideo = 3;
const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Which content an element is about: duplicates under other names have the same. */
export function contentOf({ link, text }: Element): string {
  return text ?? new URL(link ?? 'https://none.example/').pathname.split('/').slice(1, 3).join('-');
}

/** What is paid for once: a content, a service, an account. */
export function nameWork(call: SignedCall, account: string, element: Element): string {
  return `${account}/${new URL(call.url).pathname.split('/').at(-1)}/${contentOf(element)}`;
}

/** Fails in the model, and is billed all the same. */
export const failsInModel = (content: string) => jitter(`model/${content}`) < 0.05;
export const isBadMedia = (content: string) => jitter(`bad/${content}`) < 0.05;

export class SimVendor {
  readonly carried: Carried[] = [];
  /** Elements whose fate the program cannot know or has given up, by reference: it cannot keep a place for them. */
  readonly phantoms = new Set<string>();
  readonly mostOpen = new Map<string, number>();
  readonly #jobs = new Map<string, Job>();
  readonly #clock: SimClock;
  /** Called at the end of a job that was submitted with this hook. */
  readonly hooks = new Map<string, (ref: string) => void>();

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  read(call: SignedCall, account: string): Reply {
    const { pathname, searchParams } = new URL(call.url);
    const job = /^\/jobs\/(job-\d+)$/.exec(pathname)?.[1];
    return job === undefined ? this.#list(account, searchParams.get('status')) : this.#readJob(job);
  }

  /** Carries a submission out. Bad media are refused unbilled. */
  submit(call: SignedCall, account: string, from: Pick<Carried, 'departedAtMs' | 'pipeline'>): Reply {
    const path = new URL(call.url).pathname;
    const { elements, hookUrl } = readBody(call);
    if (elements.some((element) => isBadMedia(contentOf(element)))) return reply(400, { error: 'bad media' });
    const isWatch = path.endsWith('/watch');
    for (const element of elements) {
      const { ref } = element;
      const sku = isWatch ? 'toy/frame' : 'toy/call';
      const units = isWatch ? framesOfVideo : 1;
      this.carried.push({ ...from, ref, content: nameWork(call, account, element), sku, units });
    }
    if (path.startsWith('/call/')) {
      return reply(200, { results: elements.map((element) => makeResult(path, element)) });
    }
    const job: Job = {
      id: `job-${this.#jobs.size + 1}`,
      account,
      createdAtMs: this.#clock.trueNow(),
      elements: elements.map((element) => ({ ...element, path })),
    };
    this.#jobs.set(job.id, job);
    this.countOpen(account);
    const ref = elements[0]?.ref;
    if (hookUrl !== undefined && ref !== undefined) void this.#callBack(hookUrl, ref);
    return reply(200, { job: job.id });
  }

  countOpen(account: string): void {
    let open = 0;
    for (const job of this.#jobs.values()) {
      if (job.account !== account) continue;
      for (const { ref } of job.elements) if (!this.#hasEnded(job, ref) && !this.phantoms.has(ref)) open += 1;
    }
    this.mostOpen.set(account, Math.max(this.mostOpen.get(account) ?? 0, open));
  }

  async #callBack(hookUrl: string, ref: string): Promise<void> {
    // Too early, in time, and once more.
    for (const ms of [jobMs(ref) * 0.7, jobMs(ref) * 0.31, 5000]) {
      await this.#clock.sleep(ms);
      this.hooks.get(hookUrl)?.(ref);
    }
  }

  #hasEnded(job: Job, ref: string): boolean {
    return this.#clock.trueNow() >= job.createdAtMs + jobMs(ref);
  }

  #readJob(id: string): Reply {
    const job = this.#jobs.get(id);
    if (!job) return reply(404, { error: 'no such job' });
    const ended = job.elements.filter(({ ref }) => this.#hasEnded(job, ref));
    const results = ended.map((element) => makeResult((element as Element & { path: string }).path, element));
    return reply(200, { status: ended.length > 0 ? 'done' : 'waiting', ref: job.elements[0]?.ref, results });
  }

  #list(account: string, status: string | null): Reply {
    const jobs = [...this.#jobs.values()].filter((job) => {
      const hasEnded = job.elements.every(({ ref }) => this.#hasEnded(job, ref));
      const isListed = this.#clock.trueNow() >= job.createdAtMs + listLagMs;
      return job.account === account && isListed && hasEnded === (status === 'ended');
    });
    return reply(200, { jobs: jobs.map(({ id, createdAtMs }) => ({ job: id, createdAtMs })) });
  }
}

function jobMs(ref: string): number {
  return 300 * 300 ** jitter(`job/${ref}`);
}

/** The answer names its content, so that one that reached the wrong item is seen. */
function makeResult(path: string, element: Element): Record<string, unknown> {
  const content = contentOf(element);
  if (failsInModel(content)) return { link: element.link, error: 'model failed' };
  return {
    link: element.link,
    labels: [{ label: content, score: 0.5 }],
    ...(path === '/call/repaint' && { image: pixel }),
    ...(path === '/jobs/watch' && { seenFrames: framesOfVideo }),
  };
}

export function readBody(call: SignedCall): { elements: readonly Element[]; hookUrl?: string } {
  return JSON.parse(call.body ?? '{"elements":[]}') as { elements: Element[]; hookUrl?: string };
}

export function reply(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: JSON.stringify(body) };
}
