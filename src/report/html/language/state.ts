/** What each exit code says of a run, on the page and in messages. */
import { type ExitCode, exitCodes } from '../../../domain/problem.ts';
import type { MessageKey } from './catalogue.ts';

export type Mood = 'good' | 'warn' | 'bad' | 'calm';

export interface State {
  readonly word: MessageKey;
  readonly words: MessageKey;
  readonly mood: Mood;
}

/** What each exit code says of a run, and how it looks. */
const states: Readonly<Record<ExitCode, State>> = {
  0: { word: 'state.finished', words: 'exit.0', mood: 'good' },
  1: { word: 'state.finished', words: 'exit.1', mood: 'warn' },
  2: { word: 'state.notStarted', words: 'exit.2', mood: 'bad' },
  3: { word: 'state.halted', words: 'exit.3', mood: 'bad' },
  4: { word: 'state.stopped', words: 'exit.4', mood: 'warn' },
  5: { word: 'state.finished', words: 'exit.5', mood: 'warn' },
  6: { word: 'state.notStarted', words: 'exit.6', mood: 'bad' },
  70: { word: 'state.ourMistake', words: 'exit.70', mood: 'bad' },
  130: { word: 'state.interrupted', words: 'exit.130', mood: 'warn' },
  143: { word: 'state.interrupted', words: 'exit.130', mood: 'warn' },
};

/** It does not go on by itself. */
const stoppedByCanary: State = { word: 'state.stopped', words: 'exit.canary', mood: 'warn' };

export function stateOf(exitCode: ExitCode, isStoppedByCanary: boolean): State {
  return exitCode === exitCodes.capped && isStoppedByCanary ? stoppedByCanary : states[exitCode];
}
