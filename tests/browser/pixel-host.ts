/**
 * The sandbox of Shopify's web pixels, as far as a pixel sees it. A custom pixel runs in an
 * `<iframe sandbox="allow-scripts">`, an app pixel in a worker of such a frame. Both reach the page's storage by
 * messages.
 *
 * It does not emulate which pixels load by the merchant's permissions, the replay of events after consent, or
 * `settings` from the Admin API. Nor does it emulate the other customer events, the platform's content policy,
 * `browser.cookie.set`, `sendBeacon`, or the versions of its own loader. Amounts come as in the platform's types.
 */

/** The options of a pixel's page. */
export interface PixelPage {
  /** The pixel's script. */
  readonly code: string;
  /** Does it run in a worker, as an app pixel? */
  readonly isApp?: boolean;
  readonly settings?: Record<string, unknown>;
  readonly isMarketingAllowed?: boolean;
  /** The behaviour of the storage bridge. */
  readonly storage?: "good" | "rejects" | "hangs";
}

/** The page around a pixel. It defines the globals `publish(name, event)` and `collect(customerPrivacy)`. */
export function pixelPage({
  code,
  isApp = false,
  settings = {},
  isMarketingAllowed = true,
  storage = "good",
}: PixelPage): string {
  const given = {
    isApp,
    settings,
    isMarketingAllowed,
    storage,
    code: `${PLATFORM}\n${isApp ? code : ""}`,
    pixel: code,
  };
  return `<!doctype html><title>pixel</title><body><script>(${host})(${text(given)}, ${text(PLATFORM)})</script>`;
}

/** JSON that cannot end a script. */
const text = (value: unknown) => JSON.stringify(value).replaceAll("<", "\\u003c");

interface Given {
  readonly isApp: boolean;
  readonly settings: Record<string, unknown>;
  readonly isMarketingAllowed: boolean;
  readonly storage: string;
  readonly code: string;
  readonly pixel: string;
}

/** The page's side: storage and events. Its source is inserted into the page. */
function host(given: Given, platform: string): void {
  const config = `globalThis.__pixel = ${JSON.stringify(given)};`;
  // A script inside a script: its text must not contain an end tag.
  const end = "</" + "script>";
  const inner = given.isApp
    ? `const worker = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(`${config}\n${given.code}`)}])));
       worker.onmessage = ({ data }) => parent.postMessage(data, "*");
       onmessage = ({ data }) => worker.postMessage(data);`
    : `${config}\n${platform}\n${given.pixel}`;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = `<!doctype html><head></head><body><script>${inner.replaceAll("</", "<\\/")}${end}`;
  const send = (message: unknown) => frame.contentWindow?.postMessage(message, "*");
  addEventListener("message", ({ data }) => {
    if (data?.ask === undefined || given.storage === "hangs") return;
    const { ask, id, args } = data as { ask: "getItem" | "setItem" | "removeItem"; id: number; args: [string, string] };
    if (given.storage === "rejects") return send({ id, failed: true });
    send({ id, value: localStorage[ask](...args) ?? null });
  });
  addEventListener("message", ({ data }) => {
    if (data?.ready) Object.assign(globalThis, { isReady: true });
    if (data?.result) results.push(data.result);
  });
  const results: unknown[] = [];
  Object.assign(globalThis, {
    results,
    publish: (name: string, event: unknown) => send({ name, event }),
    collect: (customerPrivacy: unknown) => send({ name: "visitorConsentCollected", event: { customerPrivacy } }),
  });
  document.body.append(frame);
}

/** The sandbox's side: the API of a pixel. Plain JavaScript, for frame and worker alike. */
const PLATFORM = `(() => {
  const { settings, isMarketingAllowed, isApp } = globalThis.__pixel;
  const out = isApp ? (message) => postMessage(message) : (message) => parent.postMessage(message, "*");
  const asked = new Map();
  const listeners = [];
  addEventListener("message", ({ data }) => {
    const waiting = asked.get(data.id);
    if (waiting) data.failed ? waiting.reject(new Error("no storage")) : waiting.resolve(data.value);
    for (const { name, listener } of listeners) if (name === data.name) listener(data.event);
  });
  let number = 0;
  const ask = (name) => (...args) => new Promise((resolve, reject) => {
    asked.set(++number, { resolve, reject });
    out({ ask: name, id: number, args });
  });
  const subscribe = (name, listener) => {
    listeners.push({ name, listener });
    out({ ready: true });
    return () => true;
  };
  const localStorage = { getItem: ask("getItem"), setItem: ask("setItem"), removeItem: ask("removeItem") };
  const allowed = {
    analyticsProcessingAllowed: isMarketingAllowed, marketingAllowed: isMarketingAllowed,
    preferencesProcessingAllowed: true, saleOfDataAllowed: true,
  };
  const api = {
    analytics: { subscribe }, browser: { localStorage }, settings,
    init: { customerPrivacy: allowed, context: {}, data: {} }, customerPrivacy: { subscribe },
  };
  if (isApp) globalThis.shopify = { extend: (point, extend) => point === "WebPixel::Render" && extend(api) };
  else Object.assign(globalThis, { api, analytics: api.analytics, browser: api.browser, init: api.init });
})();`;
