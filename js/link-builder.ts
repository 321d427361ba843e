/** Builds tracking links in a pair of the core's buffers. */
import { CakeError } from "./error.js";
import { flagsOf, LINK_PARTS, type TrackingLinkParts, type TrackingLinkRules } from "./link.js";
import { checkNames, checkRecord, refuse, stringOption, textsOption, toInteger } from "./option.js";

/** The generated class of the loaded wasm; see src/bindings/link.rs. */
export interface LinkBuilder {
  input(): number;
  output(): number;
  build(length: number, parts: number, flags: number, affiliateId: number, creativeId: number): number;
  takeError(): unknown;
}

/** With `u`, a pair of surrogates is one character, and only a lone one is a surrogate. */
const HALF = /\p{Cs}/gu;

/**
 * Makes the function that builds links. It writes the parts into the module's memory as one text, each followed by a
 * line feed, and reads the link from there.
 */
export function linkBuilder(builder: LinkBuilder, capacity: number, memory: WebAssembly.Memory) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let bytes = new Uint8Array(0);
  let input = bytes;
  let output = 0;
  /** The output's views by length: making a view takes longer than finding it. */
  let views: Uint8Array[] = [];
  let lastDomain = "";
  let lastSandbox: boolean | undefined;

  return (parts: TrackingLinkParts & TrackingLinkRules): string => {
    if (typeof parts !== "object" || parts === null) refuse("parts", "must be an object");
    checkNames("parts of a tracking link", parts, LINK_PARTS);
    if (bytes.length === 0) {
      // At first, and whenever the memory has grown and its old buffer is gone.
      bytes = new Uint8Array(memory.buffer);
      input = bytes.subarray(builder.input(), builder.input() + capacity);
      output = builder.output();
      views = [];
    }
    // For the core an empty domain means the last one, already checked. So a caller's empty domain goes as a space,
    // which is invalid too.
    const domain = stringOption("domain", parts.domain);
    const isSame = domain !== "" && domain === lastDomain && parts.sandbox === lastSandbox;
    lastDomain = "";
    const { s3, s4, s5, priceFormat, deepLink, deepLinkHosts, extra } = parts;
    let count = 3;
    let texts = `${isSame ? "" : domain || " "}\n${stringOption("s1", parts.s1)}\n${stringOption("s2", parts.s2)}\n`;
    // Not a truthiness test: 0 and false are no texts, and must be reported.
    if ((s3 ?? s4 ?? s5 ?? priceFormat ?? deepLink ?? deepLinkHosts ?? extra ?? undefined) !== undefined) {
      count = 9;
      texts += `${stringOption("s3", s3)}\n${stringOption("s4", s4)}\n${stringOption("s5", s5)}\n`;
      texts += `${stringOption("priceFormat", priceFormat)}\n${stringOption("deepLink", deepLink)}\n${hostsOf(deepLinkHosts).join(" ")}\n`;
      if (extra !== undefined && extra !== null) checkRecord("extra", extra);
      for (const name in extra) {
        if (name === "") {
          throw new CakeError({ code: "invalid_text", parameter: "extra", rule: "must have no empty name" });
        }
        const value = stringOption(`extra.${name}`, extra[name]);
        // Like a sub id, a value that is absent is left out.
        if (extra[name] === undefined || extra[name] === null) continue;
        texts += `${name}\n${value}\n`;
        count += 2;
      }
    }
    let { read, written } = encoder.encodeInto(texts, input);
    // Other letters have more bytes than characters. Half a character, as a cut through an emoji leaves it, is left out.
    if (written > read) {
      texts = texts.replace(HALF, "");
      ({ read, written } = encoder.encodeInto(texts, input));
    }
    const flags = flagsOf(parts);
    // A text that does not fit is too long for a link: the core reports it.
    const length = read === texts.length ? written : capacity + 1;
    const built = builder.build(length, count, flags, toInteger(parts.affiliateId), toInteger(parts.creativeId));
    if (built === 0) {
      const error = builder.takeError();
      const given = Object.entries({ ...parts, ...extra });
      const broken = given.find(([, value]) => typeof value === "string" && value.includes("\n"))?.[0];
      throw broken === undefined
        ? error
        : new CakeError({ code: "invalid_text", parameter: broken, rule: "must not contain control characters" });
    }
    lastDomain = domain;
    lastSandbox = parts.sandbox;
    // The memory may have grown meanwhile, which detaches its views.
    if (bytes.length === 0) return decoder.decode(new Uint8Array(memory.buffer, output, built));
    views[built] ??= bytes.subarray(output, output + built);
    return decoder.decode(views[built]);
  };
}

/** The hosts of deep links. An address would never be found among hosts, and the deep link would be blamed. */
function hostsOf(given: unknown): string[] {
  const hosts = textsOption("deepLinkHosts", given);
  const odd = hosts.find((host) => !/^(\*\.)?[\w-]+(\.[\w-]+)*(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(host));
  if (odd !== undefined)
    refuse("deepLinkHosts", "must be hosts without scheme or path: shop.example.com, *.example.com");
  return hosts;
}
