/** The part of SQLite that a store needs. A Durable Object's storage has this shape, and so has `NodeDatabase`. */

/** A value of a statement. */
export type SqlValue = string | number | null;

/** The rows that a statement has returned. */
export interface SqlRows {
  toArray(): Record<string, unknown>[];
  /** The only row; throws where there is none, or more than one. */
  one(): Record<string, unknown>;
}

/** Runs statements. */
export interface Sql {
  /** One statement with its values, or several without. */
  exec(query: string, ...values: SqlValue[]): SqlRows;
  /** Bytes on disk. */
  readonly databaseSize: number;
}

/** A database that belongs to one store. */
export interface SqlDatabase {
  readonly sql: Sql;
  /** Does all that `job` does, or nothing; within another one too. */
  transactionSync<T>(job: () => T): T;
}
