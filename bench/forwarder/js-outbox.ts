/**
 * The baseline that loses nothing: an outbox in a Durable Object, in plain JavaScript, as a careful engineer writes it.
 * It checks the fields and the origin, deduplicates by a unique column, and answers after the row is stored. It
 * delivers at once with at most five concurrent requests, and retries by an alarm.
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly OUTBOX: DurableObjectNamespace<CakeOutbox>;
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
}

interface Row {
  readonly id: number;
  readonly body: string;
  readonly attempts: number;
}

const ID = /^[A-Za-z0-9._:-]{1,128}$/;
const WAITS_S = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

export class CakeOutbox extends DurableObject<Env> {
  readonly #sql = this.ctx.storage.sql;
  readonly #sending = new Set<number>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS outbox (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL, state TEXT NOT NULL,
      attempts INTEGER NOT NULL, next_ms INTEGER, created_ms INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS due ON outbox (next_ms) WHERE next_ms IS NOT NULL`);
  }

  async accept(key: string, body: string): Promise<{ state: string; duplicate: boolean } | undefined> {
    const now = Date.now();
    const inserted = this.#sql
      .exec(
        `INSERT INTO outbox (key, body, state, attempts, next_ms, created_ms) VALUES (?1, ?2, 'pending', 0, ?3, ?3)
         ON CONFLICT (key) DO NOTHING RETURNING id, body, attempts`,
        key,
        body,
        now,
      )
      .toArray() as unknown as Row[];
    if (inserted.length === 0) {
      const [known] = this.#sql.exec("SELECT body, state FROM outbox WHERE key = ?", key).toArray();
      return known?.["body"] === body ? { state: String(known["state"]), duplicate: true } : undefined;
    }
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(now + 60_000);
    this.#deliver();
    return { state: "pending", duplicate: false };
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + 60_000);
    this.#deliver();
    const [next] = this.#sql.exec("SELECT min(next_ms) AS at FROM outbox WHERE next_ms IS NOT NULL").toArray();
    if (next?.["at"] === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(Math.max(Number(next?.["at"]), Date.now()) + 1);
  }

  #deliver(): void {
    const room = 5 - this.#sending.size;
    if (room <= 0) return;
    const rows = this.#sql
      .exec(
        "SELECT id, body, attempts FROM outbox WHERE next_ms <= ? ORDER BY next_ms LIMIT ?",
        Date.now(),
        room + this.#sending.size,
      )
      .toArray() as unknown as Row[];
    for (const row of rows.filter(({ id }) => !this.#sending.has(id)).slice(0, room)) {
      this.#sending.add(row.id);
      this.ctx.waitUntil(
        this.#send(row).finally(() => {
          this.#sending.delete(row.id);
          this.#deliver();
        }),
      );
    }
  }

  async #send({ id, body, attempts }: Row): Promise<void> {
    const url = new URL("/api/2/conversion.json", this.env.CAKE_BASE_URL);
    url.searchParams.set("api_key", this.env.CAKE_API_KEY);
    const { clickId, offerId, uniqueId } = JSON.parse(body) as Record<string, string>;
    url.searchParams.set("click_id", String(clickId));
    url.searchParams.set("offer_id", String(offerId));
    url.searchParams.set("unique_id", String(uniqueId));
    let state = "pending";
    try {
      const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(15_000) });
      if (response.ok) {
        const answer = (await response.json()) as { conversion?: { conversion_id?: number } };
        state = answer.conversion?.conversion_id === undefined ? "refused" : "delivered";
      } else if (response.status >= 400 && response.status < 500 && response.status !== 429) state = "refused";
    } catch {
      // Retry later.
    }
    const wait = WAITS_S[attempts];
    if (state === "pending" && wait === undefined) state = "dead";
    const next = state === "pending" ? Date.now() + (wait ?? 0) * 1_000 * (0.8 + 0.4 * Math.random()) : null;
    this.#sql.exec(
      "UPDATE outbox SET state = ?, attempts = attempts + 1, next_ms = ? WHERE id = ?",
      state,
      next === null ? null : Math.ceil(next),
      id,
    );
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method !== "POST") return new Response("ok");
    const origin = request.headers.get("origin");
    if (origin !== new URL(request.url).origin) return Response.json({ error: "origin" }, { status: 403 });
    const { clickId, offerId, uniqueId } = (await request.json()) as Record<string, unknown>;
    if (!ID.test(String(clickId)) || !ID.test(String(uniqueId)) || !Number.isSafeInteger(offerId)) {
      return Response.json({ error: "invalid" }, { status: 400 });
    }
    const outbox = env.OUTBOX.get(env.OUTBOX.idFromName("shard 0"));
    const body = JSON.stringify({ clickId, offerId, uniqueId });
    const accepted = await outbox.accept(`${offerId}|${uniqueId}`, body);
    if (accepted === undefined) return Response.json({ error: "conflict" }, { status: 409 });
    return Response.json(accepted, { status: 202 });
  },
};
