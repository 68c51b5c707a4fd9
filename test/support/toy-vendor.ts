/** Plays the toy vendor over a virtual network: keeps jobs, counts what it carried out, and fails as it is told. */
import type { Clock } from '../../src/domain/clock.ts';
import type { Http, Reply, Sent, SignedCall } from '../../src/domain/exchange.ts';

interface Element {
  readonly ref: string;
  readonly link?: string;
}

interface ToyJob {
  readonly id: string;
  readonly createdAtMs: number;
  readonly elements: readonly Element[];
}

/** What happens to a call instead of, or after, being carried out. */
export type Mishap =
  | {
      readonly is: 'refuse';
      readonly status: number;
      readonly error?: string;
      readonly retryAfterSeconds?: number;
    }
  | { readonly is: 'not-sent' }
  /** The call never reaches the vendor, and we do not learn that. */
  | { readonly is: 'lost' }
  /** The vendor carries it out, and we never learn that. */
  | { readonly is: 'lost-answer' }
  | { readonly is: 'garbage' };

/** Decides about the n-th call (from 1) to a path; undefined lets it through. */
export type Fate = (call: SignedCall, path: string, number: number) => Mishap | undefined;

export class ToyVendor implements Http {
  readonly #clock: Clock;
  /** Its own clock shows this when the one that cannot be set shows 0. */
  readonly #originMs: number;
  /** True where replies carry a `Date`. */
  tellsDate = false;
  readonly #jobs = new Map<string, ToyJob>();
  /** How often each reference was submitted and carried out. */
  readonly submitted = new Map<string, number>();
  readonly calls: { readonly atMs: number; readonly path: string }[] = [];
  fate: Fate = () => undefined;
  /** What each link or text is answered with; a plain label by default. */
  resultOf: (element: Element & Record<string, unknown>) => Record<string, unknown> = () => ({
    labels: [{ op: 'tag', label: 'cat', score: 0.5 }],
    metrics: { quality: 71 },
  });
  /** True for a vendor whose lists have forgotten every job. */
  listsNothing = false;
  latencyMs = 20;
  /** How long the job of a reference takes; infinite for one that never ends. */
  jobMs: (ref: string) => number = () => 3000;
  inFlight = 0;
  mostInFlight = 0;
  mostOpenElements = 0;
  callBack: ((ref: string) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#originMs = clock.now() - clock.monotonic();
  }

  /** By the vendor's clock, whatever is done to ours. */
  #now(): number {
    return Math.floor(this.#originMs + this.#clock.monotonic());
  }

  /** References that were carried out more than once: each is money paid twice. */
  get doubles(): string[] {
    return [...this.submitted].filter(([, times]) => times > 1).map(([ref]) => ref);
  }

  /** Jobs that somebody else's program submitted for the same account. */
  addStrangers(count: number): readonly string[] {
    return Array.from({ length: count }, (_, index) => {
      const id = `job-${this.#jobs.size + 1}`;
      this.#jobs.set(id, { id, createdAtMs: this.#now(), elements: [{ ref: `stranger-${index}` }] });
      return id;
    });
  }

  async send(call: SignedCall): Promise<Sent> {
    const sent = await this.#send(call);
    if (sent.phase !== 'answered' || !this.tellsDate) return sent;
    const headers = { ...sent.reply.headers, date: new Date(this.#now()).toUTCString() };
    return { ...sent, reply: { ...sent.reply, headers } };
  }

  async #send(call: SignedCall): Promise<Sent> {
    const { pathname: path, searchParams } = new URL(call.url);
    this.calls.push({ atMs: this.#clock.monotonic(), path });
    const number = this.calls.filter((one) => one.path === path).length;
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    await this.#clock.sleep(this.latencyMs);
    this.inFlight -= 1;
    const mishap = this.fate(call, path, number);
    if (mishap?.is === 'not-sent') return { phase: 'not-sent', cause: 'connection refused' };
    if (mishap?.is === 'lost') return { phase: 'unknown', cause: 'connection reset' };
    if (mishap?.is === 'refuse')
      return answer(mishap.status, { error: mishap.error ?? 'no' }, mishap.retryAfterSeconds);
    const reply = this.#carryOut(call, path, searchParams.get('status'));
    if (mishap?.is === 'lost-answer') return { phase: 'unknown', cause: 'timeout' };
    if (mishap?.is === 'garbage')
      return { phase: 'answered', reply: { status: 200, headers: {}, body: '<html>' } };
    return reply;
  }

  #carryOut(call: SignedCall, path: string, status: string | null): Sent {
    const jobId = /^\/jobs\/(job-\d+)$/.exec(path)?.[1];
    if (call.method === 'GET') return jobId ? this.#readJob(jobId) : this.#listJobs(status);
    const { elements } = JSON.parse(call.body ?? '{}') as { elements: (Element & Record<string, unknown>)[] };
    for (const { ref } of elements) this.submitted.set(ref, (this.submitted.get(ref) ?? 0) + 1);
    if (path.startsWith('/call/'))
      return answer(200, { results: elements.map((element) => this.resultOf(element)) });
    const job: ToyJob = { id: `job-${this.#jobs.size + 1}`, createdAtMs: this.#now(), elements };
    this.#jobs.set(job.id, job);
    const open = [...this.#jobs.values()].flatMap((one) =>
      one.elements.filter(({ ref }) => !this.#hasEnded(one, ref)),
    );
    this.mostOpenElements = Math.max(this.mostOpenElements, open.length);
    const ref = elements[0]?.ref;
    if (this.callBack && ref !== undefined) {
      void this.#clock.sleep(this.jobMs(ref)).then(() => this.callBack?.(ref));
    }
    return answer(200, { job: job.id });
  }

  #hasEnded(job: ToyJob, ref: string): boolean {
    return this.#now() >= job.createdAtMs + this.jobMs(ref);
  }

  #readJob(id: string): Sent {
    const job = this.#jobs.get(id);
    if (!job) return answer(404, { error: 'no such job' });
    const ended = job.elements.filter(({ ref }) => this.#hasEnded(job, ref));
    const results = ended.map((element) => ({ link: element.link, ...this.resultOf({ ...element }) }));
    const status = ended.length > 0 ? 'done' : 'waiting';
    return answer(200, { status, ref: job.elements[0]?.ref, results });
  }

  #listJobs(status: string | null): Sent {
    const jobs = [...this.#jobs.values()].filter((job) => {
      const hasEnded = job.elements.every(({ ref }) => this.#hasEnded(job, ref));
      return !this.listsNothing && hasEnded === (status === 'ended');
    });
    return answer(200, { jobs: jobs.map(({ id, createdAtMs }) => ({ job: id, createdAtMs })) });
  }
}

function answer(status: number, body: unknown, retryAfterSeconds?: number): Sent {
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const reply: Reply = { status, headers, body: JSON.stringify(body) };
  return { phase: 'answered', reply };
}
