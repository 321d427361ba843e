/** `/__sandbox/`: the live view, and all routes that control a network. */
import { CakeError, call, toCakeError } from "../error.js";
import { VIEW } from "../generated/view.js";
import { core } from "./core.js";
import type { Faults } from "./faults.js";
import type { Network } from "./network.js";
import { respond } from "./response.js";
import type { SandboxState } from "./rows.js";
import type { PastRows, ViewFilter } from "./store.js";

type Access = "granted" | "granted_by_url" | "foreign" | "refused" | "not_set_up";

/** The number of a history's clicks in one batch, before the work yields to the event loop. */
const HISTORY_BATCH = 2_000;

/** The routes under `/__sandbox/`. */
export class AdminRoutes {
  readonly #network: Network;
  readonly #faults: Faults;

  constructor(network: Network, faults: Faults) {
    this.#network = network;
    this.#faults = faults;
  }

  /** Answers a request with access. */
  async fetch(request: Request, pathname: string): Promise<Response> {
    try {
      return this.#rejected(request) ?? (await this.#route(request, pathname));
    } catch (thrown) {
      const { code, message, parameter } = toCakeError(thrown);
      const rule = parameter === undefined ? message : message.slice(parameter.length + 1);
      return Response.json({ error: { code, rule, parameter } }, { status: code === "internal" ? 500 : 400 });
    }
  }

  #rejected(request: Request): Response | undefined {
    const { token, isLoopback } = this.#network.gate;
    const visitor = JSON.stringify({
      url: request.url,
      authorization: request.headers.get("authorization"),
      cookie: request.headers.get("cookie"),
      origin: request.headers.get("origin"),
      is_loopback: isLoopback,
      token: token ?? null,
    });
    const access = JSON.parse(core.api().accessOf(visitor)) as Access;
    switch (access) {
      case "granted":
        return undefined;
      case "granted_by_url":
        return request.method === "GET" ? withCookie(new URL(request.url), token ?? "") : undefined;
      case "foreign":
        return refusal(
          403,
          "foreign_origin",
          "another site's page may not use the sandbox, nor another name for loopback",
        );
      case "refused":
        return refusal(
          401,
          "unauthorized",
          "ask with the sandbox's token: `Authorization: Bearer …`, or open `/__sandbox/?token=…`",
          {
            "www-authenticate": "Bearer",
          },
        );
      case "not_set_up":
        return refusal(
          500,
          "missing_token",
          "set CAKE_SANDBOX_TOKEN to a secret of at least 16 characters, or CAKE_SANDBOX_LOOPBACK to yes where it listens on loopback alone",
        );
    }
  }

  async #route(request: Request, pathname: string): Promise<Response> {
    const network = this.#network;
    const route = `${request.method} ${pathname.slice("/__sandbox".length) || "/"}`;
    switch (route) {
      case "GET /":
        return pathname === "/__sandbox" ? Response.redirect(new URL("/__sandbox/", request.url).href, 302) : view();
      case "GET /state":
        return Response.json(this.#state(new URL(request.url).searchParams));
      case "GET /events":
        return network.events.open();
      case "GET /faults":
        return json(network.rules.faults());
      case "GET /faults/struck":
        return Response.json({ struck: this.#faults.faultCount });
      case "PUT /faults": {
        const text = (await request.text()).trim();
        network.setFaults(text.startsWith("{") ? `[${text}]` : text);
        return json(network.rules.faults());
      }
      case "DELETE /faults":
        network.setFaults("[]");
        return json("[]");
      case "GET /settings":
        return json(network.rules.settings());
      case "PUT /settings":
        network.setSettings(await request.text());
        return json(network.rules.settings());
      case "GET /fixture":
        return json(network.rules.fixture());
      case "PUT /fixture":
        network.setFixture(await request.text());
        return json(network.rules.fixture());
      case "GET /clock":
        return Response.json(network.clock());
      case "PUT /clock":
        this.#setClock(await request.text());
        return Response.json(network.clock());
      case "POST /reset":
        network.reset();
        this.#faults.reset();
        return Response.json({ state: "reset" });
      case "POST /history":
        return this.#history(await request.text());
      default:
        // Approve, reject, reverse: the core has the rules.
        if (pathname.startsWith("/__sandbox/conversions/")) return respond(await network.answer(request), request);
        return refusal(404, "not_found", `there is no ${route} here`);
    }
  }

  #state(query: URLSearchParams): SandboxState {
    const number = (name: string) => {
      const value = Number(query.get(name) ?? "");
      return Number.isSafeInteger(value) && value > 0 ? value : undefined;
    };
    const filter: { -readonly [Key in keyof ViewFilter]: ViewFilter[Key] } = {
      limit: Math.min(number("limit") ?? 100, 1_000),
    };
    const [offerId, affiliateId] = [number("offer_id"), number("affiliate_id")];
    if (offerId !== undefined) filter.offer_id = offerId;
    if (affiliateId !== undefined) filter.affiliate_id = affiliateId;
    const [status, text] = [query.get("status"), query.get("text")];
    if (status) filter.status = status;
    if (text) filter.text = text;
    const { offers, affiliates, creatives } = JSON.parse(this.#network.rules.fixture()) as SandboxState["fixture"];
    return {
      ...this.#network.store.view(filter),
      totals: this.#network.totals(),
      clock: this.#network.clock(),
      faults: JSON.parse(this.#network.rules.faults()),
      fixture: { offers, affiliates, creatives },
      status_moves: JSON.parse(core.api().statusMoves()) as SandboxState["status_moves"],
    };
  }

  /**
   * `{ "now": "2026-06-19 14:30:00" }`, `{ "advance_ms": 5000 }`, `{ "is_frozen": true }`, or `{}` for the real time.
   */
  #setClock(text: string): void {
    const asked = readObject(text, "clock");
    const { now, advance_ms, is_frozen } = asked;
    const unknown = Object.keys(asked).find((key) => !["now", "advance_ms", "is_frozen"].includes(key));
    if (unknown !== undefined) throw field(unknown, "is not a part of the clock: now, advance_ms, is_frozen");
    if (is_frozen !== undefined && typeof is_frozen !== "boolean") throw field("is_frozen", "must be true or false");
    const current = this.#network.clock();
    let at: number | undefined;
    if (now !== undefined) {
      const isTime = typeof now === "string" && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(now);
      at = isTime ? Date.parse(`${now.replace(" ", "T")}Z`) : Number.NaN;
      // `Date` reads the 30th of February as the 2nd of March.
      if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 19).replace("T", " ") !== now)
        throw field("now", "must be a time in UTC that exists, written YYYY-MM-DD HH:MM:SS");
    } else if (advance_ms !== undefined) {
      if (!Number.isSafeInteger(advance_ms)) throw field("advance_ms", "must be a whole number");
      at = current.now_ms + (advance_ms as number);
    } else if (is_frozen === true) {
      at = current.now_ms;
    }
    if (at !== undefined && (at < 0 || at > 253_402_300_799_000))
      throw field("now", "must be in the years 1970 to 9999");
    this.#network.setClock(at, (is_frozen as boolean | undefined) ?? (at !== undefined && current.is_frozen));
  }

  /** Generates a history; the answer is its progress, one JSON object a line. */
  #history(text: string): Response {
    const network = this.#network;
    call(() => network.rules.beginHistory(text, network.now(), JSON.stringify(network.store.numbers())));
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const say = (line: unknown) => writer.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    const work = async () => {
      for (;;) {
        const batch = network.rules.continueHistory(HISTORY_BATCH);
        if (batch === undefined) break;
        const { totals, is_last, ...rows } = JSON.parse(batch) as PastRows & { totals: object; is_last: boolean };
        network.store.fill(rows);
        await say({ ...totals, is_last });
        if (is_last) break;
        // Yield to the event loop.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await writer.close();
      network.events.startOver();
    };
    // A client that disconnects ends the work; the rows so far stay stored.
    work().catch((thrown: unknown) => writer.abort(thrown).catch(() => undefined));
    return new Response(readable, { headers: { "content-type": "application/x-ndjson" } });
  }
}

function view(): Response {
  return new Response(VIEW.html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "content-security-policy": `default-src 'none'; script-src '${VIEW.scriptHash}'; style-src '${VIEW.styleHash}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

/** Moves the token from the URL, which browsers keep in their history, into a cookie. */
function withCookie(url: URL, token: string): Response {
  url.searchParams.delete("token");
  const secure = url.protocol === "https:" ? "; Secure" : "";
  return new Response(null, {
    status: 302,
    headers: {
      location: url.href,
      "set-cookie": `cake_sandbox=${token}; Path=/__sandbox; HttpOnly; SameSite=Strict${secure}`,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    },
  });
}

function refusal(status: number, code: string, rule: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { code, rule } }, { status, headers });
}

function json(text: string): Response {
  return new Response(text, { headers: { "content-type": "application/json; charset=utf-8" } });
}

function field(parameter: string, rule: string): CakeError {
  return new CakeError({ code: "invalid_field", parameter, rule });
}

function readObject(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: refused below.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw field(name, "must be a JSON object");
  return value as Record<string, unknown>;
}
