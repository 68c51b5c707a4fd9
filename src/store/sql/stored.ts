/** What the ledger keeps as JSON. */
import { describeError, exitCodes, Stop } from '../../domain/problem.ts';

/** @throws `Stop` with exit 3 where it is none: nothing but damage makes it so */
export function readStored(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Stop(
      exitCodes.halted,
      `ledger: what is stored in it is damaged: ${describeError(error).slice(0, 80)}. Put a copy of it back: \`mediasweep ledger restore --force\` takes the newest backup.`,
      [],
      error,
    );
  }
}
