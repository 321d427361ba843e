/** Edge capture: a landing page's click id into a signed cookie, by the site's own Worker. */
import { CakeError, call } from "../error.js";
import {
  checkNames,
  checkNoMore,
  checkRequest,
  choice,
  flagOption,
  optionalString,
  refuse,
  stringOption,
  textsOption,
} from "../option.js";
import { edge } from "./core.js";

/** `onError` is the middleware's; both may be given the same options. */
const NAMES = [
  "secrets",
  "consent",
  "ignoreGlobalPrivacyControl",
  "domain",
  "touch",
  "windowDays",
  "journey",
  "parameters",
  "trustProxy",
  "onError",
];

/** What the visitor has said about being remembered. */
export type Consent = "granted" | "denied" | "pending";

/** How clicks are captured. */
export interface CaptureOptions {
  /**
   * The secrets of the cookie's signature, the newest first: it signs, all of
   * them verify. 32 characters or more each, such as `openssl rand -hex 32`. Keep
   * an old one for as long as `windowDays`.
   */
  readonly secrets: readonly string[];
  /**
   * What the visitor has said, in any case, or a consent platform's `true` and `false`. `"pending"` stores nothing,
   * `"denied"` deletes the cookie. Any other word is `invalid_setting`.
   * @default "granted"
   */
  readonly consent?: Consent | boolean | ((request: Request) => Consent | boolean);
  /** Keep clicks in spite of `Sec-GPC: 1`, where your law and counsel allow it. @default false */
  readonly ignoreGlobalPrivacyControl?: boolean;
  /** The site's domain, such as `shop.example`, where hosts below it are to see the cookie. @default the host alone */
  readonly domain?: string;
  /** Which click counts when there are several. @default "last" */
  readonly touch?: "last" | "first";
  /** How long a click counts, in days, 1 to 400. @default 30 */
  readonly windowDays?: number;
  /** How many clicks are kept, 1 to 20. @default 5 */
  readonly journey?: number;
  /** The names of the click id's parameter, the preferred one first. @default those of `findClick` */
  readonly parameters?: readonly string[];
  /**
   * Believe `X-Forwarded-Proto`, `X-Forwarded-Host` and `Forwarded`: on a server behind a proxy that ends TLS every
   * request is plain http, and no click is kept. Set it only where your proxy writes these headers itself.
   * @default false
   */
  readonly trustProxy?: boolean;
}

/**
 * Why no click was kept: a request that is no visit (`not_get`, `upgrade`,
 * `prefetch`, `prerender`, `not_navigation`), plain http (`insecure`), the
 * visitor's will (`global_privacy_control`, `consent_denied`,
 * `consent_pending`), or nothing to keep (`no_click`, `known`, `expired`).
 */
export type CaptureReason =
  | "not_get"
  | "upgrade"
  | "prefetch"
  | "prerender"
  | "not_navigation"
  | "insecure"
  | "global_privacy_control"
  | "consent_denied"
  | "consent_pending"
  | "no_click"
  | "known"
  | "expired";

/** What {@link captureClick} found, and what to do about it. */
export interface CapturedClick {
  /** The click id that counts: this request's, or the one kept earlier. */
  readonly clickId?: string;
  /** The `Set-Cookie` value that keeps it, or that deletes the cookie. An answer that has it must not be cached. */
  readonly setCookie?: string;
  /**
   * All `Set-Cookie` values, {@link setCookie} the first, where there are several: the visitor says no, and every name
   * and domain that may have a click is to lose it.
   */
  readonly setCookies?: readonly string[];
  /** Why no click was kept; absent where one was. */
  readonly reason?: CaptureReason;
}

/**
 * Decides about the click of a request by its URL, its cookie and its headers.
 *
 * @throws CakeError `weak_secret`, `invalid_setting`, `invalid_field`, and
 * `invalid_cookie` where the request's host is not one of `domain`
 */
export function captureClick(request: Request, options: CaptureOptions): CapturedClick;
export function captureClick(request: Request, options: CaptureOptions, ...more: unknown[]): CapturedClick {
  checkNoMore("captureClick", 2, more);
  checkRequest(request);
  checkOptions(options);
  const { consent = "granted" } = options;
  const said = typeof consent === "function" ? consent(request) : consent;
  const flags =
    (isFirst(options) ? 1 : 0) |
    (flagOption("ignoreGlobalPrivacyControl", options.ignoreGlobalPrivacyControl) ? 2 : 0) |
    (flagOption("trustProxy", options.trustProxy) ? 4 : 0);
  return call(() =>
    edge
      .api()
      .captureClick(
        request,
        textsOption("secrets", options.secrets),
        typeof said === "boolean" ? `${said}` : stringOption("consent", said),
        textsOption("parameters", options.parameters),
        optionalString("domain", options.domain) ?? "",
        options.windowDays ?? 30,
        options.journey ?? 5,
        flags,
        Date.now(),
      ),
  );
}

/**
 * The click id that counts by the signed cookie of a request; `undefined` where
 * there is none that one of the secrets has signed. For whoever records the
 * conversion: give it what {@link captureClick} was given.
 *
 * @throws CakeError `weak_secret`, `invalid_setting`
 */
export function readClickCookie(
  request: Request,
  options: Pick<CaptureOptions, "secrets" | "touch" | "windowDays">,
): string | undefined;
export function readClickCookie(
  request: Request,
  options: Pick<CaptureOptions, "secrets" | "touch" | "windowDays">,
  ...more: unknown[]
): string | undefined {
  checkNoMore("readClickCookie", 2, more);
  checkRequest(request);
  checkOptions(options);
  const cookies = request.headers.get("cookie") ?? "";
  return call(() =>
    edge
      .api()
      .findSignedClick(
        cookies,
        textsOption("secrets", options.secrets),
        Date.now(),
        isFirst(options),
        options.windowDays,
      ),
  );
}

function checkOptions(options: unknown): void {
  if (options === undefined || options === null) refuse("options", "must be an object");
  checkNames("options", options, NAMES);
}

function isFirst({ touch }: Pick<CaptureOptions, "touch">): boolean {
  const word = typeof touch === "string" ? touch.toLowerCase() : touch;
  return choice("touch", word, ["last", "first"]) === "first";
}

/** How a site's Worker captures clicks. */
export interface SiteCaptureOptions extends CaptureOptions {
  /**
   * Is told why a click could not be captured. The site's answer goes out all the same.
   * @default `console.error`
   */
  readonly onError?: (error: unknown, request: Request) => void;
}

/** The options, or a function that takes them from a Worker's environment, where secrets are. */
export type CaptureSettings<Env> = SiteCaptureOptions | ((env: Env) => SiteCaptureOptions);

/**
 * A Worker's fetch handler that captures clicks besides.
 *
 * @example
 * export default { fetch: withClickCapture(handler, (env) => ({ secrets: [env.CAKE_COOKIE_SECRET] })) };
 */
export function withClickCapture<Env, Rest extends unknown[]>(
  handler: (request: Request, env: Env, ...rest: Rest) => Response | Promise<Response>,
  settings: CaptureSettings<Env>,
): (request: Request, env: Env, ...rest: Rest) => Promise<Response>;
export function withClickCapture<Env, Rest extends unknown[]>(
  handler: (request: Request, env: Env, ...rest: Rest) => Response | Promise<Response>,
  settings: CaptureSettings<Env>,
  ...more: unknown[]
): (request: Request, env: Env, ...rest: Rest) => Promise<Response> {
  checkNoMore("withClickCapture", 2, more);
  if (typeof handler !== "function") refuse("handler", "must be a function that answers a request");
  checkSettings(settings);
  return async (request, env, ...rest) => captureInto(await handler(request, env, ...rest), request, settings, env);
}

/** As much of Hono's context as the middleware touches. */
export interface HonoContext<Env> {
  readonly req: { readonly raw: Request };
  readonly env: Env;
  get res(): Response;
  set res(response: Response | undefined);
}

/**
 * The same as a middleware for Hono.
 *
 * @example
 * app.use(clickCapture((env) => ({ secrets: [env.CAKE_COOKIE_SECRET] })));
 */
export function clickCapture<Env>(
  settings: CaptureSettings<Env>,
): (context: HonoContext<Env>, next: () => Promise<void>) => Promise<void>;
export function clickCapture<Env>(
  settings: CaptureSettings<Env>,
  ...more: unknown[]
): (context: HonoContext<Env>, next: () => Promise<void>) => Promise<void> {
  checkNoMore("clickCapture", 1, more);
  checkSettings(settings);
  return async (context, next) => {
    await next();
    const response = context.res;
    const captured = captureInto(response, context.req.raw, settings, context.env);
    if (captured === response) return;
    // Hono would put the old answer's headers over the new one's.
    context.res = undefined;
    context.res = captured;
  };
}

/** As much of a Pages Function's context as the middleware touches. */
export interface PagesContext<Env> {
  readonly request: Request;
  readonly env: Env;
  next(): Promise<Response>;
}

/**
 * The same as a middleware of Cloudflare Pages, `functions/_middleware.js`.
 *
 * @example
 * export const onRequest = pagesClickCapture((env) => ({ secrets: [env.CAKE_COOKIE_SECRET] }));
 */
export function pagesClickCapture<Env>(
  settings: CaptureSettings<Env>,
): (context: PagesContext<Env>) => Promise<Response>;
export function pagesClickCapture<Env>(
  settings: CaptureSettings<Env>,
  ...more: unknown[]
): (context: PagesContext<Env>) => Promise<Response> {
  checkNoMore("pagesClickCapture", 1, more);
  checkSettings(settings);
  return async (context) => captureInto(await context.next(), context.request, settings, context.env);
}

/** What is no settings at all is said when the site starts, not at each of its visits. */
function checkSettings(settings: unknown): void {
  if (typeof settings !== "function") checkOptions(settings);
}

/** The site's answer with the click's cookie on it; the very same answer where there is none to set. */
function captureInto<Env>(response: Response, request: Request, settings: CaptureSettings<Env>, env: Env): Response {
  let onError: SiteCaptureOptions["onError"];
  try {
    const options = typeof settings === "function" ? settings(env) : settings;
    onError = options.onError;
    const { setCookie, setCookies = [setCookie], reason } = captureClick(request, options);
    if (reason === "insecure") tellInsecure(request, options);
    // An answer of another protocol has no place for a cookie.
    if (setCookie === undefined || response.status < 200) return response;
    // A fetched answer's headers cannot be changed; its body streams on.
    const answer = new Response(response.body, response);
    for (const text of setCookies) answer.headers.append("set-cookie", text ?? "");
    // A cache would hand one visitor's click to all others, also one that a
    // network tells apart from what browsers are told.
    for (const name of [...answer.headers.keys()]) if (FOR_CACHES.test(name)) answer.headers.delete(name);
    answer.headers.set("cache-control", "private, no-store");
    return answer;
  } catch (error) {
    report(error, request, onError);
    return response;
  }
}

/** The headers by which the caches of this and that network are told to share an answer. */
const FOR_CACHES =
  /(^|-)(cache|edge|surrogate)-control$|^(expires|x-accel-expires|x-cache-ttl|x-ttl|surrogate-ttl|cf-edge-cache|x-litespeed-cache)$/;

/** The middlewares that have told of plain http. */
const told = new WeakSet<SiteCaptureOptions>();
let hasTold = false;

/** No click is kept over plain http. Behind a proxy nobody would see why; so it is said once. */
function tellInsecure(request: Request, options: SiteCaptureOptions): void {
  if (options.onError ? told.has(options) : hasTold) return;
  told.add(options);
  hasTold = true;
  const error = new CakeError({
    code: "invalid_setting",
    parameter: "trustProxy",
    rule: "is needed where a proxy ends TLS: this request came over plain http, and its click was not kept",
  });
  report(error, request, options.onError);
}

/** The site must not fail for what could not be captured, nor for what could not be reported. */
function report(error: unknown, request: Request, onError: SiteCaptureOptions["onError"]): void {
  try {
    if (onError) onError(error, request);
    // biome-ignore lint/suspicious/noConsole: a Worker's log is its console
    else console.error(`cake-edge: the click was not captured: ${String(error)}`);
  } catch {
    // Whoever reports has its own way of failing.
  }
}
