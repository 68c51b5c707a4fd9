/**
 * The thread that writes a run: it holds the ledger's writing connection, so that neither statements nor the disk's syncs
 * keep the calls waiting. An entry of its own, started by `thread-writer.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Spending } from '../../domain/caps.ts';
import type { RunOpening } from '../../domain/ledger.ts';
import { CommitQueue } from '../sql/commit-queue.ts';
import { LocalWriter } from '../sql/local-writer.ts';
import { ReadAhead } from '../sql/read-ahead.ts';
import type { RunWriter } from '../sql/run-writes.ts';
import { Tally } from '../sql/tally.ts';
import { openAgain, type SqliteDatabase } from './database.ts';
import { loadDriver } from './driver.ts';
import {
  isPlainReply,
  pack,
  packError,
  type Replies,
  type Requests,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
  unpack,
} from './thread-messages.ts';

if (!parentPort) throw new Error('run-thread is started as a thread');
const port = parentPort;
const { path } = workerData as ThreadData;

let nowMs = 0;
let db: SqliteDatabase | undefined;
let queue: CommitQueue | undefined;
let writer: RunWriter | undefined;
let waiting: ThreadReply[] = [];

const tell = (replies: Replies) => port.postMessage(replies);

async function open(opening: RunOpening): Promise<void> {
  try {
    db = openAgain(path, await loadDriver());
    const office = { db, tally: new Tally(db), ahead: new ReadAhead(db), now: () => nowMs };
    const commits = new CommitQueue(office);
    queue = commits;
    const opened = await LocalWriter.open(office, commits, opening);
    writer = opened.writer;
    tell({ is: 'opened', opened: opened.opened, spending: writer.spending });
  } catch (error) {
    tell({ is: 'refused', error: packError(error) });
  }
}

/** What one commit has made durable is told in one message. */
function reply(one: ThreadReply, { spending }: { readonly spending: Spending }): void {
  waiting.push(one);
  if (waiting.length > 1) return;
  queueMicrotask(() => {
    tell({ is: 'written', replies: pack(waiting, isPlainReply), spending });
    waiting = [];
  });
}

function write(to: RunWriter, { id, name, takes }: Extract<ThreadRequest, { is: 'write' }>): void {
  // The pair of a name and what it takes was one request.
  const written = to.write(name, takes as never) as Promise<unknown>;
  written.then(
    (answer) => reply({ id, answer }, to),
    (error: unknown) => reply({ id, error: packError(error) }, to),
  );
}

async function close(): Promise<void> {
  await queue?.close();
  await db?.close();
  port.close();
}

port.on('message', ({ nowMs: now, requests }: Requests) => {
  nowMs = now;
  for (const request of unpack(requests)) {
    if (request.is === 'open') void open(request.opening);
    else if (request.is === 'close') void close();
    else if (writer) write(writer, request);
  }
});
