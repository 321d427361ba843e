/** What a run has left on disk: the forwarder's rows, and the sandbox's. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Recorded {
  readonly count: number;
  readonly payout: number;
  readonly note: string;
  readonly corrections: number;
}

/** The number of events and claims that are in the rows of two shards. */
export function keptTwice(home: string): number {
  const places = new Map<string, number>();
  for (const file of globSync("forwarder/rows/**/*.sqlite", { cwd: home })) {
    const database = new DatabaseSync(join(home, file));
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    for (const name of tables.map((table) => String(table["name"]))) {
      const [kind] = /^(events|claims)(_\w+)?$/.exec(name)?.slice(1) ?? [];
      if (kind === undefined) continue;
      for (const { it } of database.prepare(`SELECT ${kind === "events" ? "id" : "claim"} AS it FROM ${name}`).all()) {
        places.set(`${kind} ${it}`, (places.get(`${kind} ${it}`) ?? 0) + 1);
      }
    }
    database.close();
  }
  return [...places.values()].filter((count) => count > 1).length;
}

/** The recorded conversions by unique id, from the sandbox's own rows. */
export function recorded(home: string): Map<string, Recorded> {
  const [file] = globSync("sandbox/rows/**/*.sqlite", { cwd: home }).filter((name) => !name.includes("metadata"));
  if (file === undefined) throw new Error("the sandbox left no rows");
  const rows = new DatabaseSync(join(home, file))
    .prepare(
      `SELECT unique_id, count(*) AS count, max(payout_units) / 100 AS payout, max(coalesce(note, '')) AS note,
       max(corrections) AS corrections FROM conversions GROUP BY unique_id`,
    )
    .all() as unknown as (Recorded & { readonly unique_id: string })[];
  return new Map(rows.map((row) => [row.unique_id, row]));
}
