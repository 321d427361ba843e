/** Looks an event and a claim up in all tables of a store: one statement for both, since each costs as much as a row. */
import type { Sql } from "./sql.js";
import type { Partition } from "./tables.js";

/** What a store has of an event's id and a claim. */
export interface LookedUp {
  readonly isKnown: boolean;
  /** The event that holds the claim. */
  readonly holder: string | undefined;
}

/** The most tables that one statement searches: the platform allows a function 32 arguments. */
const SEARCHED_AT_ONCE = 16;

/** The look-ups of a store. */
export class LookUps {
  readonly #sql: Sql;
  #statements: string[] = [];

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** From now on searches these tables, the newest first. */
  search(partitions: readonly Pick<Partition, "suffix">[]): void {
    const suffixes = partitions.map(({ suffix }) => suffix);
    this.#statements = [];
    for (let at = 0; at < suffixes.length; at += SEARCHED_AT_ONCE) {
      const part = suffixes.slice(at, at + SEARCHED_AT_ONCE);
      const first = (select: (suffix: string) => string) => `coalesce(${part.map(select).join()}, NULL)`;
      const number = first((suffix) => `(SELECT number FROM events${suffix} WHERE id = ?1)`);
      const holder = first((suffix) => `(SELECT id FROM claims${suffix} WHERE claim = ?2)`);
      this.#statements.push(`SELECT ${number} AS number, ${holder} AS holder`);
    }
  }

  find(id: string, claim: string | undefined): LookedUp {
    let [number, holder]: unknown[] = [null, null];
    for (const statement of this.#statements) {
      const found = this.#sql.exec(statement, id, claim ?? null).one();
      number ??= found["number"];
      holder ??= found["holder"];
    }
    return { isKnown: number !== null, holder: holder === null ? undefined : String(holder) };
  }
}
