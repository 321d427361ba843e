/** Reads tracking links, landing pages' URLs and postback URLs, with the package itself. */
import {
  captureClick,
  checkPostbackUrl,
  createTrackingLink,
  findClick,
  isCakeError,
  lintTrackingLink,
  parseTrackingLink,
} from "cake-edge";
import type { Finding, Kept, Report } from "./report.js";

const DAYS = 30;

/** The lifetime of a click's cookie, by the writer of the cookie. */
export const KEPT: readonly Kept[] = [
  { browser: "Chrome, Edge", page: `${DAYS} days`, edge: `${DAYS} days` },
  { browser: "Firefox", page: `${DAYS} days`, edge: `${DAYS} days` },
  { browser: "Safari", page: "7 days; 24 hours where the link came from a known tracker", edge: `${DAYS} days` },
  { browser: "Brave", page: "7 days", edge: `${DAYS} days` },
  { browser: "Site data blocked", page: "as long as the page", edge: "not at all" },
];

const SUB_IDS = ["s1", "s2", "s3", "s4", "s5"] as const;

/** The lint's findings that hold for any URL. */
const OF_LINKS_ALONE = ["utm_parameter", "misnamed_parameter", "unique_s1", "deep_link_not_encoded"];

/** Example values from CAKE, to show an expanded postback. */
const SAMPLES: Readonly<Record<string, string>> = {
  reqsessid: "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
  reqid: "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
  price: "18.00",
  status: "approved",
  affid: "67890",
  oid: "12345",
  tid: "ORD-98765",
};

export function readLink(text: string): Report {
  const findings = lintTrackingLink(text);
  // Repairs the most common damage, so that the rest can be read.
  const link = text.trim().replace(/&(?:amp|#0*38|#x26);/gi, "&");
  try {
    const deepLink = URL.canParse(link) ? new URL(link).searchParams.get("ckmrdr") : null;
    const deepLinkHosts = deepLink !== null && URL.canParse(deepLink) ? [new URL(deepLink).hostname] : [];
    const rules = { testAffiliate: true, sandbox: true, deepLinkHosts };
    const parts = parseTrackingLink(link, rules);
    const { domain, affiliateId, creativeId, priceFormat, extra } = parts;
    const normal = createTrackingLink({ ...parts, ...rules, sandbox: parts.sandbox === true });
    return {
      kind: "link",
      verdict:
        findings.length === 0 ? "A tracking link that CAKE reads as it was meant." : "A tracking link, with a doubt.",
      isGood: findings.length === 0,
      facts: [
        ["Tracking domain", domain],
        ["Affiliate, a", `${affiliateId}${affiliateId === -1 ? " (CAKE's own test affiliate)" : ""}`],
        ["Creative, c", String(creativeId)],
        ...SUB_IDS.flatMap((name) => (parts[name] ? [[`Sub id ${name}`, parts[name]] as const] : [])),
        ...(priceFormat ? [["Price format, p", priceFormat] as const] : []),
        ...(parts.deepLink
          ? [["Deep link, ckmrdr", `${parts.deepLink} (its host must be in deepLinkHosts)`] as const]
          : []),
        ...Object.entries(extra ?? {}).map(([name, value]) => [`More, ${name}`, value] as const),
      ],
      findings,
      mended: normal === text.trim() ? undefined : normal,
    };
  } catch (thrown) {
    return { kind: "link", verdict: sentenceOf(thrown), isGood: false, facts: [], findings };
  }
}

export function readLanding(text: string): Report {
  const address = text.trim();
  const findings = lintTrackingLink(address).filter(({ code }) => !OF_LINKS_ALONE.includes(code));
  const found = findClick(address);
  if (found === undefined) {
    return {
      kind: "landing",
      verdict: "No click id in it: nothing would be stored.",
      isGood: false,
      facts: [["Looked for", "reqid, ckm_request_id, click_id, clickid, in this order"], ...parametersOf(address)],
      findings: [
        ...findings,
        {
          code: "no_click_id",
          parameter: "",
          sentence:
            "CAKE fills #reqid# into the offer's landing page address: let it end in ?reqid=#reqid#, or name your own parameter in `parameters`.",
        },
      ],
    };
  }
  return {
    kind: "landing",
    verdict: "A click id that would be kept.",
    isGood: findings.length === 0 && !found.isRepeated,
    facts: [
      ["Click id", found.clickId],
      ["Its parameter", found.isRepeated ? `${found.parameter}, more than once: the first counts` : found.parameter],
      ...SUB_IDS.flatMap((name) => (found[name] ? [[`Sub id ${name}`, found[name]] as const] : [])),
      ...(found.affiliateId ? [["Affiliate", found.affiliateId] as const] : []),
      ...(found.offerId ? [["Offer", found.offerId] as const] : []),
      ["The edge's cookie", cookieOf(address)],
    ],
    findings,
    kept: KEPT,
  };
}

/** A site Worker's answer to a visit with this URL. */
function cookieOf(address: string): string {
  // A page cannot set a request's own headers: these are the headers of a browser's visit.
  const headers = new Headers({ "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" });
  try {
    const request = { url: address, method: "GET", headers } as Request;
    const { setCookie, reason } = captureClick(request, { secrets: ["made up here, and good for nothing else"] });
    return setCookie ?? `none: ${reason}`;
  } catch (thrown) {
    return sentenceOf(thrown);
  }
}

function parametersOf(address: string): (readonly [string, string])[] {
  const query = address.split("?").slice(1).join("&");
  const names = [...new Set([...new URLSearchParams(query).keys()])];
  return names.length === 0 ? [] : [["There are", names.slice(0, 12).join(", ")]];
}

export function readPostback(text: string): Report {
  const url = text.trim();
  try {
    const { uses, findings } = checkPostbackUrl(url);
    const sent = url.replace(/#(\w+)#/g, (all, name: string) =>
      uses.includes(name) ? encodeURIComponent(SAMPLES[name] ?? `${name}…`) : all,
    );
    return {
      kind: "postback",
      verdict:
        findings.length === 0 ? "A postback URL that CAKE fills in whole." : "A postback URL that would not say all.",
      isGood: findings.length === 0,
      facts: [
        ["CAKE's macros in it", uses.length === 0 ? "none" : uses.map((name) => `#${name}#`).join(", ")],
        ["CAKE would ask for", sent],
      ],
      findings,
    };
  } catch (thrown) {
    return {
      kind: "postback",
      verdict: sentenceOf(thrown),
      isGood: false,
      facts: [],
      findings: lintTrackingLink(url).filter(({ code }) => !OF_LINKS_ALONE.includes(code)) satisfies Finding[],
    };
  }
}

/** The message of a package error; any other error is a bug, and the message says so. */
export function sentenceOf(thrown: unknown): string {
  return isCakeError(thrown) ? `${thrown.message} (${thrown.code})` : `A bug in cake-edge: ${String(thrown)}`;
}
