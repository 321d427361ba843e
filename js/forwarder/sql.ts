/** The part of SQLite that a store needs. A Durable Object's storage and `NodeDatabase` have this shape. */

/** A value in a statement. */
export type SqlValue = string | number | null;

/** The rows that a statement returns. */
export interface SqlRows {
  toArray(): Record<string, unknown>[];
  /** The only row; throws where there is none, or more than one. */
  one(): Record<string, unknown>;
}

/** Runs statements. */
export interface Sql {
  /** Runs one statement with its values, or several statements without values. */
  exec(query: string, ...values: SqlValue[]): SqlRows;
  /** Bytes on disk. */
  readonly databaseSize: number;
}

/** A database that belongs to one store. */
export interface SqlDatabase {
  readonly sql: Sql;
  /** Does everything in `job`, or nothing; may be nested. */
  transactionSync<T>(job: () => T): T;
}
