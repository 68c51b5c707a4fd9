/** What `run` and `rehearse` have in common: a run is watched, and its result printed. */
import type { ExitCode } from '../domain/problem.ts';
import type { Globals } from './global.ts';
import { printJson } from './print/json.ts';
import { describeReported } from './print/reported.ts';
import { printSummary } from './print/summary.ts';
import type { RunResult, RunWatch } from './spine.ts';
import type { Tools } from './tools.ts';
import { openWatching, type Watching } from './watch.ts';

/** Answers the exit code that the run itself came to. */
export async function performRun(
  tools: Tools,
  globals: Globals,
  perform: (watch: RunWatch) => Promise<RunResult>,
): Promise<ExitCode> {
  const watching = await openWatching(tools, globals);
  const sayStopping = () =>
    watching.watch.log.warn(
      'stopping: calls in flight are given their grace (--grace); a second signal leaves at once',
    );
  tools.stop.addEventListener('abort', sayStopping, { once: true });
  const result = await performWatched(watching, perform).finally(() =>
    tools.stop.removeEventListener('abort', sayStopping),
  );
  if (globals.isJson) printJson(tools.console, describeReported(result));
  else printSummary(tools.console, result);
  return result.exitCode;
}

/** The progress line goes away before a result or an error is printed. */
async function performWatched(
  watching: Watching,
  perform: (watch: RunWatch) => Promise<RunResult>,
): Promise<RunResult> {
  try {
    return await perform(watching.watch);
  } finally {
    await watching.close();
  }
}
