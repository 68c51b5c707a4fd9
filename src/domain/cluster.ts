/** What several machines share, as `config/cluster.yaml` names it. */

/** Where Redis answers. Its password comes from the environment, and is never shown. */
export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls: boolean;
  /** Stands before every key of ours, so that others may use the same Redis. */
  readonly prefix: string;
}

/** Where PostgreSQL answers, and as whom it is entered. */
export interface PostgresSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string | undefined;
  readonly tls: boolean;
  /** Holds the tables. */
  readonly schema: string;
}

export interface ClusterSettings {
  /** The ledger that all machines share; each has its own file where it is absent. */
  readonly ledger?: PostgresSettings | undefined;
  readonly redis: RedisSettings;
  /** Present where workers carry runs out. */
  readonly shards?: { readonly tasks: number; readonly perWorker: number } | undefined;
}

/** What a Redis tells of itself; absent where it does not. */
export interface RedisFacts {
  readonly version?: string | undefined;
  /** What it does when its memory is full. */
  readonly evictionPolicy?: string | undefined;
  /** Whether what it was told survives its end. */
  readonly isAppending?: boolean | undefined;
  /** Its clock, in milliseconds since 1970. */
  readonly timeMs: number;
  readonly roundTripMs: number;
}
