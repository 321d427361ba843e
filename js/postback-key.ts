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

/** The settings of a postback, beside its key. */
interface Settings {
  readonly postbackStatus?: string | undefined;
  readonly postbackTypeId?: number | string | undefined;
}

/**
 * The finding of a row whose postback is registered with other settings: no call changes them in CAKE. A setting that
 * one of the two leaves out is not compared.
 */
export function findChange(entry: Settings, row: Settings) {
  const parameter = (["postbackStatus", "postbackTypeId"] as const).find((name) => {
    const [before, now] = [entry[name], row[name]];
    return before !== undefined && now !== undefined && `${before}`.toLowerCase() !== `${now}`.toLowerCase();
  });
  if (parameter === undefined) return undefined;
  const sentence = `The postback is registered with ${parameter} ${entry[parameter]}, and no call changes it: change it in CAKE, or write that here.`;
  return { code: "registered_otherwise", parameter, sentence } as const;
}

/** CAKE's words for the types 1 to 4. */
const TYPES = [/server/i, /iframe/i, /image|pixel/i, /script|^js$/i];

/**
 * The finding of a row that CAKE has registered in another way than asked: inactive, or of another type. A setting that
 * its answer leaves out is not compared.
 */
export function findOtherwise(
  asked: Settings,
  { postbackStatus, postbackType }: { readonly postbackStatus?: string; readonly postbackType?: string },
) {
  const status = asked.postbackStatus ?? "active";
  const type = TYPES[Number(asked.postbackTypeId) - 1];
  const isOther = postbackStatus !== undefined && postbackStatus.toLowerCase() !== `${status}`.toLowerCase();
  const parameter = isOther ? "postbackStatus" : "postbackTypeId";
  const told = isOther ? postbackStatus : postbackType;
  if (told === undefined || (!isOther && (type === undefined || type.test(told)))) return undefined;
  const sentence = `CAKE has registered the postback with ${parameter} ${JSON.stringify(told.slice(0, 40))}, which is not what was asked for, and no call changes it: change it in CAKE.`;
  return { code: "registered_otherwise", parameter, sentence } as const;
}

/** The URL with its equivalent spellings made one: scheme and host in any case, the default port, an empty path. */
function normalized(url: unknown): unknown {
  const [, scheme, authority, rest = ""] = /^\s*(https?):\/\/([^/?#]*)(.*?)\s*$/is.exec(String(url)) ?? [];
  if (scheme === undefined || authority === undefined) return url;
  const port = scheme.toLowerCase() === "https" ? /:(443)?$/ : /:(80)?$/;
  const host = authority.toLowerCase().replace(port, "");
  return `${scheme.toLowerCase()}://${host}${rest.startsWith("/") ? "" : "/"}${rest}`;
}
