/** The Durable Object that keeps a network's rows; its rules are `src/sandbox`. */
import { DurableObject } from "cloudflare:workers";
import { call } from "../error.js";
import * as wasm from "../wasm/sandbox.js";
import defaultFixture from "./fixture.json" with { type: "json" };
import type { FiredPostback, SandboxRow, SandboxState } from "./state.js";

/** The bindings of a sandbox's Worker. */
export interface SandboxEnv {
  /** The namespace of {@link CakeNetwork}. */
  readonly NETWORK: DurableObjectNamespace;
  /** The key that the API asks for. */
  readonly CAKE_API_KEY: string;
  /** The fixture as JSON. @default one offer, one affiliate, one creative, one postback */
  readonly CAKE_FIXTURE?: string;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS clicks (
    click_id TEXT PRIMARY KEY, click_date TEXT NOT NULL, offer_id INTEGER NOT NULL,
    affiliate_id INTEGER NOT NULL, creative_id INTEGER NOT NULL,
    sub_id_1 TEXT, sub_id_2 TEXT, sub_id_3 TEXT, sub_id_4 TEXT, sub_id_5 TEXT);
  CREATE TABLE IF NOT EXISTS conversions (
    conversion_id INTEGER PRIMARY KEY, click_id TEXT NOT NULL, offer_id INTEGER NOT NULL,
    affiliate_id INTEGER NOT NULL, payout TEXT NOT NULL, revenue TEXT NOT NULL,
    unique_id TEXT, order_id TEXT, conversion_date TEXT NOT NULL, conversion_status TEXT NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS once ON conversions (offer_id, unique_id);
  CREATE INDEX IF NOT EXISTS by_click ON conversions (click_id);
  CREATE TABLE IF NOT EXISTS postbacks (
    postback_id INTEGER PRIMARY KEY, conversion_id INTEGER NOT NULL, url TEXT NOT NULL, status INTEGER);`;

/** The first conversion's id, as in CAKE's article. */
const FIRST_CONVERSION_ID = 998_877;

type Row = Record<string, SqlStorageValue>;

/** A CAKE network: clicks, conversions and postbacks in SQLite. */
export class CakeNetwork extends DurableObject<SandboxEnv> {
  readonly #rules: wasm.SandboxNetwork;
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: SandboxEnv) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(TABLES);
    const fixture = env.CAKE_FIXTURE ?? JSON.stringify(defaultFixture);
    this.#rules = call(() => new wasm.SandboxNetwork(fixture, env.CAKE_API_KEY ?? ""));
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/":
        return this.#click(request, url);
      case "/api/2/click.json":
        return this.#getClick(url);
      case "/api/2/conversion.json":
        return this.#recordConversion(url);
      case "/__sandbox/state":
        return Response.json(this.#state());
      default:
        return new Response("Not found", { status: 404 });
    }
  }

  #click(request: Request, url: URL): Response {
    const plan = this.#rules.click(url.href, crypto.randomUUID(), Date.now());
    if (plan.location === null) return new Response("No such affiliate or creative", { status: 404 });
    // Link checkers send HEAD: they see the redirect and leave no click.
    if (request.method === "GET") this.#insert("clicks", plan.row);
    return new Response(null, {
      status: 302,
      headers: { location: new URL(plan.location, url).href, "cache-control": "no-store" },
    });
  }

  #getClick(url: URL): Response {
    const { click_id } = wasm.lookup(url.href);
    return answer(this.#rules.getClick(url.href, this.#findClick(click_id)));
  }

  #recordConversion(url: URL): Response {
    const { click_id, unique_id, offer_id } = wasm.lookup(url.href);
    const rows = {
      click: this.#findClick(click_id),
      duplicate: this.#first("SELECT * FROM conversions WHERE offer_id = ? AND unique_id = ?", offer_id, unique_id),
      next_conversion_id: this.#first(
        "SELECT coalesce(max(conversion_id) + 1, ?) AS id FROM conversions",
        FIRST_CONVERSION_ID,
      )?.["id"],
    };
    const plan = this.#rules.recordConversion(url.href, rows, Date.now());
    if (plan.row !== null) {
      this.#insert("conversions", plan.row);
      for (const template of plan.postbacks) {
        this.ctx.waitUntil(this.#fire(plan.row.conversion_id, new URL(template, url).href));
      }
    }
    return answer(plan.answer);
  }

  async #fire(conversionId: number, url: string): Promise<void> {
    const status = await fetch(url, { redirect: "manual" }).then(
      (response) => response.status,
      () => null,
    );
    this.#insert("postbacks", { conversion_id: conversionId, url, status });
  }

  #state(): SandboxState {
    const newest = <T extends Row>(table: string, by: string) =>
      this.#sql.exec<T>(`SELECT * FROM ${table} ORDER BY ${by} DESC LIMIT 100`).toArray();
    return {
      clicks: newest<SandboxRow>("clicks", "click_date"),
      conversions: newest<SandboxRow>("conversions", "conversion_id"),
      postbacks: newest<FiredPostback>("postbacks", "postback_id"),
    };
  }

  #findClick(clickId: string | null): Row | undefined {
    return this.#first(
      `SELECT clicks.*, (SELECT min(conversion_id) FROM conversions
         WHERE conversions.click_id = clicks.click_id) AS conversion_id
       FROM clicks WHERE click_id = ?`,
      clickId,
    );
  }

  #first(query: string, ...bindings: SqlStorageValue[]): Row | undefined {
    return this.#sql.exec(query, ...bindings).toArray()[0];
  }

  #insert(table: string, row: Row): void {
    // Columns are our own names, never a caller's.
    const columns = Object.keys(row).filter((column) => table !== "clicks" || column !== "conversion_id");
    this.#sql.exec(
      `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`,
      ...columns.map((column) => row[column] ?? null),
    );
  }
}

function answer(given: { status: number; body: string }): Response {
  return new Response(given.body, {
    status: given.status,
    headers: { "content-type": "application/json; charset=utf-8" },
  });
}
