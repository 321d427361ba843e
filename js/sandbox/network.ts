/**
 * A running network: passes requests to the rules (`src/sandbox`), loads the rows that they need, stores the rows that
 * they write, and sends due postbacks.
 */

import { allowedHost } from "../allowed-host.js";
import { call } from "../error.js";
import { FIXTURE } from "../generated/fixture.js";
import { GroupCommit } from "../group-commit.js";
import type { SandboxNetwork } from "../wasm/sandbox.js";
import { core } from "./core.js";
import { EventStream } from "./event-stream.js";
import type { Gate, SandboxHost } from "./host.js";
import { PostbackSender } from "./postback-sender.js";
import type { Clock, Totals } from "./rows.js";
import type { Need, Store, Write } from "./store.js";

/** The options of a network. */
export interface NetworkInit {
  /** The fixture as JSON. @default a small network with the article's names */
  readonly fixture?: string | undefined;
  /** The API key of the network. */
  readonly apiKey: string;
  /** The allow-list of hosts for postbacks. @default loopback */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly store: Store;
  readonly host: SandboxHost;
  readonly gate: Gate;
}

/** An HTTP answer, as the rules write it. */
export interface Answer {
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

/** The difference between the network's clock and the real one. */
interface ClockSetting {
  readonly offset_ms: number;
  readonly frozen_ms: number | null;
}

/** The maximum size of a request's body. */
const MAX_BODY_BYTES = 4_000_000;

/** The headers that declare a request's purpose; the core reads the values. */
const PURPOSE_HEADERS = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/** A CAKE network. */
export class Network {
  readonly #init: NetworkInit;
  readonly #sender: PostbackSender;
  readonly #commits = new GroupCommit();
  /** The viewers of the live view. */
  readonly events: EventStream;
  #rules: () => SandboxNetwork;
  #clock: ClockSetting;

  constructor(init: NetworkInit) {
    const { store, host } = init;
    this.#init = init;
    this.#rules = this.#open(store.getMeta("fixture"));
    this.#clock = this.#readClock();
    this.events = new EventStream(store, () => this.totals());
    this.#sender = new PostbackSender({
      rules: () => this.#rules(),
      store,
      host,
      now: () => this.now(),
      wait: (atMs) => (this.#clock.frozen_ms === null ? atMs - this.now() : null),
      commit: (job) => this.#commits.next(job),
      apply: (writes) => this.apply(writes),
    });
    // Postbacks that were due when the process ended are sent now.
    if (store.nextDue() !== null) this.#sender.send();
  }

  get store(): Store {
    return this.#init.store;
  }

  get rules(): SandboxNetwork {
    return this.#rules();
  }

  get gate(): Gate {
    return this.#init.gate;
  }

  get host(): SandboxHost {
    return this.#init.host;
  }

  /** Answers a request by the rules of the core. */
  async answer(request: Request): Promise<Answer> {
    const body = request.body === null ? null : await readBody(request);
    return this.#commits.next(() => this.#decide(request, body));
  }

  /** Sends the due postbacks, and waits for them. */
  wake(): Promise<void> {
    return this.#sender.settle();
  }

  /** The network's time, in milliseconds since 1970: not before, whatever the machine's clock says. */
  now(): number {
    return Math.max(0, Math.trunc(this.#clock.frozen_ms ?? this.host.now() + this.#clock.offset_ms));
  }

  clock(): Clock {
    const now_ms = this.now();
    return {
      now_ms,
      now: new Date(now_ms).toISOString().slice(0, 19).replace("T", " "),
      is_frozen: this.#clock.frozen_ms !== null,
    };
  }

  /** Sets the clock; without a time, resets it to the real time. */
  setClock(nowMs: number | undefined, isFrozen: boolean): void {
    const world = this.host.now();
    this.#clock = {
      offset_ms: nowMs === undefined ? 0 : nowMs - world,
      frozen_ms: isFrozen ? (nowMs ?? world) : null,
    };
    this.store.setMeta("clock", JSON.stringify(this.#clock));
    this.#sender.send();
    this.events.startOver();
  }

  /** Stores rows, notifies the viewers, sends due postbacks. */
  apply(writes: readonly Write[]): void {
    this.store.apply(writes);
    this.events.note(writes);
    if (writes.some(({ write, row }) => write === "fired" && row.next_ms !== null)) this.#sender.send();
  }

  totals(): Totals {
    return {
      clicks: this.store.numbers().click - 1,
      ...(this.#rules().accounts(this.store.sums()) as Omit<Totals, "clicks">),
    };
  }

  /** Changes settings and stores them. */
  setSettings(json: string): void {
    call(() => this.#rules().setSettings(json));
    this.store.setMeta("settings", this.#rules().settings());
  }

  /** Replaces the fault rules and stores them. */
  setFaults(json: string): void {
    call(() => this.#rules().setFaults(json));
    this.store.setMeta("faults", json);
    this.events.startOver();
  }

  /** Replaces the fixture; the rows stay. */
  setFixture(json: string): void {
    this.#replace(this.#open(json, true));
    this.store.setMeta("fixture", json);
    this.store.setMeta("settings", null);
    this.events.startOver();
  }

  /** Removes rows, settings, faults, clock, and a fixture that was set. */
  reset(): void {
    this.store.clear();
    this.#replace(this.#open(null));
    this.#clock = this.#readClock();
    this.host.wakeAt(null);
    this.events.startOver();
  }

  /** The rules of a fixture. After a trap of the core, the rules are created again from the stored data. */
  #open(fixture: string | null, isFresh = false): () => SandboxNetwork {
    const { apiKey, allowedHosts = [], store } = this.#init;
    const json = fixture ?? this.#init.fixture ?? FIXTURE;
    const hosts = JSON.stringify(allowedHosts.map(allowedHost));
    let isFirst = isFresh;
    const open = core.keep(({ SandboxNetwork }) => {
      const rules = new SandboxNetwork(json, apiKey, hosts);
      const settings = isFirst ? null : store.getMeta("settings");
      isFirst = false;
      if (settings !== null) rules.setSettings(settings);
      const faults = store.getMeta("faults");
      if (faults !== null) rules.setFaults(faults);
      return rules;
    });
    call(open);
    return open;
  }

  #replace(rules: () => SandboxNetwork): void {
    this.#rules().free();
    this.#rules = rules;
  }

  #readClock(): ClockSetting {
    const kept = this.store.getMeta("clock");
    return kept === null ? { offset_ms: 0, frozen_ms: null } : (JSON.parse(kept) as ClockSetting);
  }

  #decide(request: Request, body: string | null): Answer {
    const { headers } = request;
    const described = JSON.stringify({
      method: request.method,
      url: request.url,
      body,
      purposes: PURPOSE_HEADERS.map((name) => headers.get(name)).filter((value) => value !== null),
      ip_address: headers.get("cf-connecting-ip") ?? (this.gate.isLoopback ? "127.0.0.1" : null),
      country: headers.get("cf-ipcountry"),
      now_ms: this.now(),
      fresh_id: this.host.uuid(),
      next: this.store.numbers(),
    });
    const rows: Record<string, unknown> = {};
    for (;;) {
      const step = JSON.parse(call(() => this.#rules().decide(described, JSON.stringify(rows)))) as Step;
      if ("plan" in step) {
        this.apply(step.plan.writes);
        return step.plan.answer;
      }
      rows[step.need.need] = this.store.load(step.need);
    }
  }
}

/** The body as text; empty where the body exceeds the maximum size. */
async function readBody(request: Request): Promise<string> {
  const bytes = await request.arrayBuffer();
  return bytes.byteLength > MAX_BODY_BYTES ? "" : new TextDecoder().decode(bytes);
}
