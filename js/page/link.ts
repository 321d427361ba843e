/** `cake-edge/link`: tracking links in a page, by a core of their own. The tracker loads it with its first link. */
import { CakeError, type CakeErrorCode } from "../error.js";
import type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
import { stringOption, toInteger } from "../option.js";
import type { LinkCore } from "./core.js";
import { instantiate } from "./wasm.js";

export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export type { TrackingLinkParts, TrackingLinkRules } from "../link.js";

/** How many characters the core's buffer has. */
const MAX_CHARACTERS = 16_384;

/** The core's errors by number, as `parts_of` counts them, with their subject where it is always the same. */
const ERRORS =
  "invalid_domain:domain invalid_id sub_id_too_long invalid_text link_too_long invalid_price_format:priceFormat invalid_deep_link:deepLink deep_link_host:deepLink reserved_parameter repeated_parameter internal".split(
    " ",
  );

let core: LinkCore | undefined;

/**
 * Resolves when links can be built: at once with WebAssembly, else when the same core has been loaded as plain
 * JavaScript. Only pages whose policy lacks 'wasm-unsafe-eval', and browsers without WebAssembly, need to wait for it.
 *
 * @throws where that file cannot be loaded
 */
export async function ready(): Promise<void> {
  try {
    core ??= instantiate<LinkCore>();
  } catch {
    core ??= await import("./link-fallback.js");
  }
}

/**
 * Builds a tracking link, `https://DOMAIN/?a=…&c=…&s1=…`, in its one normal form.
 *
 * @throws CakeError as `createTrackingLink` of `cake-edge` does; `internal` where there is no WebAssembly and nobody
 * has waited for {@link ready}
 */
export function createTrackingLink(parts: TrackingLinkParts & TrackingLinkRules): string {
  const { extra = {} } = parts;
  const flags = (parts.sandbox ? 1 : 0) | (parts.testAffiliate ? 2 : 0) | (parts.spill ? 4 : 0);
  return build([
    `${flags}`,
    toInteger(parts.affiliateId).toString(36),
    toInteger(parts.creativeId).toString(36),
    ...(["domain", "s1", "s2", "s3", "s4", "s5", "priceFormat", "deepLink"] as const).map((name) =>
      stringOption(name, parts[name]),
    ),
    parts.deepLinkHosts?.join(" ") ?? "",
    ...Object.entries(extra).flatMap(([name, value]) => [name, stringOption("extra", value)]),
  ]);
}

function build(fields: readonly string[]): string {
  try {
    core ??= instantiate<LinkCore>();
  } catch (cause) {
    throw new CakeError({ code: "internal", rule: "WebAssembly is refused here: await ready() first" }, { cause });
  }
  const { memory, buffer, build } = core;
  // A line feed ends a field. Inside of one it becomes the other control
  // character that ends lines, which the core refuses in the field's own name.
  const text = fields.map((field) => `${field.replace(/\n/g, "\r")}\n`).join("");
  const characters = Uint32Array.from(text, (character) => character.codePointAt(0) as number);
  if (characters.length > MAX_CHARACTERS) throw new CakeError({ code: "link_too_long", rule: "is too long" });
  // Anew each time: the buffer is another one once the memory has grown.
  const view = () => new Uint32Array(memory.buffer, buffer(), MAX_CHARACTERS);
  view().set(characters);
  const length = build(characters.length);
  const answer = String.fromCharCode(...view().subarray(0, Math.abs(length)));
  if (length >= 0) return answer;
  const [code = "", subject] = ERRORS[Number.parseInt(answer[0] ?? "", 36)]?.split(":") ?? [];
  const parameter = decodeURIComponent(answer.slice(1)) || subject;
  throw new CakeError({
    code: code as CakeErrorCode,
    rule: `breaks ${code}`,
    ...(parameter === undefined ? {} : { parameter }),
  });
}
