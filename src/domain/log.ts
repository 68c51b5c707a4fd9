/** What the stages tell while they work; `cli/` decides how it looks. Never a secret, never a link's query. */

export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
}

export const silentLog: Log = { info: () => undefined, warn: () => undefined };
