/** A forwarder's options, checked before any request is served. */

import { CakeError, call, toCakeError } from "../error.js";
import {
  checkNames,
  checkRecord,
  choice,
  copyOf,
  functionOption,
  hookOption,
  integerOption,
  namesOf,
  refuse,
  stringOption,
} from "../option.js";
import { refusePlaceholderHost } from "../placeholder-host.js";
import { checkSecret, texts } from "../secret.js";
import { createTimeZone, type TimeZone } from "../time-zone.js";
import type { Deliverer, OperatorKey } from "../wasm/forwarder.js";
import { checkSigningSecret } from "../webhook-signature.js";
import { core } from "./core.js";
import { hash } from "./hash.js";
import type { Sender } from "./key-settings.js";
import { type PostbackOptions, type ResolvedPostback, resolvePostbacks } from "./postbacks.js";
import type { LogLine } from "./shard.js";
import { type Platform, type ResolvedShop, resolveShops, type Shops } from "./shops.js";

/** The options of a forwarder: how it reaches CAKE, and which callers it serves. */
export interface ForwarderOptions {
  /**
   * `https://yourdomain.cakemarketing.com`, or a sandbox's origin on loopback. With {@link pixelDomain}, only
   * corrections need it. The same account may get another address: its events stay known. A different account needs an
   * outbox of its own.
   */
  readonly baseUrl?: string | undefined;
  /** The API key, a secret of the Worker. With {@link pixelDomain}, only corrections need it. */
  readonly apiKey?: string | undefined;
  /**
   * A tracking domain such as `track.yournetwork.com`: conversions go to its `p.ashx`, without a key. That request
   * carries the click id, offer, unique id, payout, revenue, an event's id and an order, and nothing else. No API tells
   * what became of an attempt, so CAKE must deduplicate every offer. Corrections still need {@link baseUrl} and
   * {@link apiKey}.
   * @default conversions go to the API
   */
  readonly pixelDomain?: string | undefined;
  /** The secret that operators sign in with: at least 32 characters. */
  readonly operatorSecret: string | undefined;
  /**
   * The account's time zone, such as `America/New_York`. The forwarder dates a conversion when it accepts it, and a
   * late retry does not change the date.
   * @default CAKE dates a conversion when it arrives there
   */
  readonly timeZone?: string | undefined;
  /**
   * The exact origins whose pages may report conversions, such as `https://shop.example`. The forwarder's own origin is
   * always allowed.
   * @default []
   */
  readonly origins?: readonly string[] | undefined;
  /** Standard Webhooks secrets of backends, `whsec_…`, the newest first. @default no signed request is accepted */
  readonly signingSecrets?: readonly string[] | undefined;
  /**
   * Shops whose webhooks are accepted, by platform: `POST webhooks/shopify`, `…/woocommerce`, `…/stripe`.
   * @default none
   */
  readonly shops?: Shops | undefined;
  /**
   * Networks and form tools whose postbacks are accepted, by a name of your choice: `GET postback/NAME`.
   * @default none
   */
  readonly postbacks?: Readonly<Record<string, PostbackOptions>> | undefined;
  /**
   * The secrets with which the edge signs its click cookie, the newest first. A click id from that cookie takes
   * precedence over one in the body.
   * @default the cookie is not read
   */
  readonly cookieSecrets?: readonly string[] | undefined;
  /**
   * The secrets that sign conversion tokens, the newest first. With a token, a frame or worker without an origin may
   * report the one conversion that the token is for.
   * @default no token is accepted
   */
  readonly tokenSecrets?: readonly string[] | undefined;
  /** Does `GET token` issue tokens to pages of {@link origins}? Requires {@link tokenSecrets}. @default false */
  readonly tokenRoute?: boolean | undefined;
  /** Which click of that cookie counts. Set the same value as where the click is captured. @default "last" */
  readonly touch?: "last" | "first" | undefined;
  /**
   * Does CAKE deduplicate by transaction id? Set `false` for each offer that it does not deduplicate. For such an
   * offer, the forwarder calls Get Click before it repeats an attempt with an unknown outcome.
   * @default true for every offer
   */
  readonly upstreamDedupe?: boolean | Readonly<Record<number, boolean>> | undefined;
  /** May a page report several conversions of one click for one offer? @default false */
  readonly severalPerClick?: boolean | undefined;
  /**
   * How long a finished event is kept, in days; it may stay up to a quarter longer. Repetitions are recognised during
   * that time.
   * @default 30
   */
  readonly retentionDays?: number | undefined;
  /** The most events that may wait in one shard; beyond it, the shard answers 503. @default 10000000, some 3 GB */
  readonly capacity?: number | undefined;
  /** The timeout of one request to CAKE, including its body, in milliseconds. @default 15000 */
  readonly timeoutMs?: number | undefined;
  /** Sends the requests to CAKE instead of the global `fetch`: a service binding's `fetch`, or a mock. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** Receives a line for every state change. @default `console.log` of a line of JSON */
  readonly log?: ((line: LogLine) => void) | undefined;
  /**
   * For tests: the speed of the outbox's clock, as a multiple of real time. At 1000, the schedule's first wait of 5 s
   * takes 5 ms.
   * @default 1
   */
  readonly clockSpeed?: number | undefined;
}

/** The names of the options that every host has. */
export const OPTION_NAMES = namesOf<keyof ForwarderOptions>({
  baseUrl: true,
  apiKey: true,
  pixelDomain: true,
  operatorSecret: true,
  timeZone: true,
  origins: true,
  signingSecrets: true,
  shops: true,
  postbacks: true,
  cookieSecrets: true,
  tokenSecrets: true,
  tokenRoute: true,
  touch: true,
  upstreamDedupe: true,
  severalPerClick: true,
  retentionDays: true,
  capacity: true,
  timeoutMs: true,
  fetch: true,
  log: true,
  clockSpeed: true,
});

/** The options of a forwarder, checked and resolved. */
export interface ResolvedOptions {
  /** The deliverer; created again after a trap of the core. */
  readonly deliverer: () => Deliverer;
  /** The operator's secret, in the core; created again after a trap. */
  readonly operatorKey: () => OperatorKey;
  /** Stands in for the global `fetch`. */
  readonly fetch: ForwarderOptions["fetch"] | undefined;
  readonly account: string;
  /** A digest of the key and the addresses: what CAKE refuses with one of them may pass with another. */
  readonly access: string;
  /** Do conversions go to `p.ashx`? */
  readonly isPixel: boolean;
  readonly operatorSecret: string;
  readonly zone: TimeZone | undefined;
  readonly origins: ReadonlySet<string>;
  readonly signingSecrets: readonly string[];
  readonly shops: ReadonlyMap<Platform, readonly ResolvedShop[]>;
  readonly postbacks: ReadonlyMap<string, ResolvedPostback>;
  /** All shops and postbacks, with the settings of their keys. */
  readonly senders: readonly Sender[];
  readonly cookieSecrets: string[];
  readonly tokenSecrets: readonly string[];
  readonly tokenRoute: boolean;
  readonly isFirstTouch: boolean;
  readonly isDeduplicated: (offerId: number) => boolean;
  readonly severalPerClick: boolean;
  readonly retentionMs: number;
  readonly capacity: number;
  readonly timeoutMs: number;
  readonly log: (line: LogLine) => void;
  readonly clockSpeed: number;
}

const DAY_MS = 86_400_000;

/**
 * Checks the options.
 *
 * @throws CakeError `missing_api_key`, `weak_secret`, `placeholder_text`,
 * `invalid_base_url`, `invalid_domain`, `invalid_field`
 */
export function resolveOptions(options: ForwarderOptions, more: readonly string[] = []): ResolvedOptions {
  if (typeof options !== "object" || options === null) refuse("options", "must be an object");
  checkNames("options", options, [...OPTION_NAMES, ...more]);
  const { pixelDomain } = options;
  const { upstreamDedupe: given = true } = options;
  const timeZone = stringOption("timeZone", options.timeZone);
  const timeoutMs = integerOption("timeoutMs", options.timeoutMs, 1, 600_000) ?? 15_000;
  const apiKey = stringOption("apiKey", options.apiKey).trim();
  // With p.ashx, only corrections use the key, so it may be missing.
  if (pixelDomain === undefined || (apiKey !== "" && options.baseUrl))
    checkSecret("apiKey", apiKey, 8, "missing_api_key");
  // A copy: it is asked at each attempt.
  const upstreamDedupe = copyOf(given);
  if (typeof upstreamDedupe === "object") {
    checkRecord("upstreamDedupe", upstreamDedupe);
    for (const [offerId, said] of Object.entries(upstreamDedupe)) {
      if (!/^[1-9]\d*$/.test(offerId)) refuse("upstreamDedupe", "must have offer ids as its names");
      choice("upstreamDedupe", said, [true, false]);
    }
  } else {
    choice("upstreamDedupe", upstreamDedupe, [true, false]);
  }
  const deduplicatesAll =
    typeof upstreamDedupe === "object" ? !Object.values(upstreamDedupe).includes(false) : upstreamDedupe;
  if (pixelDomain !== undefined && !deduplicatesAll) {
    refuse("upstreamDedupe", "must be true with pixelDomain: there is no API to ask what became of an attempt");
  }
  const operatorSecret = checkSecret("operatorSecret", stringOption("operatorSecret", options.operatorSecret), 32);
  const signingSecrets = texts("signingSecrets", options.signingSecrets).map((secret) => {
    checkSecret("signingSecrets", secret.trim().replace(/^whsec_/, ""), 32);
    // Checked here rather than at a caller's request: the person who set the secret can correct it.
    return checkSigningSecret("signingSecrets", secret);
  });
  const secretsOf = (name: "cookieSecrets" | "tokenSecrets") =>
    texts(name, options[name]).map((secret) => checkSecret(name, secret, 32));
  const cookieSecrets = secretsOf("cookieSecrets");
  const tokenSecrets = secretsOf("tokenSecrets");
  const tokenRoute = choice("tokenRoute", options.tokenRoute, [true, false]) ?? false;
  if (tokenRoute && tokenSecrets.length === 0) refuse("tokenSecrets", "must hold a secret where tokenRoute is set");
  const origins = texts("origins", options.origins);
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin || !/^https?:/.test(origin)) {
      refuse("origins", "must be exact origins such as https://shop.example, without a path");
    }
    if (origin.includes("*")) refuse("origins", "must name each origin by itself: no page's origin has a * in it");
  }
  const retentionDays = integerOption("retentionDays", options.retentionDays, 1, 400) ?? 30;
  const clockSpeed = integerOption("clockSpeed", options.clockSpeed, 1, 1_000) ?? 1;
  const baseUrl = stringOption("baseUrl", options.baseUrl);
  refusePlaceholderHost("baseUrl", baseUrl);
  if (pixelDomain !== undefined) refusePlaceholderHost("pixelDomain", stringOption("pixelDomain", pixelDomain));
  const deliverer = core.keep(
    ({ Deliverer }) =>
      new Deliverer(
        baseUrl,
        apiKey,
        pixelDomain === undefined ? undefined : stringOption("pixelDomain", pixelDomain),
        timeoutMs,
        clockSpeed,
      ),
  );
  const fetch = functionOption("fetch", options.fetch);
  const shops = resolveShops(options.shops, retentionDays);
  const postbacks = resolvePostbacks(options.postbacks);
  return {
    deliverer,
    operatorKey: core.keep(({ OperatorKey }) => new OperatorKey(operatorSecret)),
    fetch,
    account: accountOf(deliverer),
    access: hash(JSON.stringify([operatorSecret, options.baseUrl, apiKey, pixelDomain])),
    isPixel: pixelDomain !== undefined,
    operatorSecret,
    zone: timeZone === "" ? undefined : createTimeZone(timeZone),
    origins: new Set(origins),
    signingSecrets,
    shops,
    postbacks,
    senders: [...[...shops.values()].flat(), ...postbacks.values()].map(({ sender }) => sender),
    cookieSecrets,
    tokenSecrets,
    tokenRoute,
    isFirstTouch: choice("touch", options.touch, ["last", "first"]) === "first",
    isDeduplicated: (offerId) =>
      typeof upstreamDedupe === "object" ? (upstreamDedupe[offerId] ?? true) : upstreamDedupe,
    severalPerClick: choice("severalPerClick", options.severalPerClick, [true, false]) ?? false,
    retentionMs: retentionDays * DAY_MS,
    capacity: integerOption("capacity", options.capacity, 1, 100_000_000) ?? 10_000_000,
    timeoutMs,
    log: hookOption("log", options.log ?? logLine) as ResolvedOptions["log"],
    clockSpeed,
  };
}

/** A line of JSON, as log pipelines read it. */
export function logLine(line: object): void {
  // biome-ignore lint/suspicious/noConsole: a Worker's log is its console
  console.log(JSON.stringify(line));
}

/** The account of a deliverer, which checks the domain of its pixels when it starts. */
function accountOf(deliverer: () => { account(): string }): string {
  try {
    return call(deliverer).account();
  } catch (thrown) {
    const { code, message } = toCakeError(thrown);
    if (code !== "invalid_domain") throw thrown;
    throw new CakeError({ code, parameter: "pixelDomain", rule: message.replace(/^domain /, "") });
  }
}
