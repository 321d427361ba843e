/** When two postbacks count as the same, in a list, in a file and in a journal, and when one is registered otherwise. */

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

/** The settings of a postback that a row asks for, beside its key. */
interface Asked {
  readonly postbackStatus?: string | undefined;
  readonly postbackTypeId?: number | string | undefined;
}

/** The settings that CAKE tells of a postback. */
interface Told {
  readonly postbackStatus?: string | undefined;
  readonly postbackType?: string | undefined;
  readonly postbackTypeId?: number | undefined;
}

/** The fields of a row that a journal keeps: its key, and the settings that it gives. */
export function identityOf<Row extends Postback & Asked>(row: Row) {
  const { affiliateId, offerId, postbackUrl, postbackStatus, postbackTypeId } = row;
  return {
    ...{ affiliateId, offerId, postbackUrl },
    ...(postbackStatus !== undefined && { postbackStatus }),
    ...(postbackTypeId !== undefined && { postbackTypeId }),
  } as Pick<Row, keyof Postback> & Partial<Pick<Row, keyof Asked>>;
}

/** CAKE's words for the types 1 to 4, and the spellings that accounts have for them. */
const TYPES = [
  { word: "Server", spellings: /server|s2s/i },
  { word: "iFrame", spellings: /iframe/i },
  { word: "Image", spellings: /image|pixel/i },
  { word: "JavaScript", spellings: /script|^js$/i },
];

/** A row without a status asks for this one (article). */
const STATUS = "active";
/** A row without a type gets server to server (inference: the article names no default, and its sample answer has it). */
const TYPE_ID = 1;

/**
 * The finding of a row whose postback an earlier run has registered with other settings. What the row leaves out is the
 * default, as it was for that run.
 */
export function findChange(before: Asked & Told, row: Asked) {
  const own = before.postbackTypeId;
  // CAKE's default is the same for both.
  const postbackTypeId = row.postbackTypeId ?? (own === undefined ? undefined : TYPE_ID);
  return findOtherwise(
    { ...row, postbackTypeId },
    {
      postbackStatus: before.postbackStatus ?? STATUS,
      postbackType: before.postbackType ?? TYPES[Number(own ?? TYPE_ID) - 1]?.word,
    },
  );
}

/**
 * The finding of a row whose postback CAKE has with another status or type than asked: no call changes them. A setting
 * that CAKE's answer leaves out is not compared.
 */
export function findOtherwise(asked: Asked, told: Told) {
  const status = told.postbackStatus?.trim();
  const type = typeOf(told, asked);
  const isOther = status && status.toLowerCase() !== `${asked.postbackStatus ?? STATUS}`.toLowerCase();
  if (!isOther && (type === undefined || isType(type, asked))) return undefined;
  const [parameter, value] = isOther ? (["postbackStatus", status] as const) : (["postbackTypeId", type] as const);
  const sentence = `CAKE has the postback with ${parameter} ${JSON.stringify(value?.slice(0, 40))}, which is not what the row asks for, and no call changes it: change it in CAKE, or write that here.`;
  return { code: "registered_otherwise", parameter, sentence } as const;
}

/** The type that CAKE tells, by its word or its number. Where it tells both, the one that was not asked for counts. */
function typeOf({ postbackType, postbackTypeId }: Told, asked: Asked): string | undefined {
  const word = postbackTypeId === undefined ? undefined : (TYPES[postbackTypeId - 1]?.word ?? `${postbackTypeId}`);
  const told = [postbackType?.trim(), word].filter((text) => text);
  return told.find((text) => !isType(text ?? "", asked)) ?? told[0];
}

/** Is it the type that a row asks for? A row without one takes any. */
function isType(told: string, { postbackTypeId }: Asked): boolean {
  const type = TYPES[Number(postbackTypeId) - 1];
  return type === undefined || type.spellings.test(told);
}

/** What a journal keeps of CAKE's own answer, where it differs from what was asked or adds to it: a rerun tells of it. */
export function toldSettings(told: Told, asked: Asked): Pick<Told, "postbackStatus" | "postbackType"> {
  const status = told.postbackStatus?.trim();
  const type = typeOf(told, asked);
  return {
    ...(status && { postbackStatus: status.toLowerCase().slice(0, 40) }),
    ...(type && { postbackType: type.slice(0, 40) }),
  };
}

/** The URL with its equivalent spellings made one: scheme and host in any case, the default port, an empty path. */
function normalized(url: unknown): unknown {
  const [, scheme, authority, rest = ""] = /^\s*(https?):\/\/([^/?#]*)(.*?)\s*$/is.exec(String(url)) ?? [];
  if (scheme === undefined || authority === undefined) return url;
  const port = scheme.toLowerCase() === "https" ? /:(443)?$/ : /:(80)?$/;
  const host = authority.toLowerCase().replace(port, "");
  return `${scheme.toLowerCase()}://${host}${rest.startsWith("/") ? "" : "/"}${rest}`;
}
