// A cold landing in Chromium: a link on another site is followed, as every affiliate's visitor does. Measured are the
// start of the navigation and the first statement of the script, each until the click id is first stored or sent. The
// peers are the same capture written by hand, and two trackers from npm whose network calls are answered here. Each link
// waits until the machine is idle, because contention would distort the times.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../scripts/build.ts";
import { LandingSite, Tabs } from "./landing.ts";

const ROUNDS = 20;

/** A host name, as real sites have: an IP address has no domain for cookies. */
const HOST = "shop.example.com";

/** The site whose link leads to the landing: a click from another site, as every affiliate's is. */
const PUBLISHER = "compare.example.net";

/** The minimum idle share of the machine, and the maximum wait for it. */
const IDLE = 0.85;
const MAX_WAIT_MS = 20_000;
const CLICK_ID = "a1b2c3d4-bench";

/** The same capture, written by hand: no windows, no journey, no consent. */
const HANDWRITTEN = `(() => {
  const id = new URLSearchParams(location.search).get("reqid");
  if (!id || !/^[\\w.:-]{1,128}$/.test(id)) return;
  const labels = location.hostname.split(".");
  for (let at = labels.length - 2; at >= -1; at--) {
    const domain = at < 0 ? "" : "; Domain=" + labels.slice(at).join(".");
    document.cookie = "click=" + id + "; Path=/; Max-Age=2592000; SameSite=Lax" + domain;
    if (document.cookie.includes("click=" + id)) break;
  }
  try { localStorage.setItem("click", id); } catch {}
})();`;

const peer = (path: string) => readFileSync(join(root, "bench/node_modules", path), "utf8");

/** A page for each way, and the scripts that it loads. */
const WAYS = {
  ours: `<script src="/ours.js"></script>`,
  handwritten: `<script src="/handwritten.js"></script>`,
  snowplow: `<script src="/snowplow.js"></script><script>
    snowplowBrowserTracking.newTracker("sp", location.origin, { appId: "bench" });
    snowplowBrowserTracking.trackPageView();
  </script>`,
  segment: `<script>
    window.analytics = [["page"]];
    analytics._writeKey = "bench";
    analytics._cdn = location.origin;
  </script><script src="/segment.js"></script>`,
} as const;

type Way = keyof typeof WAYS;

interface Landing {
  readonly kept: number;
  /** The time of the script's first statement. */
  readonly began: number;
  readonly engine: number;
  readonly longTasks: number;
}

/** The figures of `npm run bench -- page`. */
export async function measure(): Promise<Record<string, number>> {
  const site = await LandingSite.start();
  const tabs = await Tabs.start([`--host-resolver-rules=MAP ${HOST} 127.0.0.1, MAP ${PUBLISHER} 127.0.0.1`]);
  try {
    serve(site);
    site.ready = idle;
    const landings: Record<Way, Landing[]> = { ours: [], handwritten: [], snowplow: [], segment: [] };
    for (let round = -2; round < ROUNDS; round += 1) {
      // In sequence, so that a slow moment affects all.
      for (const way of shuffled(Object.keys(WAYS) as Way[])) {
        const landing = await land(tabs, site, way);
        // The first rounds warm up the browser, not the page.
        if (round >= 0) landings[way].push(landing);
      }
    }
    const evaluated = (way: Way) => landings[way].map(({ kept, began }) => kept - began);
    const ours = evaluated("ours");
    const over = ours.map((ms, round) => ms - (evaluated("handwritten")[round] ?? Number.NaN));
    return {
      eval_to_kept_ms: median(ours),
      eval_to_kept_lower_quartile_ms: quartile(ours, 1),
      eval_to_kept_upper_quartile_ms: quartile(ours, 3),
      eval_to_kept_handwritten_ms: median(evaluated("handwritten")),
      eval_to_kept_over_handwritten_ms: median(over),
      eval_to_kept_over_handwritten_lower_quartile_ms: quartile(over, 1),
      eval_to_kept_over_handwritten_upper_quartile_ms: quartile(over, 3),
      ms_over_handwritten: median(
        landings.ours.map(({ kept }, round) => kept - (landings.handwritten[round]?.kept ?? Number.NaN)),
      ),
      vs_snowplow: ratio(landings.ours, landings.snowplow),
      vs_segment: ratio(landings.ours, landings.segment),
      // What the browser's own time leaves to be won: no capture writes sooner than the one by hand.
      handwritten_vs_snowplow: ratio(landings.handwritten, landings.snowplow),
      handwritten_vs_segment: ratio(landings.handwritten, landings.segment),
      engine_start_ms: median(landings.ours.map(({ engine }) => engine)),
      long_tasks: landings.ours.reduce((sum, { longTasks }) => sum + longTasks, 0),
      ms_ours: median(landings.ours.map(({ kept }) => kept)),
      ms_handwritten: median(landings.handwritten.map(({ kept }) => kept)),
      ms_snowplow: median(landings.snowplow.map(({ kept }) => kept)),
      ms_segment: median(landings.segment.map(({ kept }) => kept)),
    };
  } finally {
    await tabs.stop();
    await site.stop();
  }
}

function serve(site: LandingSite): void {
  const script = (path: string, body: string) => site.pages.set(path, { body, type: "text/javascript" });
  const json = (path: string, value: unknown) =>
    site.pages.set(path, { body: JSON.stringify(value), type: "application/json" });
  // Both record their start with the same statement.
  const began = "window.began=performance.now();";
  script("/handwritten.js", began + HANDWRITTEN);
  const own = readFileSync(join(root, "dist/page/cake-edge.js"), "utf8");
  // After the compiler's hint, which stays first.
  script(
    "/ours.js",
    own.replace(/^((?:\/\/[^\n]*\n)?)/, (start) => start + began),
  );
  script("/snowplow.js", peer("@snowplow/browser-tracker/dist/index.umd.min.js"));
  script("/segment.js", peer("@segment/analytics-next/dist/umd/standalone.js"));
  json("/com.snowplowanalytics.snowplow/tp2", {});
  const api = { apiKey: "bench", apiHost: `${HOST}:${site.port}/v1`, protocol: "http" };
  json("/v1/projects/bench/settings", { integrations: { "Segment.io": api }, plan: {} });
  json("/v1/p", { success: true });
  const watch = `<script>(${watchKeeping})(${JSON.stringify(CLICK_ID)})</script>`;
  for (const [way, html] of Object.entries(WAYS)) {
    const body = `<!doctype html><title>${way}</title>${watch}<h1>Quote Shop</h1>${html}`;
    site.pages.set(`/${way}`, { body, type: "text/html; charset=utf-8" });
  }
}

/** One landing with a new profile and an empty cache. */
async function land(tabs: Tabs, site: LandingSite, way: Way): Promise<Landing> {
  const address = `http://${HOST}:${site.port}/${way}?reqid=${CLICK_ID}&utm_source=bench`;
  const link = `http://${PUBLISHER}:${site.port}/link?to=${encodeURIComponent(address)}`;
  return JSON.parse(await tabs.open(link, () => site.report())) as Landing;
}

/**
 * Runs in the page, as its first script: records the first write or send of the click id, WebAssembly's start time, and
 * long tasks, and reports them when the page has settled.
 */
function watchKeeping(clickId: string): void {
  const seen = globalThis as unknown as { kept?: number; began?: number; engine: number; longTasks: number };
  const { fetch: own } = window;
  seen.engine = 0;
  seen.longTasks = 0;
  const look = (text: unknown) => {
    if (seen.kept !== undefined || !String(text).includes(clickId)) return;
    seen.kept = performance.now();
    setTimeout(() => {
      const { kept, began = 0, engine, longTasks } = seen;
      void own("/landing", { method: "POST", body: JSON.stringify({ kept, began, engine, longTasks }) });
    }, 300);
  };
  const cookie = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(Document.prototype, "cookie", {
    configurable: true,
    get() {
      return cookie?.get?.call(this);
    },
    set(text: string) {
      cookie?.set?.call(this, text);
      look(text);
    },
  });
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (key, text) {
    setItem.call(this, key, text);
    look(text);
  };
  window.fetch = (input, init) => {
    look(init?.body);
    return own(input, init);
  };
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (body) {
    look(body);
    send.call(this, body);
  };
  for (const name of ["Module", "Instance"] as const) {
    const own = WebAssembly[name] as new (argument: never) => object;
    Object.assign(WebAssembly, {
      [name]: new Proxy(own, {
        construct(target, [argument]: [never]) {
          const start = performance.now();
          try {
            return new target(argument);
          } finally {
            seen.engine += performance.now() - start;
          }
        },
      }),
    });
  }
  new PerformanceObserver((list) => {
    seen.longTasks += list.getEntries().length;
  }).observe({ type: "longtask" });
}

/** Waits until the machine is nearly idle. */
async function idle(): Promise<void> {
  const until = Date.now() + MAX_WAIT_MS;
  for (let before = times(); Date.now() < until; before = times()) {
    await sleep(200);
    const now = times();
    if (now.idle - before.idle > IDLE * (now.all - before.all)) return;
  }
  console.error("bench: the machine is busy; the figures are worth less");
}

function times(): { idle: number; all: number } {
  const [first = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const ticks = first.trim().split(/\s+/).slice(1).map(Number);
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((sum, each) => sum + each, 0) };
}

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

/** The median of the pairs' ratios: how many times sooner the first way keeps the click. */
function ratio(ours: readonly Landing[], other: readonly Landing[]): number {
  return median(ours.map(({ kept }, round) => (other[round]?.kept ?? Number.NaN) / kept));
}

function quartile(values: number[], which: 1 | 3): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = ((sorted.length - 1) * which) / 4;
  const [low = 0, high = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return Number((low + (high - low) * (at % 1)).toPrecision(4));
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return Number(((low + high) / 2).toPrecision(4));
}
