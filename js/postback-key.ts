/** The key by which two postbacks count as the same, in a list, in a file and in a journal. */

/** The ids and the URL of a postback; ids are digits if they were read from a file. */
interface Postback {
  readonly affiliateId: number | string;
  readonly offerId: number | string;
  readonly postbackUrl: string;
}

/** The key: equal for two rows that make CAKE send the same. */
export function postbackKey({ affiliateId, offerId, postbackUrl }: Postback): string {
  return JSON.stringify([Number(affiliateId), Number(offerId), normalized(postbackUrl)]);
}

/** The URL with its equivalent spellings made one: scheme and host in any case, the default port, an empty path. */
function normalized(url: unknown): unknown {
  const [, scheme, authority, rest = ""] = /^\s*(https?):\/\/([^/?#]*)(.*?)\s*$/is.exec(String(url)) ?? [];
  if (scheme === undefined || authority === undefined) return url;
  const port = scheme.toLowerCase() === "https" ? /:(443)?$/ : /:(80)?$/;
  const host = authority.toLowerCase().replace(port, "");
  return `${scheme.toLowerCase()}://${host}${rest.startsWith("/") ? "" : "/"}${rest}`;
}
