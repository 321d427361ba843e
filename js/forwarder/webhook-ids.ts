/**
 * The ids of a shard's webhooks, in two tables in turn: the older one is dropped when the newer one is old.
 */
import type { Sql, SqlDatabase } from "./sql.js";
import { getMeta, setMeta, WEBHOOK_TABLE } from "./tables.js";

/** The name of the time since which the newer table of webhook ids is in use. */
const WEBHOOKS = "webhooks since";

/** The webhook ids of one shard. */
export class WebhookIds {
  readonly #storage: SqlDatabase;
  readonly #sql: Sql;

  constructor(storage: SqlDatabase) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** The digest of the body that came with this id. */
  find(webhookId: string): string | undefined {
    for (const table of ["webhooks", "webhooks_old"]) {
      const [known] = this.#sql.exec(`SELECT digest FROM ${table} WHERE id = ?`, webhookId).toArray();
      if (known !== undefined) return String(known["digest"]);
    }
    return undefined;
  }

  /** Keeps an id; returns the digest of the body that came with it first. */
  keep(webhookId: string, digest: string, nowMs: number): string {
    const known = this.find(webhookId);
    if (known !== undefined) return known;
    this.#sql.exec("INSERT INTO webhooks VALUES (?, ?, ?)", webhookId, digest, nowMs);
    return digest;
  }

  /** Drops the older table, if the newer one is in use since before that time. */
  forget(beforeMs: number, nowMs: number): void {
    const isUsed = "SELECT 1 FROM webhooks UNION ALL SELECT 1 FROM webhooks_old LIMIT 1";
    if (Number(getMeta(this.#sql, WEBHOOKS) ?? 0) >= beforeMs || this.#sql.exec(isUsed).toArray().length === 0) return;
    this.#storage.transactionSync(() => {
      this.#sql.exec(`DROP TABLE webhooks_old; ALTER TABLE webhooks RENAME TO webhooks_old; ${WEBHOOK_TABLE}`);
      setMeta(this.#sql, WEBHOOKS, String(nowMs));
    });
  }
}
