/**
 * A network at work: hands requests to the rules (`src/sandbox`), loads the rows
 * they ask for, stores the rows they write, answers, and sends what is due.
 */
import { call } from "../error.js";
import { GroupCommit } from "../group-commit.js";
import * as wasm from "../wasm/sandbox.js";
import { Control } from "./control.js";
import defaultFixture from "./fixture.json" with { type: "json" };
import type { Ledger, Need, Write } from "./ledger.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import type { Clock, Totals } from "./rows.js";
import { standIn } from "./stand-in.js";
import type { Gate, Surroundings } from "./surroundings.js";

/** What a network is opened with. */
export interface NetworkParts {
  /** The fixture as JSON. @default a small network with the article's names */
  readonly fixture?: string | undefined;
  /** The key that the API asks for. */
  readonly apiKey: string;
  /** The hosts that postbacks may go to. @default loopback */
  readonly allowedHosts?: readonly string[];
  readonly ledger: Ledger;
  readonly surroundings: Surroundings;
  readonly gate: Gate;
}

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly is_base64: boolean;
}

interface Plan {
  readonly writes: readonly Write[];
  readonly answer: Answer;
}

type Step = { readonly need: Need } | { readonly plan: Plan };

interface Fault {
  readonly delay_ms: number;
  readonly is_carried_out: boolean;
  readonly breaks: "reset" | "cut_off" | null;
  readonly answer: Answer | null;
}

/** How the network's clock stands to the world's. */
interface ClockSetting {
  readonly offset_ms: number;
  readonly frozen_ms: number | null;
}

/** The largest body that is read. */
const MOST_BYTES = 4_000_000;

/** The half of a cut-off answer is on its way before the connection closes. */
const CUT_OFF_AFTER_MS = 30;

/** A CAKE network. */
export class Network {
  readonly #parts: NetworkParts;
  readonly #control: Control;
  readonly #outbox: Outbox;
  readonly #turns = new GroupCommit();
  readonly live: Live;
  #rules: wasm.SandboxNetwork;
  #clock: ClockSetting;
  #rolls = 0;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
    this.#rules = this.#open(parts.ledger.recall("fixture"));
    this.#clock = this.#readClock();
    this.live = new Live(parts.ledger, () => this.totals());
    this.#control = new Control(this);
    this.#outbox = new Outbox({
      rules: () => this.#rules,
      ledger: parts.ledger,
      surroundings: parts.surroundings,
      now: () => this.now(),
      wait: (atMs) => (this.#clock.frozen_ms === null ? atMs - this.now() : null),
      turn: (job) => this.#turns.next(job),
      store: (writes) => this.store(writes),
    });
    // What was due when the process ended is sent now.
    if (parts.ledger.nextDue() !== null) this.#outbox.send();
  }

  get ledger(): Ledger {
    return this.#parts.ledger;
  }

  get rules(): wasm.SandboxNetwork {
    return this.#rules;
  }

  /** How many calls a fault has struck since the process began. */
  struck = 0;

  get gate(): Gate {
    return this.#parts.gate;
  }

  /** Answers any request to the sandbox. */
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const standing = standIn(request, pathname);
    if (standing) return standing;
    if (pathname.startsWith("/__sandbox/") || pathname === "/__sandbox") return this.#control.fetch(request, pathname);
    if (!this.#rules.hasFaults()) return this.serve(request);
    const fault = this.#strike(pathname);
    return fault === undefined ? this.serve(request) : this.#serveBadly(request, fault);
  }

  /** Answers a request by the rules alone. */
  async serve(request: Request): Promise<Response> {
    const body = request.body === null ? null : await readBody(request);
    return respond(await this.#turns.next(() => this.#decide(request, body)), request);
  }

  /** Sends what is due, and waits for it. */
  wake(): Promise<void> {
    return this.#outbox.settle();
  }

  /** The network's time, in milliseconds since 1970. */
  now(): number {
    return Math.trunc(this.#clock.frozen_ms ?? this.#parts.surroundings.now() + this.#clock.offset_ms);
  }

  clock(): Clock {
    const now_ms = this.now();
    return {
      now_ms,
      now: new Date(now_ms).toISOString().slice(0, 19).replace("T", " "),
      is_frozen: this.#clock.frozen_ms !== null,
    };
  }

  /** Sets the clock; without a time, back to the world's. */
  setClock(nowMs: number | undefined, isFrozen: boolean): void {
    const world = this.#parts.surroundings.now();
    this.#clock = {
      offset_ms: nowMs === undefined ? 0 : nowMs - world,
      frozen_ms: isFrozen ? (nowMs ?? world) : null,
    };
    this.ledger.remember("clock", JSON.stringify(this.#clock));
    this.#outbox.send();
    this.live.startOver();
  }

  /** Stores rows, tells who watches, sends what is due. */
  store(writes: readonly Write[]): void {
    this.ledger.apply(writes);
    this.live.note(writes);
    if (writes.some(({ write, row }) => write === "fired" && row.next_ms !== null)) this.#outbox.send();
  }

  totals(): Totals {
    return {
      clicks: this.ledger.numbers().click - 1,
      balances: this.#rules.balances(this.ledger.sums()),
    };
  }

  /** Changes settings and remembers them. */
  setSettings(json: string): void {
    call(() => this.#rules.setSettings(json));
    this.ledger.remember("settings", this.#rules.settings());
  }

  /** Puts other rules for faults in force and remembers them. */
  setFaults(json: string): void {
    call(() => this.#rules.setFaults(json));
    this.ledger.remember("faults", json);
    this.live.startOver();
  }

  /** Opens another fixture in place of this one; the rows stay. */
  setFixture(json: string): void {
    const next = this.#open(json, true);
    this.#rules.free();
    this.#rules = next;
    this.ledger.remember("fixture", json);
    this.ledger.remember("settings", null);
    this.live.startOver();
  }

  /** Forgets rows, settings, faults, clock and a fixture that was set. */
  reset(): void {
    this.ledger.clear();
    const next = this.#open(null);
    this.#rules.free();
    this.#rules = next;
    this.#clock = this.#readClock();
    this.#rolls = 0;
    this.#parts.surroundings.wakeAt(null);
    this.live.startOver();
  }

  #open(fixture: string | null, isFresh = false): wasm.SandboxNetwork {
    const json = fixture ?? this.#parts.fixture ?? JSON.stringify(defaultFixture);
    const hosts = JSON.stringify(this.#parts.allowedHosts ?? []);
    return call(() => {
      const rules = new wasm.SandboxNetwork(json, this.#parts.apiKey, hosts);
      const settings = isFresh ? null : this.#parts.ledger.recall("settings");
      if (settings !== null) rules.setSettings(settings);
      const faults = this.#parts.ledger.recall("faults");
      if (faults !== null) rules.setFaults(faults);
      return rules;
    });
  }

  #readClock(): ClockSetting {
    const kept = this.ledger.recall("clock");
    return kept === null ? { offset_ms: 0, frozen_ms: null } : (JSON.parse(kept) as ClockSetting);
  }

  #decide(request: Request, body: string | null): Answer {
    const { surroundings } = this.#parts;
    const { headers } = request;
    const described = JSON.stringify({
      method: request.method,
      url: request.url,
      body,
      is_prefetch: /prefetch/.test(headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ?? ""),
      ip_address: headers.get("cf-connecting-ip") ?? (this.gate.isLoopback ? "127.0.0.1" : null),
      country: headers.get("cf-ipcountry"),
      now_ms: this.now(),
      fresh_id: surroundings.uuid(),
      next: this.ledger.numbers(),
    });
    const rows: Record<string, unknown> = {};
    for (;;) {
      const step = JSON.parse(call(() => this.#rules.decide(described, JSON.stringify(rows)))) as Step;
      if ("plan" in step) {
        this.store(step.plan.writes);
        return step.plan.answer;
      }
      rows[step.need.need] = this.ledger.load(step.need);
    }
  }

  #strike(pathname: string): Fault | undefined {
    const json = this.#rules.strike(pathname, this.#roll());
    if (json === undefined) return undefined;
    this.struck += 1;
    return JSON.parse(json) as Fault;
  }

  /** A random number that repeats under a seed. */
  #roll(): number {
    const seed = (JSON.parse(this.#rules.settings()) as { id_seed: number | null }).id_seed;
    if (seed === null) return this.#parts.surroundings.random();
    // Weyl's sequence: any share of it is met as evenly as can be.
    this.#rolls += 1;
    return ((seed % 9_973) * 0.754_877_666_2 + this.#rolls * 0.618_033_988_749_894_9) % 1;
  }

  async #serveBadly(request: Request, fault: Fault): Promise<Response> {
    const body = request.body === null ? null : await readBody(request);
    if (fault.delay_ms > 0) await new Promise((resolve) => setTimeout(resolve, fault.delay_ms));
    const truth = fault.is_carried_out ? await this.#turns.next(() => this.#decide(request, body)) : undefined;
    const answer = fault.answer ?? truth;
    if (fault.breaks === "reset" || answer === undefined) return this.#parts.surroundings.noAnswer();
    return fault.breaks === "cut_off" ? cutOff(answer, request) : respond(answer, request);
  }
}

function respond({ status, headers, body, is_base64 }: Answer, request: Request): Response {
  const bytes = is_base64 ? Uint8Array.from(atob(body), (character) => character.charCodeAt(0)) : body;
  const hasBody = status !== 204 && status !== 304 && body !== "";
  return new Response(hasBody ? bytes : null, { status, headers: headersOf(headers, request) });
}

/** A `location` that is a path is on the own origin. */
function headersOf(headers: Answer["headers"], request: Request): [string, string][] {
  return headers.map(([name, value]) => [
    name,
    name === "location" && value.startsWith("/") ? new URL(request.url).origin + value : value,
  ]);
}

/** Half of the answer, and then the connection closes. */
function cutOff({ status, headers, body }: Answer, request: Request): Response {
  const bytes = new TextEncoder().encode(body);
  const half = bytes.slice(0, Math.ceil(bytes.length / 2));
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const cut = async () => {
    if (half.length > 0) await writer.write(half);
    await new Promise((resolve) => setTimeout(resolve, CUT_OFF_AFTER_MS));
    await writer.abort(new Error("sandbox fault: cut off"));
  };
  cut().catch(() => undefined);
  return new Response(readable, { status, headers: headersOf(headers, request) });
}

/** A body as text, as far as it is of a sensible size. */
async function readBody(request: Request): Promise<string> {
  const bytes = await request.arrayBuffer();
  return bytes.byteLength > MOST_BYTES ? "" : new TextDecoder().decode(bytes);
}
