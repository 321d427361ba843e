/** Edge capture: the site's own Worker puts a landing page's click id into a signed cookie. */
import { CakeError, call } from "../error.js";
import {
  checkNames,
  checkNoMore,
  checkRequest,
  choice,
  copyOf,
  flagOption,
  functionOption,
  hookOption,
  optionalString,
  parametersOption,
  refuse,
  stringOption,
} from "../option.js";
import { secretsOption } from "../secret.js";
import { edge } from "./core.js";

/** `onError` belongs to the middleware; both may get the same options. */
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
  "orderId",
  "uniqueId",
  "onError",
];

/** The visitor's answer about being remembered. */
export type Consent = "granted" | "denied" | "pending";

/** The options of the capture. */
export interface CaptureOptions {
  /**
   * The secrets of the cookie's signature, the newest first. The first one signs, all of them verify. Each has 32
   * characters or more, such as from `openssl rand -hex 32`. Keep an old one for as long as `windowDays`.
   */
  readonly secrets: readonly (string | undefined)[];
  /**
   * The visitor's answer, in any case, or a consent platform's `true` and `false`. `"pending"` stores nothing,
   * `"denied"` deletes the cookie. Any other word is `invalid_setting`.
   * @default "granted"
   */
  readonly consent?: (Consent | boolean | ((request: Request) => Consent | boolean)) | undefined;
  /** Keep clicks in spite of `Sec-GPC: 1`, where your law and counsel allow it. @default false */
  readonly ignoreGlobalPrivacyControl?: boolean | undefined;
  /** The site's domain, such as `shop.example`, if its subdomains are to see the cookie too. @default the host alone */
  readonly domain?: string | undefined;
  /** Which click counts when there are several. @default "last" */
  readonly touch?: "last" | "first" | undefined;
  /** How long a click counts, in days, 1 to 400. @default 30 */
  readonly windowDays?: number | undefined;
  /** How many clicks are kept, 1 to 20. @default 5 */
  readonly journey?: number | undefined;
  /** The names of the click id's parameter, the preferred one first. @default those of `findClick` */
  readonly parameters?: readonly string[] | undefined;
  /**
   * Trust `X-Forwarded-Proto`, `X-Forwarded-Host` and `Forwarded`. On a server behind a proxy that ends TLS, every
   * request is plain http, and no click is kept without this. Set it only if your proxy writes these headers itself.
   * @default false
   */
  readonly trustProxy?: boolean | undefined;
  /**
   * The order that is reported with this request. Its own id is no click id, in whatever spelling (`#1077`, `001077`): a
   * thank-you page's address may have it under a click id's name. It is neither taken nor kept.
   */
  readonly orderId?: string | number | undefined;
  /** The transaction's id, which is no click id either. */
  readonly uniqueId?: string | number | undefined;
}

/**
 * Why no click was kept:
 *
 * - the request is no visit: `not_get`, `upgrade`, `prefetch`, `prerender`, `not_navigation`
 * - plain http: `insecure`
 * - the visitor's answer: `global_privacy_control`, `consent_denied`, `consent_pending`
 * - nothing to keep: `no_click`, `known`, `expired`
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

/** The result of {@link captureClick}, and the cookies to set. */
export interface CapturedClick {
  /** The click id that counts: this request's, or the one kept earlier. */
  readonly clickId?: string | undefined;
  /** The `Set-Cookie` value that keeps the click id or deletes the cookie. Do not cache an answer that has it. */
  readonly setCookie?: string | undefined;
  /**
   * All `Set-Cookie` values if there are several; {@link setCookie} is the first. There are several after the visitor's
   * no: every name and domain that may hold a click loses it.
   */
  readonly setCookies?: readonly string[] | undefined;
  /** Why no click was kept; absent if one was kept. */
  readonly reason?: CaptureReason | undefined;
}

/**
 * Decides about the click of a request by its URL, its cookie and its headers.
 *
 * @throws CakeError `weak_secret`, `placeholder_text`, `invalid_setting`, `invalid_field`, and `invalid_cookie` if the
 * request's host does not belong to `domain`
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
        secretsOption("secrets", options.secrets),
        consentText(said),
        parametersOption(options.parameters),
        domainOption(options.domain),
        countOption(options.windowDays) ?? 30,
        countOption(options.journey) ?? 5,
        flags,
        Date.now(),
        ownIds(options),
      ),
  );
}

/** The options of {@link readClickCookie}. */
export type ReadClickOptions = Pick<CaptureOptions, "secrets" | "touch" | "windowDays" | "orderId" | "uniqueId">;

/**
 * Reads the click id that counts from the signed cookie of a request; `undefined` if no cookie is signed by one of the
 * secrets. Use it where the conversion is recorded, with the same options as {@link captureClick}. With `orderId` and
 * `uniqueId` the order's own id is never the click id.
 *
 * @throws CakeError `weak_secret`, `placeholder_text`, `invalid_setting`
 */
export function readClickCookie(request: Request, options: ReadClickOptions): string | undefined;
export function readClickCookie(request: Request, options: ReadClickOptions, ...more: unknown[]): string | undefined {
  checkNoMore("readClickCookie", 2, more);
  checkRequest(request);
  checkOptions(options);
  const cookies = request.headers.get("cookie") ?? "";
  const [clickId] = call(() =>
    edge
      .api()
      .findSignedClicks(
        cookies,
        secretsOption("secrets", options.secrets),
        Date.now(),
        ownIds(options),
        isFirst(options),
        countOption(options.windowDays),
      ),
  );
  return clickId;
}

function consentText(said: unknown): string {
  if (typeof said === "boolean") return `${said}`;
  if (said === undefined || said === null || typeof said === "string") return said ?? "";
  const isPromise = typeof (said as { readonly then?: unknown }).then === "function";
  const rule = 'must be "granted", "denied", "pending", true or false';
  return refuse("consent", isPromise ? `${rule}, and is a Promise: await it before the capture` : rule);
}

/** The domain; in another script, as browsers and requests write it. */
function domainOption(value: unknown): string {
  const domain = stringOption("domain", value).trim();
  const address = `https://${domain.replace(/^\./, "")}`;
  return /[^ -~]/.test(domain) && URL.canParse(address) ? new URL(address).hostname : domain;
}

/** The ids of the order, which are no click ids. */
function ownIds({ orderId, uniqueId }: Pick<CaptureOptions, "orderId" | "uniqueId">): string[] {
  return [idText("orderId", orderId), idText("uniqueId", uniqueId)].filter((id) => id !== "");
}

function idText(name: string, id: string | number | undefined): string {
  return (typeof id === "number" ? `${id}` : (optionalString(name, id) ?? "")).trim();
}

function checkOptions(options: unknown): void {
  if (options === undefined || options === null) refuse("options", "must be an object");
  checkNames("options", options, NAMES);
  functionOption("onError", (options as { readonly onError?: unknown }).onError);
}

/** A number of days or clicks, also as the digits of a text or as BigInt. The core has a rule for what is none. */
function countOption(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const isText = (typeof value === "string" || typeof value === "bigint") && /^\s*\d+\s*$/.test(`${value}`);
  const count = isText ? Number(value) : value;
  return typeof count === "number" && Number.isSafeInteger(count) ? Math.max(0, Math.min(count, 1_000)) : 0;
}

function isFirst({ touch }: Pick<CaptureOptions, "touch">): boolean {
  const word = typeof touch === "string" ? touch.toLowerCase() : touch;
  return choice("touch", word, ["last", "first"]) === "first";
}

/** The capture options of a site's Worker. */
export interface SiteCaptureOptions extends CaptureOptions {
  /**
   * Is called with the reason when a click could not be captured. The site's answer is sent anyway, and errors of this
   * function are ignored.
   * @default `console.error`
   */
  readonly onError?: ((error: unknown, request: Request) => void) | undefined;
}

/** The options, or a function that takes them from a Worker's environment, which holds the secrets. */
export type CaptureSettings<Env> = SiteCaptureOptions | ((env: Env) => SiteCaptureOptions);

/**
 * Wraps a Worker's fetch handler so that it also captures clicks.
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
  const kept = keptSettings(settings);
  return async (request, env, ...rest) => captureInto(await handler(request, env, ...rest), request, kept, env);
}

/** The part of Hono's context that the middleware uses. */
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
  const kept = keptSettings(settings);
  return async (context, next) => {
    await next();
    const response = context.res;
    const captured = captureInto(response, context.req.raw, kept, context.env);
    if (captured === response) return;
    // Otherwise Hono would put the old answer's headers over the new one's.
    context.res = undefined;
    context.res = captured;
  };
}

/** The part of a Pages Function's context that the middleware uses. */
export interface PagesContext<Env> {
  readonly request: Request;
  readonly env: Env;
  next(): Promise<Response>;
}

/**
 * The same as a middleware for Cloudflare Pages, `functions/_middleware.js`.
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
  const kept = keptSettings(settings);
  return async (context) => captureInto(await context.next(), context.request, kept, context.env);
}

/** The settings, as they are when the site starts: a wrong type is reported then, not at each visit. */
function keptSettings<Env>(settings: CaptureSettings<Env>): CaptureSettings<Env> {
  if (typeof settings === "function") return settings;
  checkOptions(settings);
  return copyOf(settings);
}

/** The site's answer with the click's cookie; the same answer if there is none to set. */
function captureInto<Env>(response: Response, request: Request, settings: CaptureSettings<Env>, env: Env): Response {
  let onError: SiteCaptureOptions["onError"];
  try {
    const options = typeof settings === "function" ? settings(env) : settings;
    if (options === undefined || options === null) {
      refuse("options", "must be an object: write (env) => ({ … }), with parentheses around the braces");
    }
    onError = options.onError;
    const { setCookie, setCookies = [setCookie], reason } = captureClick(request, options);
    if (reason === "insecure") reportInsecure(request, options);
    // An answer of another protocol cannot set a cookie.
    if (setCookie === undefined || response.status < 200) return response;
    // A fetched answer's headers cannot be changed; its body streams on.
    const answer = new Response(response.body, response);
    for (const text of setCookies) answer.headers.append("set-cookie", text ?? "");
    // A cache would give one visitor's click to all others. Some networks' caches read headers of their own.
    for (const name of [...answer.headers.keys()]) if (FOR_CACHES.test(name)) answer.headers.delete(name);
    answer.headers.set("cache-control", "private, no-store");
    return answer;
  } catch (error) {
    report(error, request, onError);
    return response;
  }
}

/** The headers that tell the caches of various networks to share an answer. */
const FOR_CACHES =
  /(^|-)(cache|edge|surrogate)-control$|^(expires|x-accel-expires|x-cache-ttl|x-ttl|surrogate-ttl|cf-edge-cache|x-litespeed-cache)$/;

/** The middlewares that have reported plain http. */
const reported = new WeakSet<SiteCaptureOptions>();
let hasReported = false;

/** No click is kept over plain http. Behind a proxy the reason would be hidden, so it is reported once. */
function reportInsecure(request: Request, options: SiteCaptureOptions): void {
  if (options.onError ? reported.has(options) : hasReported) return;
  reported.add(options);
  hasReported = true;
  const error = new CakeError({
    code: "invalid_setting",
    parameter: "trustProxy",
    rule: "is needed where a proxy ends TLS: this request came over plain http, and its click was not kept",
  });
  report(error, request, options.onError);
}

/** The site must not fail because a capture or a report failed. */
function report(error: unknown, request: Request, onError: SiteCaptureOptions["onError"]): void {
  hookOption("onError", typeof onError === "function" ? onError : logError)?.(error, request);
}

function logError(error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: a Worker's log is its console
  console.error(`cake-edge: the click was not captured: ${String(error)}`);
}
