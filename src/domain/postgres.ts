/** Where a ledger on PostgreSQL is, and as whom it is entered. Plain data; the password comes from the environment. */
export interface PostgresAccess {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string | undefined;
  /** The certificate of the server is always checked; `ca` is a certificate of one's own, as PEM. */
  readonly tls?: boolean | { readonly ca: string } | undefined;
  /** Holds the tables; made where it is not there. */
  readonly schema?: string | undefined;
}

/** What a server tells of itself. */
export interface PostgresFacts {
  readonly version: string;
  /** Of the database. */
  readonly encoding: string;
  /** Whether what is committed outlives the machine. */
  readonly isSynced: boolean;
  /** Whether pages that were half written when the machine stopped are made whole. */
  readonly isTornProof: boolean;
  /** That it lets in at once, apart from those kept for superusers. */
  readonly mostConnections: number;
  /** That are there, ours left out. */
  readonly connections: number;
  /** How far this machine's clock is ahead of its own; half a round trip is not known. */
  readonly aheadMs: number;
  readonly roundTripMs: number;
}
