/** Looks events and claims up in all tables of a store: one statement for all, since each costs as much as rows. */
import { execMany } from "./many-rows.js";
import type { Sql } from "./sql.js";
import type { Asked, LookedUp } from "./store.js";
import type { Partition } from "./tables.js";

/** The most tables that one statement searches: the platform allows a function 32 arguments. */
const SEARCHED_AT_ONCE = 16;

/** The look-ups of a store. */
export class LookUps {
  readonly #sql: Sql;
  /** The columns of each statement. */
  #columns: string[] = [];

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** From now on searches these tables, the newest first. */
  search(partitions: readonly Pick<Partition, "suffix">[]): void {
    const suffixes = partitions.map(({ suffix }) => suffix);
    this.#columns = [];
    for (let at = 0; at < suffixes.length; at += SEARCHED_AT_ONCE) {
      const part = suffixes.slice(at, at + SEARCHED_AT_ONCE);
      const first = (select: (suffix: string) => string) => `coalesce(${part.map(select).join()}, NULL)`;
      const number = first((suffix) => `(SELECT number FROM events${suffix} WHERE id = column2)`);
      const holder = first((suffix) => `(SELECT id FROM claims${suffix} WHERE claim = column3)`);
      this.#columns.push(`column1 AS place, ${number} AS number, ${holder} AS holder`);
    }
  }

  find(asked: readonly Asked[]): LookedUp[] {
    const found = asked.map((): { isKnown: boolean; holder: string | undefined } => ({
      isKnown: false,
      holder: undefined,
    }));
    const rows = asked.map(({ id, claim }, place) => [place, id, claim ?? null]);
    for (const columns of this.#columns) {
      for (const row of execMany(this.#sql, rows, (values) => `SELECT ${columns} FROM (VALUES ${values})`)) {
        const one = found[Number(row["place"])];
        if (one === undefined) continue;
        if (row["number"] !== null) one.isKnown = true;
        if (row["holder"] !== null) one.holder ??= String(row["holder"]);
      }
    }
    return found;
  }
}
