/** Fills the first shard's store with delivered events that are past their retention, each with a claim. */
import { DurableObject } from "cloudflare:workers";
import { SqlStore } from "../../dist/forwarder/sql-store.js";
import { CLOCK } from "../../dist/forwarder/steady-clock.js";

const DAY_MS = 86_400_000;
const RETENTION_MS = 30 * DAY_MS;
/** A store begins another table with each quarter of its retention. */
const STRETCH_MS = RETENTION_MS / 4;

export class CakeOutbox extends DurableObject {
  override async fetch(request: Request): Promise<Response> {
    const events = Number(new URL(request.url).searchParams.get("events"));
    const { storage } = this.ctx;
    const begin = Date.now() - 3 * RETENTION_MS;
    // As if its clock had been looked at all the time: a sweep may forget.
    new SqlStore(storage, RETENTION_MS).setMeta(CLOCK, `0 ${Date.now()}`);
    for (let stretch = 0; stretch < 4; stretch += 1) {
      const at = begin + stretch * (STRETCH_MS + DAY_MS);
      // The store itself begins the table, with its first event.
      const store = new SqlStore(storage, RETENTION_MS);
      const id = crypto.randomUUID().replaceAll("-", "");
      store.insert([{ id, offerId: 12_345, text: "{}", acceptedAt: "" }], at);
      const first = store.find(id);
      if (first === undefined) throw new Error("an event is not there");
      store.settle([{ ...first, state: "delivered", next_ms: null, attempts: 1 }]);
      storage.sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO events (number, id, offer_id, text, accepted_at, accepted_ms, state, attempts, conversion_id, changed_ms)
         SELECT ?2 + i, lower(hex(randomblob(16))), 12345,
           '{"clickId":"' || hex(randomblob(16)) || '","offerId":12345,"uniqueId":"' || hex(randomblob(16)) || '"}',
           '', ?3, 'delivered', 1, ?2 + i, ?3 FROM n`,
        events / 4 - 1,
        first.number,
        at,
      );
      storage.sql.exec(`INSERT INTO claims SELECT 'track|12345/' || hex(randomblob(16)), id, ? FROM events`, at);
    }
    return new Response("ok");
  }
}

export default {
  fetch: (request: Request, env: { readonly OUTBOX: DurableObjectNamespace<CakeOutbox> }): Promise<Response> =>
    env.OUTBOX.getByName("shard 0").fetch(request),
};
