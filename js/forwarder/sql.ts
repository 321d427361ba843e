/** As much of SQLite as a store needs: that of a Durable Object, or another behind the same face. */

/** A value of a statement. */
export type SqlValue = string | number | null;

/** What a statement has brought: it has run by then. */
export interface SqlRows {
  toArray(): Record<string, unknown>[];
  /** The one row; throws where there is another number of them. */
  one(): Record<string, unknown>;
}

/** Runs statements. */
export interface Sql {
  /** One statement with its values, or several without. */
  exec(query: string, ...values: SqlValue[]): SqlRows;
  /** Bytes on disk. */
  readonly databaseSize: number;
}

/** A database of one store's own. */
export interface SqlDatabase {
  readonly sql: Sql;
  /** Does all that `job` does, or nothing; within another one too. */
  transactionSync<T>(job: () => T): T;
}
