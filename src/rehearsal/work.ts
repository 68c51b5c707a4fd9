/** What an operation works on; the signature has been verified. */
import type { ServerRequest } from '../domain/exchange.ts';
import type { Quirks } from './quirk.ts';
import type { Shelf } from './shelf.ts';
import type { Signer } from './signature.ts';
import type { Target } from './target.ts';
import type { Uploads } from './uploads.ts';

export interface Work {
  readonly request: ServerRequest;
  readonly target: Target;
  readonly signer: Signer | undefined;
  readonly shelf: Shelf;
  readonly uploads: Uploads;
  readonly nowMs: number;
  readonly pageCap?: number | undefined;
  readonly quirks?: Quirks | undefined;
}
