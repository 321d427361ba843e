/** `cake-edge/link`: tracking links in a page, by a core of their own. The tracker loads it with its first link. */
import { CakeError, type CakeErrorCode } from "../error.js";
import type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
import { refuse, stringOption, toInteger } from "../option.js";
import { answerOf, type LinkCore } from "./core.js";
import { checkNames, isPlain } from "./names.js";
import { urlOf } from "./store.js";
import { instantiate } from "./wasm.js";

export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export type { TrackingLinkParts, TrackingLinkRules } from "../link.js";

/** The longest text of all parts together: anything longer is no link. */
const MAX_CHARACTERS = 16_384;

/**
 * The core's errors by number, as `parts_of` counts them. Each has its code, the subject if it is always the same, and
 * the rule in a short sentence.
 */
const ERRORS = [
  "invalid_domain|domain|must be a host name",
  "invalid_id||must be a whole number from 1",
  "sub_id_too_long||is too long: s1 takes 50 characters, others 100",
  "invalid_text||has no name, or control characters",
  "link_too_long||the link is longer than 2,000 bytes",
  "invalid_price_format|priceFormat|must be 1 to 20 letters and digits",
  "invalid_deep_link|deepLink|must be a plain https URL",
  "deep_link_host|deepLink|leads to a host that is not in deepLinkHosts, a list of host names",
  "reserved_parameter||is a name of CAKE's own",
  "repeated_parameter||comes more than once",
  "internal||a bug in cake-edge",
];

/** All names that the parts and rules may have. */
const NAMES =
  "domain affiliateId creativeId s1 s2 s3 s4 s5 priceFormat deepLink extra sandbox testAffiliate spill deepLinkHosts";

let core: LinkCore | undefined;

/** The first half is the cure where {@link ready} has failed. */
function unavailable(cause: unknown): never {
  throw new CakeError({ code: "wasm_unavailable", rule: "WebAssembly must be allowed, or await ready()" }, { cause });
}

/**
 * Resolves when links can be built: at once with WebAssembly, otherwise when the core is loaded as plain JavaScript.
 * Only pages whose policy lacks 'wasm-unsafe-eval', and browsers without WebAssembly, need to wait for it.
 *
 * @throws CakeError `wasm_unavailable` if that file cannot be loaded, as in service workers, which load nothing later:
 * their policy needs 'wasm-unsafe-eval'
 */
export async function ready(): Promise<void> {
  try {
    core ??= instantiate<LinkCore>();
  } catch {
    core ??= await import("./link-fallback.js").catch(unavailable);
  }
}

/**
 * Builds a tracking link, `https://DOMAIN/?a=…&c=…&s1=…`, in its one normal form.
 *
 * @throws CakeError as `createTrackingLink` of `cake-edge` does; `wasm_unavailable` if there is no WebAssembly
 * and {@link ready} was not awaited
 */
export function createTrackingLink(parts: TrackingLinkParts & TrackingLinkRules): string;
export function createTrackingLink(parts: TrackingLinkParts & TrackingLinkRules, more?: unknown): string {
  checkNames(parts, NAMES, more);
  const extra = parts.extra ?? {};
  if (!isPlain(extra)) refuse("extra", "must be one plain object");
  // Nothing but `true` is a yes: "false" is none.
  const isSandbox = parts.sandbox === true;
  const domain = stringOption("domain", parts.domain);
  const deepLink = stringOption("deepLink", parts.deepLink);
  return build([
    `${+isSandbox + 2 * +(parts.testAffiliate === true) + 4 * +(parts.spill === true)}`,
    toInteger(parts.affiliateId).toString(36),
    toInteger(parts.creativeId).toString(36),
    isSandbox ? checked(domain, domain, LOOPBACK) : checked(domain, `https://${domain}`, HOST),
    // `s1` … `s5` and `priceFormat`.
    ...NAMES.split(" ")
      .slice(3, 9)
      .map((name) => stringOption(name, parts[name as "s1"])),
    // The core refuses `?`.
    deepLink && (checked(deepLink, /^https:..[^/?#]*/i.exec(deepLink)?.[0] ?? "", HOST) || "?"),
    // Anything but a list is a list of none.
    parts.deepLinkHosts?.join?.(" ") ?? "",
    ...Object.entries(extra).flatMap(([name, value]) => (value == null ? [] : [name, stringOption("extra", value)])),
  ]);
}

/**
 * A tracker's link: `quietly` reports an error, and the result is then `undefined`. The build shortens the name.
 *
 * @internal
 */
export async function findLink(
  parts: TrackingLinkParts & TrackingLinkRules,
  more: unknown,
  quietly: (run: () => string) => string | undefined,
): Promise<string | undefined> {
  await ready();
  return quietly(() => (createTrackingLink as (...given: unknown[]) => string)(parts, more));
}

/** A host name by the rule of `is_host_name` in src/host.rs: two labels or more, and no IP address. */
const HOST = /^https:\/\/(?!.{254}|.*\.\d[^.]*$)(([a-z\d]|[a-z\d][a-z\d-]{0,61}[a-z\d])(\.(?!$)|$)){2,}$/i;

/** The origin of a sandbox, by the rule of `is_loopback_origin`. */
const LOOPBACK = /^http:\/\/(127(\.\d+){3}|([\w-]+\.)*localhost|\[::1])(:[1-9]\d*)?$/i;

/**
 * The text, if this origin in it fits, and the platform's URL parser takes it; otherwise none. The platform knows the highest port, and the characters that a label in punycode may have.
 */
function checked(text: string, origin: string, fitting: RegExp): string {
  return fitting.test(origin) && urlOf(origin) ? text : "";
}

function build(fields: readonly string[]): string {
  try {
    core ??= instantiate<LinkCore>();
  } catch (cause) {
    unavailable(cause);
  }
  // A line feed ends a field. Inside a field it becomes a carriage return, which the core refuses in the field's own
  // name.
  const text = fields.map((field) => `${field.replace(/\n/g, "\r")}\n`).join("");
  if (text[MAX_CHARACTERS]) fail("4");
  for (const character of text) core.push(character.codePointAt(0) as number);
  const isBuilt = core.build();
  const answer = answerOf(core.byte);
  return isBuilt ? answer : fail(answer);
}

/** @throws CakeError always; `answer` is the core's */
function fail(answer: string): never {
  const [code, subject, rule] = (ERRORS[Number.parseInt(answer[0] as string, 36)] as string).split("|") as [
    CakeErrorCode,
    string,
    string,
  ];
  throw new CakeError({
    code,
    rule,
    parameter: decodeURIComponent(answer.slice(1)) || subject || (undefined as never),
  });
}
