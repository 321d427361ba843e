/**
 * The APIs of Google Tag Manager that the templates in examples/gtm call, by Google's documentation of custom templates
 * and of server-side tagging. It runs in a page and in Node. Every call is checked against the template's permissions, and
 * every value that crosses the sandbox's border is copied as GTM documents it: null, undefined, texts, numbers, yes and
 * no, lists, plain objects and functions; anything else, such as a Promise or an instance of a class, is undefined.
 *
 * It does not emulate: GTM's own interpreter (the code runs as a function of the page's or of Node's; template.ts checks
 * its syntax and names instead), any API that is not in the table below, triggers, variables, tag sequencing and the
 * order of tags, consent checks of tags and `wait_for_update`, preview mode, the policies of a page (`gtm.allowlist`),
 * the editor's checks of parameters, templates' storage, and a server container's clients, its environment and its
 * limits of time. Where Google's pages say too little, the emulator is strict: `setInWindow` asks for read and write, and
 * a pattern of addresses is an https host, `*` for any, and a path.
 */

export interface Permission {
  readonly id: string;
  readonly keys?: readonly {
    readonly key: string;
    readonly read: boolean;
    readonly write: boolean;
    readonly execute: boolean;
  }[];
  readonly consentTypes?: readonly { readonly consentType: string; readonly read: boolean }[];
  readonly urls?: readonly string[];
  readonly keyPatterns?: readonly string[];
  readonly keyIds?: readonly string[];
}

/** Which container has an API, and the permission that it asks for. */
export const APIS: Readonly<
  Record<string, { readonly kinds: readonly ("web" | "server")[]; readonly permission?: string }>
> = {
  addConsentListener: { kinds: ["web"], permission: "access_consent" },
  callInWindow: { kinds: ["web"], permission: "access_globals" },
  copyFromWindow: { kinds: ["web"], permission: "access_globals" },
  createArgumentsQueue: { kinds: ["web"], permission: "access_globals" },
  createQueue: { kinds: ["web"], permission: "access_globals" },
  getEventData: { kinds: ["server"], permission: "read_event_data" },
  getTimestampMillis: { kinds: ["web", "server"] },
  getType: { kinds: ["web", "server"] },
  hmacSha256: { kinds: ["server"], permission: "use_custom_private_keys" },
  injectScript: { kinds: ["web"], permission: "inject_script" },
  isConsentGranted: { kinds: ["web"], permission: "access_consent" },
  JSON: { kinds: ["web", "server"] },
  logToConsole: { kinds: ["web", "server"], permission: "logging" },
  makeNumber: { kinds: ["web", "server"] },
  makeString: { kinds: ["web", "server"] },
  Math: { kinds: ["web", "server"] },
  sendHttpRequest: { kinds: ["server"], permission: "send_http" },
  setInWindow: { kinds: ["web"], permission: "access_globals" },
  sha256Sync: { kinds: ["server"] },
};

type Fn = (...given: unknown[]) => unknown;
type Bag = Record<string, unknown>;

/** Google's consent mode: what is not set is granted, and listeners hear of changes. */
export class ConsentMode {
  readonly #states = new Map<string, boolean>();
  readonly #listeners: { type: string; call: Fn }[] = [];

  isGranted(type: string): boolean {
    return this.#states.get(type) ?? true;
  }

  listen(type: string, call: Fn): void {
    this.#listeners.push({ type, call });
  }

  update(type: string, granted: boolean): void {
    const isChange = this.isGranted(type) !== granted;
    this.#states.set(type, granted);
    for (const each of isChange ? this.#listeners : []) if (each.type === type) each.call(type, granted);
  }
}

/** Where a template runs. */
export interface Host {
  readonly permissions: readonly Permission[];
  /** A web container's. */
  readonly window?: object;
  readonly consent?: ConsentMode;
  /** A server container's. */
  readonly eventData?: Readonly<Record<string, unknown>>;
  /** The file of SGTM_CREDENTIALS. */
  readonly credentials?: { readonly keys: Readonly<Record<string, string>> };
  readonly hash?: (input: string, encoding: string) => string;
  readonly hmac?: (input: string, key: string, encoding: string) => string;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly log?: Fn;
  readonly now?: () => number;
  /** What a template gets for an API. @default the API */
  readonly wrap?: (name: string, api: unknown) => unknown;
  /** Hears of each permission that is used, such as `access_globals read cakeEdge`. */
  readonly onPermission?: (used: string) => void;
}

/** Crosses the border of the sandbox, in either direction. */
export function copy(value: unknown): unknown {
  if (value === null || ["undefined", "string", "number", "boolean"].includes(typeof value)) return value;
  if (typeof value === "function") return (...given: unknown[]) => copy((value as Fn)(...given.map(copy)));
  if (Array.isArray(value)) return value.map(copy);
  const prototype = Object.getPrototypeOf(value);
  // An object of another window has another Object.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return undefined;
  return Object.fromEntries(Object.entries(value as Bag).map(([name, each]) => [name, copy(each)]));
}

/** Runs a template's code once. */
export function runTemplate(code: string, data: Readonly<Record<string, unknown>>, host: Host): unknown {
  const apis = apisOf(host);
  const need = (name: unknown) => {
    const api = apis[`${name}`];
    if (api === undefined) throw new Error(`require: ${name} is not emulated`);
    return host.wrap ? host.wrap(`${name}`, api) : api;
  };
  return new Function("require", "data", `"use strict";${code}`)(need, data);
}

function apisOf(host: Host): Record<string, unknown> {
  const { permissions, window = {}, consent, onPermission } = host;
  const allow = (id: string, what: string, is: (permission: Permission) => boolean | undefined) => {
    if (!permissions.some((each) => each.id === id && is(each))) throw new Error(`permission denied: ${id} ${what}`);
    onPermission?.(`${id} ${what}`);
  };
  const allowKey = (mode: "read" | "write" | "execute", key: unknown) =>
    allow("access_globals", `${mode} ${key}`, ({ keys }) => keys?.some((each) => each.key === key && each[mode]));
  const allowUrl = (id: string, url: unknown) =>
    allow(id, "", ({ urls }) => urls?.some((pattern) => isLike(`${url}`, pattern)));
  /** The object that holds the last name of a path, and that name. */
  const placeOf = (path: unknown): [Bag | undefined, string] => {
    const names = `${path}`.split(".");
    const last = names.pop() ?? "";
    let place: unknown = window;
    for (const name of names) place = (place as Bag | undefined)?.[name];
    return [place === null || !["object", "function"].includes(typeof place) ? undefined : (place as Bag), last];
  };
  const set = (path: unknown, value: unknown, overrides: unknown): boolean => {
    const [place, name] = placeOf(path);
    if (place === undefined || (place[name] !== undefined && !overrides)) return false;
    place[name] = value;
    return true;
  };
  const get = (path: unknown): unknown => {
    const [place, name] = placeOf(path);
    return place?.[name];
  };
  return {
    addConsentListener: (type: string, listener: Fn) => {
      allow("access_consent", type, ({ consentTypes }) =>
        consentTypes?.some((each) => each.consentType === type && each.read),
      );
      consent?.listen(type, listener);
    },
    isConsentGranted: (type: string) => {
      allow("access_consent", type, ({ consentTypes }) =>
        consentTypes?.some((each) => each.consentType === type && each.read),
      );
      return consent?.isGranted(type);
    },
    callInWindow: (path: unknown, ...given: unknown[]) => {
      allowKey("execute", path);
      const [place, name] = placeOf(path);
      const call = place?.[name];
      return typeof call === "function" ? copy(call.apply(place, given.map(copy))) : undefined;
    },
    copyFromWindow: (path: unknown) => {
      allowKey("read", path);
      return copy(get(path));
    },
    setInWindow: (path: unknown, value: unknown, overrides?: unknown) => {
      allowKey("read", path);
      allowKey("write", path);
      return set(path, copy(value), overrides);
    },
    createQueue: (path: unknown) => {
      allowKey("read", path);
      allowKey("write", path);
      set(path, [], false);
      return (...given: unknown[]) => (get(path) as unknown[]).push(...given.map(copy));
    },
    createArgumentsQueue: (path: unknown, queue: unknown) => {
      for (const key of [path, queue]) {
        allowKey("read", key);
        allowKey("write", key);
      }
      const push = function (this: unknown) {
        // biome-ignore lint/complexity/noArguments: the queue holds the arguments object itself.
        (get(queue) as unknown[]).push(arguments);
      };
      set(path, push, false);
      set(queue, [], false);
      return copy(get(path));
    },
    injectScript: (url: string, onSuccess: Fn = () => {}, onFailure: Fn = () => {}, token: string = url) => {
      allowUrl("inject_script", url);
      const page = window as { injectedScripts?: Map<string, Promise<boolean>> };
      const scripts = page.injectedScripts ?? new Map<string, Promise<boolean>>();
      page.injectedScripts = scripts;
      let loaded = scripts.get(token);
      if (loaded === undefined) {
        loaded = new Promise((resolve) => {
          const script = Object.assign(document.createElement("script"), { src: url, async: true });
          script.onload = () => resolve(true);
          script.onerror = () => resolve(false);
          document.head.append(script);
        });
        scripts.set(token, loaded);
      }
      void loaded.then((isLoaded) => (isLoaded ? onSuccess() : onFailure()));
    },
    getEventData: (key: string) => {
      allow("read_event_data", key, ({ keyPatterns }) => keyPatterns?.includes(key));
      return copy(host.eventData?.[key]);
    },
    hmacSha256: (input: string, keyId: string, { outputEncoding = "base64url" } = {}) => {
      allow("use_custom_private_keys", keyId, ({ keyIds }) => keyIds?.includes(keyId));
      const key = host.credentials?.keys[keyId];
      if (key === undefined) throw new Error(`SGTM_CREDENTIALS has no key ${keyId}`);
      return host.hmac?.(input, key, outputEncoding);
    },
    sha256Sync: (input: string, { outputEncoding = "base64" } = {}) => host.hash?.(input, outputEncoding),
    sendHttpRequest: (url: string, options: HttpOptions, body?: string) => {
      allowUrl("send_http", url);
      return send(host, url, options, body);
    },
    logToConsole: (...given: unknown[]) => {
      allow("logging", "", () => true);
      host.log?.(...given);
    },
    getTimestampMillis: () => (host.now ?? Date.now)(),
    getType: (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value),
    makeNumber: (value: unknown) => Number(value),
    makeString: (value: unknown) => String(value),
    Math: {
      abs: Math.abs,
      ceil: Math.ceil,
      floor: Math.floor,
      max: Math.max,
      min: Math.min,
      pow: Math.pow,
      round: Math.round,
      sqrt: Math.sqrt,
    },
    JSON: {
      stringify: (value: unknown) => attempt(() => JSON.stringify(value)),
      parse: (text: unknown) => attempt(() => JSON.parse(`${text}`) as unknown),
    },
  };
}

interface HttpOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly timeout?: number;
}

async function send(
  host: Host,
  url: string,
  { method = "GET", headers = {}, timeout = 15_000 }: HttpOptions,
  body?: string,
) {
  const signal = AbortSignal.timeout(timeout);
  const answer = await host.fetch?.(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
  if (answer === undefined) throw new Error("this host has no network");
  return { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** `https://*` and a path, in which `*` is any characters. */
function isLike(url: string, pattern: string): boolean {
  const [, scheme, host = "", path = ""] = /^(https):\/\/([^/]*)(\/.*)$/.exec(pattern) ?? [];
  const given = attempt(() => new URL(url));
  if (scheme === undefined || given === undefined || given.protocol !== "https:") return false;
  const escaped = (text: string, any: string) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", any);
  const isHost = new RegExp(`^${escaped(host, "[^/]+")}$`).test(given.host);
  return isHost && new RegExp(`^${escaped(path, ".*")}$`).test(given.pathname);
}

/** Runs a scenario of the section TESTS: `mock`, `runCode`, `assertApi` and `assertThat`. */
export function runScenario(
  scenario: string,
  code: string,
  permissions: readonly Permission[],
  platform: Partial<Host>,
): void {
  const calls = new Map<string, number>();
  const mocks = new Map<string, unknown>();
  const count = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1);
  const wrap = (name: string, real: unknown) => {
    const mocked = mocks.has(name) ? mocks.get(name) : real;
    // JSON and Math are objects.
    if (!mocks.has(name) && typeof real !== "function") return real;
    return (...given: unknown[]) => {
      count(name);
      return typeof mocked === "function" ? (mocked as Fn)(...given) : mocked;
    };
  };
  const data = { gtmOnSuccess: () => count("gtmOnSuccess"), gtmOnFailure: () => count("gtmOnFailure") };
  const given = {
    mock: (name: string, value: unknown) => mocks.set(name, value),
    runCode: (fields: object) => runTemplate(code, { ...fields, ...data }, { permissions, ...platform, wrap }),
    assertApi: (name: string) => ({
      wasCalled: () => check(calls.has(name), `${name} was not called`),
      wasNotCalled: () => check(!calls.has(name), `${name} was called`),
    }),
    assertThat: (found: unknown) => ({
      isEqualTo: (wanted: unknown) =>
        check(
          JSON.stringify(found) === JSON.stringify(wanted),
          `${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`,
        ),
    }),
  };
  new Function(...Object.keys(given), `"use strict";${scenario}`)(...Object.values(given));
}

function check(is: boolean, otherwise: string): void {
  if (!is) throw new Error(otherwise);
}
