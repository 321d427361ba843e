/** The options of postbacks: whose are accepted, and what their parameters mean. */
import { call } from "../error.js";
import { checkNames, checkNoNull, checkRecord, choice, integerOption, optionalString, refuse } from "../option.js";
import { checkSecrets } from "../secret.js";
import type { Postback } from "../wasm/forwarder.js";
import { core } from "./core.js";
import type { PostbackKeys, Sender } from "./key-settings.js";
import { ROUTES } from "./path.js";

/** The names of a sender's parameters, by the fields of a conversion. */
export interface PostbackMap {
  /**
   * The parameter with the click id, such as `sub1`. The value of {@link uniqueId} or {@link orderId} is no click id, unless
   * it comes by the same parameter.
   */
  readonly clickId: string;
  /**
   * The parameter with the sender's id of the conversion, such as `txid`. A repeated id is a duplicate, also where this
   * parameter or the offer has been changed since.
   */
  readonly uniqueId: string;
  /** The parameter with the offer, where one postback serves several offers. */
  readonly offerId?: string | undefined;
  readonly payout?: string | undefined;
  readonly revenue?: string | undefined;
  /** The parameter with a time in the account's time zone, `YYYY-MM-DD HH:MM:SS`. */
  readonly conversionDate?: string | undefined;
  readonly orderId?: string | undefined;
  readonly adv1?: string | undefined;
  readonly adv2?: string | undefined;
  readonly adv3?: string | undefined;
  readonly adv4?: string | undefined;
  readonly adv5?: string | undefined;
}

/** The options of one postback. */
export interface PostbackOptions {
  /** The secrets, the newest first; each of 32 characters or more. */
  readonly secrets: string | readonly string[] | undefined;
  /**
   * How a request proves itself. `secret`: the secret is in the path, `postback/NAME/SECRET`, or in the parameter
   * {@link secretParameter}. `signature`: the last parameter, `signature`, is the HMAC-SHA256 in hexadecimal of
   * everything before its `&`. In a form, the form is signed, and nothing else is read.
   * @default "secret"
   */
  readonly by?: "secret" | "signature" | undefined;
  /** The parameter with the secret. @default "secret" */
  readonly secretParameter?: string | undefined;
  /** The offer, where no parameter names it. */
  readonly offerId?: number | undefined;
  /** The meaning of the sender's parameters. All others are ignored. */
  readonly map: PostbackMap;
}

/** A postback's options, checked and resolved. */
export interface ResolvedPostback {
  readonly reader: () => Postback;
  readonly map: Readonly<Record<string, string>>;
  readonly sender: Sender;
  /** Its readers under keys that it had before, each in JSON; without those whose unique id was the click's. */
  readonly readersUnder: (former: readonly string[]) => readonly (() => Postback)[];
}

const NAMES = ["secrets", "by", "secretParameter", "offerId", "map"];
const FIELDS = [
  ...["clickId", "uniqueId", "offerId", "payout", "revenue", "conversionDate", "orderId"],
  ...["adv1", "adv2", "adv3", "adv4", "adv5"],
];

/**
 * Checks the postbacks.
 *
 * @throws CakeError `weak_secret`, `placeholder_text`, `invalid_field`
 */
export function resolvePostbacks(
  postbacks: Readonly<Record<string, PostbackOptions>> | undefined,
): ReadonlyMap<string, ResolvedPostback> {
  const resolved = new Map<string, ResolvedPostback>();
  if (postbacks === undefined) return resolved;
  checkRecord("postbacks", postbacks);
  checkNoNull("postbacks", postbacks);
  for (const [name, given] of Object.entries(postbacks)) {
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name) || (ROUTES as readonly string[]).includes(name)) {
      refuse("postbacks", "must have names of 1 to 32 of a-z 0-9 -, none of which is a route of the forwarder");
    }
    if (given !== undefined) resolved.set(name, resolvePostback(name, given));
  }
  return resolved;
}

function resolvePostback(name: string, given: PostbackOptions): ResolvedPostback {
  const place = `postbacks.${name}`;
  if (typeof given !== "object") refuse(place, "must be an object");
  checkNames(place, given, NAMES);
  checkNoNull(place, given);
  const at = (option: string) => `${place}.${option}`;
  if (typeof given.map !== "object" || given.map === null) refuse(at("map"), "must be an object");
  checkNames(at("map"), given.map, FIELDS);
  checkNoNull(at("map"), given.map);
  const map: Record<string, string> = {};
  for (const [field, theirs] of Object.entries(given.map)) {
    const parameter = optionalString(at(`map.${field}`), theirs);
    if (parameter === "") refuse(at(`map.${field}`), "is empty: name their parameter, or leave it out");
    if (parameter !== undefined) map[field] = parameter;
  }
  const { clickId, uniqueId } = map;
  if (clickId === undefined) refuse(at("map.clickId"), "is missing: name their parameter");
  if (uniqueId === undefined) refuse(at("map.uniqueId"), "is missing: name their parameter");
  const offerId = integerOption(at("offerId"), given.offerId, 1, Number.MAX_SAFE_INTEGER);
  if ((offerId === undefined) === (map["offerId"] === undefined)) {
    refuse(at("offerId"), "must be given once: as a number here, or as a parameter in map");
  }
  const secretParameter = optionalString(at("secretParameter"), given.secretParameter) || "secret";
  if (Object.values(map).includes(secretParameter)) {
    const rule = "must be another name than those in map: the secret would become a value of the conversion";
    refuse(at("secretParameter"), rule);
  }
  const signed = choice(at("by"), given.by, ["secret", "signature"]) === "signature";
  const secrets = checkSecrets(at("secrets"), given.secrets);
  const keys: PostbackKeys = { offerId, map: { uniqueId, offerId: map["offerId"] } };
  const readerUnder = (other: PostbackKeys) => {
    const { offerId: _, ...others } = map;
    const settings = { map: { ...others, ...other.map }, offerId: other.offerId, secretParameter, signed };
    return core.keep(({ Postback }) => new Postback(secrets, JSON.stringify(settings)));
  };
  const reader = readerUnder(keys);
  call(reader);
  const readers = new Map<string, () => Postback>();
  const under = (text: string) => {
    const other = JSON.parse(text) as PostbackKeys;
    // It was not unique, which is why it was changed: another sale of the click has it too.
    if (other.map.uniqueId === clickId) return [];
    const made = readers.get(text) ?? readerUnder(other);
    readers.set(text, made);
    return [made];
  };
  const sender = { name: `postback/${name}`, digests: [], keys: JSON.stringify(keys), isSole: true };
  return { reader, map, sender, readersUnder: (former) => former.flatMap(under) };
}
