/** The inspector's report on a text: the common shape of all its readers. */
import type { lintTrackingLink } from "cake-edge";

/** The kind of a text. */
export type Kind = "link" | "landing" | "postback" | "answer" | "cookie";

/** The name of each kind, for people. */
export const KINDS: readonly (readonly [Kind, string])[] = [
  ["link", "Tracking link"],
  ["landing", "Landing page's URL"],
  ["postback", "Postback URL"],
  ["answer", "CAKE's answer"],
  ["cookie", "Set-Cookie"],
];

/** A finding and its remedy. */
export type Finding = Pick<ReturnType<typeof lintTrackingLink>[number], "parameter" | "sentence"> & {
  readonly code: string;
};

/** The lifetime of stored data, by browser. */
export interface Kept {
  readonly browser: string;
  /** Written by the tracker in the page. */
  readonly page?: string;
  /** Written by the site's Worker. */
  readonly edge: string;
}

export interface Report {
  readonly kind: Kind;
  /** The verdict on the text, in a sentence. */
  readonly verdict: string;
  readonly isGood: boolean;
  /** Name and value, in order. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly findings: readonly Finding[];
  /** The corrected text, where there is one. */
  readonly mended?: string | undefined;
  readonly kept?: readonly Kept[] | undefined;
}

/** The probable kind of a text. */
export function kindOf(text: string): Kind {
  const start = text.trim();
  if (/^[[{]/.test(start) || /^<(?:!doctype|html|\?xml|soap|\w+Response)/i.test(start)) return "answer";
  const isCookie = /^[^\s=;:/?"<]+=[^;]*;\s*(?:path|domain|expires|max-age|secure|httponly|samesite|partitioned)\b/i;
  if (/^(?:set-)?cookie\s*:/i.test(start) || isCookie.test(start)) return "cookie";
  const query = start.slice(start.indexOf("?") + 1);
  const has = (name: string) => new RegExp(`(?:^|[&;?])(?:amp;)?${name}=`, "i").test(query);
  if (has("a") && has("c")) return "link";
  if (["reqid", "ckm_request_id", "clickid", "reqsessid"].some(has) && !/#\w+#|[{[]\w+[}\]]/.test(query))
    return "landing";
  const hasMacro = /#\w+#|%23\w+%23|\{[^}]*\}|\[\w+\]|__\w+__/.test(start);
  if (/postback|\/pb\b|\bs2s\b/i.test(start) || (hasMacro && !/reqid|click_?id=(?:#|%23)reqid/i.test(query))) {
    return "postback";
  }
  return /^https?:\/\/[^/?]+\/?\?/i.test(start) && (has("a") || has("c")) ? "link" : "landing";
}
