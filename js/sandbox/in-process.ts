/**
 * `cake-edge/sandbox/memory`: a network inside a process, with its rows in memory, for tests without a server.
 */
import { CakeError, call } from "../error.js";
import {
  checkNames,
  checkNoMore,
  checkRecord,
  checkRequest,
  functionOption,
  limitArguments,
  optionalString,
  refuse,
} from "../option.js";
import { startTimer } from "../timer.js";
import { core } from "./core.js";
import { MemoryStore, type StoreSnapshot } from "./memory-store.js";
import { SandboxServer } from "./server.js";

export type { StoreSnapshot } from "./memory-store.js";
export type { SandboxState } from "./rows.js";

/** The options of a sandbox in memory. */
export interface SandboxOptions {
  /** The fixture, as its JSON or as the object. @default a small network with the article's names */
  readonly fixture?: string | object | undefined;
  /** The API key of the network. @default "sandbox-key" */
  readonly apiKey?: string | undefined;
  /** The allow-list of hosts for postbacks. @default loopback */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Sends the postbacks. @default the global `fetch` */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** The snapshot of an earlier sandbox. @default nothing */
  readonly kept?: StoreSnapshot | undefined;
}

/** A network in memory. */
export interface Sandbox {
  /**
   * Answers a request to any loopback origin, such as `http://127.0.0.1/?a=67890&c=12`. Throws a `TypeError` where a
   * fault closes the connection, as `fetch` does.
   */
  fetch(request: Request): Promise<Response>;
  /** Waits until every due postback has been sent. */
  settle(): Promise<void>;
  /** The data to keep beyond the process: rows, faults, clock. */
  snapshot(): StoreSnapshot;
}

/** The result of a fixture's check. */
export interface CheckedFixture {
  /** Warnings: a sentence for each probable mistake. */
  readonly warnings: readonly string[];
  /** The query of an example tracking link; `undefined` where the fixture has no link. */
  readonly sampleQuery: string | undefined;
}

/**
 * Checks a fixture, given as its JSON or as the object.
 *
 * @throws `CakeError` `invalid_fixture`; `invalid_field` where it is neither.
 */
export function checkFixture(fixture: string | object): CheckedFixture;
export function checkFixture(fixture: string | object, ...more: unknown[]): CheckedFixture {
  checkNoMore("checkFixture", 1, more);
  const json = fixtureJson(fixture) ?? refuse("fixture", FIXTURE_RULE);
  const { SandboxNetwork } = core.api();
  const network = call(() => new SandboxNetwork(json, "key", "[]"));
  const checked = { warnings: JSON.parse(network.warnings()) as string[], sampleQuery: network.sampleQuery() };
  network.free();
  return checked;
}

const FIXTURE_RULE = "must be a fixture, as its JSON or as the object";
const NO_JSON = "the fixture cannot be written as JSON";
const KEPT_RULE = "must be a snapshot() of an earlier sandbox";

function fixtureJson(fixture: unknown): string | undefined {
  if (fixture === undefined || fixture === null) return undefined;
  if (typeof fixture === "string") return fixture;
  if (typeof fixture !== "object") return refuse("fixture", FIXTURE_RULE);
  checkRecord("fixture", fixture);
  try {
    const json = JSON.stringify(fixture) as string | undefined;
    if (json !== undefined) return json;
  } catch (cause) {
    // The platform draws a circle on further lines.
    const [why = ""] = `${(cause as Error | undefined)?.message ?? ""}`.split("\n");
    throw new CakeError({ code: "invalid_fixture", rule: `${NO_JSON}${why && `: ${why}`}` }, { cause });
  }
  throw new CakeError({ code: "invalid_fixture", rule: `${NO_JSON}: its toJSON() returns nothing` });
}

function checkOptions(options: SandboxOptions): void {
  const given: unknown = options;
  checkRecord("options", given);
  checkNames("options", options, ["fixture", "apiKey", "allowedHosts", "fetch", "kept"]);
  optionalString("apiKey", options.apiKey);
  functionOption("fetch", options.fetch);
  const { allowedHosts, kept } = options;
  const isList = Array.isArray(allowedHosts) && allowedHosts.every((host) => typeof host === "string");
  if (allowedHosts !== undefined && !isList) refuse("allowedHosts", "must be an array of host names");
  if (kept !== undefined && (typeof kept !== "object" || kept === null)) refuse("kept", KEPT_RULE);
}

/** The store of a snapshot that somebody else may have kept. */
function storeOf(kept: StoreSnapshot | undefined): MemoryStore {
  try {
    return new MemoryStore(kept);
  } catch (cause) {
    throw new CakeError({ code: "invalid_field", parameter: "kept", rule: KEPT_RULE }, { cause });
  }
}

/**
 * Creates a network in memory.
 *
 * @throws `CakeError` `invalid_fixture`, `missing_api_key`; `invalid_field` where an option is of another type.
 * @example
 * const sandbox = createSandbox();
 * const cake = createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: "sandbox-key", fetch: sandbox.fetch });
 */
export function createSandbox(options?: SandboxOptions): Sandbox;
export function createSandbox(options: SandboxOptions = {}, ...more: unknown[]): Sandbox {
  checkNoMore("createSandbox", 1, more);
  checkOptions(options);
  const { allowedHosts } = options;
  const apiKey = options.apiKey ?? "sandbox-key";
  const send = options.fetch ?? ((url: string, init: RequestInit) => fetch(url, init));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const store = storeOf(options.kept);
  const server: SandboxServer = new SandboxServer({
    fixture: fixtureJson(options.fixture),
    apiKey,
    ...(allowedHosts === undefined ? {} : { allowedHosts: [...allowedHosts] }),
    store,
    gate: { isLoopback: true },
    host: {
      now: () => Date.now(),
      random: () => Math.random(),
      uuid: () => crypto.randomUUID(),
      send,
      keepAlive: () => undefined,
      wakeAt(atMs) {
        if (timer !== undefined) clearTimeout(timer);
        timer = atMs === null ? undefined : startTimer(() => void server.wake(), atMs - Date.now());
        // A waiting postback does not keep the process alive.
        (timer as { unref?: () => void } | undefined)?.unref?.();
      },
      noAnswer() {
        throw new TypeError("fetch failed: sandbox fault");
      },
    },
  });
  const sandbox: Sandbox = {
    // A runtime adds its environment behind the request.
    async fetch(request) {
      checkRequest(request);
      return server.fetch(request);
    },
    settle: () => server.wake(),
    snapshot: () => store.snapshot(),
  };
  return limitArguments(limitArguments(sandbox, { snapshot: 0 }), { settle: 0 }, "async");
}
