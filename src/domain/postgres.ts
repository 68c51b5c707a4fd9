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
