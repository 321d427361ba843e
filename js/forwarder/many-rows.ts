/** Statements over many rows at once: in a Durable Object, a statement costs several times as much as its row. */
import type { Sql, SqlValue } from "./sql.js";
import { dueAfterSettling, type Row } from "./store.js";

/** The most values of a statement that the platform allows. */
const MAX_VALUES = 100;

/** The texts of values by their count in a row and the count of rows: `(?,?),(?,?)`. */
const texts = new Map<string, string>();

/**
 * Runs a statement over rows of values, in parts that the platform allows; returns what it selects. `statement` gets
 * the text of the values.
 */
export function execMany(
  sql: Sql,
  rows: readonly (readonly SqlValue[])[],
  statement: (values: string) => string,
): Record<string, unknown>[] {
  const width = rows[0]?.length ?? 1;
  const most = Math.floor(MAX_VALUES / width);
  const selected: Record<string, unknown>[] = [];
  for (let at = 0; at < rows.length; at += most) {
    const part = rows.slice(at, at + most);
    selected.push(...sql.exec(statement(valuesOf(width, part.length)), ...part.flat()).toArray());
  }
  return selected;
}

function valuesOf(width: number, count: number): string {
  const name = `${width} ${count}`;
  let text = texts.get(name);
  if (text === undefined) {
    text = Array<string>(count)
      .fill(`(${Array<string>(width).fill("?").join()})`)
      .join();
    texts.set(name, text);
  }
  return text;
}

/** Stores rows of new events. */
export function insertRows(sql: Sql, rows: readonly Row[]): void {
  execMany(
    sql,
    rows.map((row) => [
      row.number,
      row.id,
      row.offer_id,
      row.text,
      row.accepted_at,
      row.accepted_ms,
      row.order_key,
      row.kind,
    ]),
    (values) =>
      `INSERT INTO events (number, id, offer_id, text, accepted_at, accepted_ms, next_ms, changed_ms, order_key, kind)
       SELECT column1, column2, column3, column4, column5, column6, column6, column6, column7, column8
       FROM (VALUES ${values})`,
  );
}

/** Writes the results of attempts at events of one table. */
export function settleRows(sql: Sql, suffix: string, rows: readonly Row[]): void {
  execMany(
    sql,
    rows.map((row) => [
      row.number,
      row.state,
      row.attempts,
      row.is_in_doubt,
      dueAfterSettling(row),
      row.code,
      row.upstream_message,
      row.conversion_id,
      row.changed_ms,
    ]),
    (values) =>
      `UPDATE events${suffix} SET state = column2, attempts = column3, is_in_doubt = column4, next_ms = column5,
       code = column6, upstream_message = column7, conversion_id = column8, changed_ms = column9
       FROM (VALUES ${values}) WHERE number = column1`,
  );
}
