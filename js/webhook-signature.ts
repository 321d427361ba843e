/**
 * Signatures of backends: Standard Webhooks (standardwebhooks.com). They use the platform's own HMAC-SHA256, which
 * compares in constant time.
 */
import { CakeError } from "./error.js";
import { checkNames, checkNoMore, isDate, refuse } from "./option.js";

/** The headers that carry a signature. */
export interface SignatureHeaders {
  /** The request's own id: the same for every retry. */
  readonly "webhook-id": string;
  /** Seconds since 1970. */
  readonly "webhook-timestamp": string;
  /** `v1,` and the signature in base64. */
  readonly "webhook-signature": string;
}

/** The id and time to sign, if not the defaults. */
export interface SigningOptions {
  /** The request's own id: 1 to 256 visible ASCII characters. @default a fresh one */
  readonly id?: string | undefined;
  /** The time of signing. @default now */
  readonly at?: Date | undefined;
}

const TOLERANCE_S = 300;
const encode = (text: string) => new TextEncoder().encode(text);
const keys = new Map<string, Promise<CryptoKey>>();

/**
 * Signs a body for a forwarder. Send the body as exactly this text. A retry must have the same `webhook-id`.
 *
 * @throws CakeError `weak_secret` if the secret is not base64 of 24 bytes or more; `invalid_field` if the body is no
 * text, or the id does not fit in a header
 * @example
 * const body = JSON.stringify({ clickId, offerId: 12345, uniqueId: "ORD-98765", payout: "18.00" });
 * const headers = { "content-type": "application/json", ...(await signConversion(body, env.CAKE_SIGNING_SECRET)) };
 * await fetch("https://shop.example/cake/conversions", { method: "POST", headers, body });
 */
export async function signConversion(
  body: string,
  secret: string | undefined,
  options?: SigningOptions,
): Promise<SignatureHeaders>;
export async function signConversion(
  body: string,
  secret: string | undefined,
  options?: SigningOptions,
  ...more: unknown[]
): Promise<SignatureHeaders> {
  checkNoMore("signConversion", 3, more);
  checkNames("options", options, ["id", "at"]);
  const { id = `msg_${crypto.randomUUID()}`, at = new Date() } = options ?? {};
  checkId(id);
  if (typeof body !== "string") refuse("body", "must be text: sign what is sent, such as JSON.stringify(…)");
  if (!isDate(at) || !Number.isFinite(at.getTime())) refuse("at", "must be a Date that exists");
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const key = await keyOf(checkSigningSecret("secret", secret));
  const signature = await crypto.subtle.sign("HMAC", key, encode(`${id}.${timestamp}.${body}`));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`,
  };
}

/** The signature of a request; a missing part is empty. */
export interface CarriedSignature {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
}

/** Reads the signature of a request. The headers have the names of Standard Webhooks, or the earlier ones of Svix. */
export function signatureOf(headers: Headers): CarriedSignature | undefined {
  const prefix = ["webhook-", "svix-"].find((each) => headers.has(`${each}signature`));
  if (prefix === undefined) return undefined;
  const [id = "", timestamp = "", signature = ""] = ["id", "timestamp", "signature"].map(
    (name) => headers.get(prefix + name) ?? "",
  );
  return { id, timestamp, signature };
}

/**
 * Has one of the secrets signed this body within the last five minutes? The secrets have passed
 * {@link checkSigningSecret}.
 *
 * @throws CakeError `invalid_field` if {@link signConversion} would refuse the id too
 */
export async function isSigned(
  { id, timestamp, signature }: CarriedSignature,
  body: string,
  secrets: readonly string[],
  nowMs: number,
): Promise<boolean> {
  if (id !== "") checkId(id);
  if (id === "" || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > TOLERANCE_S) return false;
  const signed = encode(`${id}.${timestamp}.${body}`);
  // While a secret is rotated there may be several signatures.
  for (const text of signature.split(" ").slice(0, 8)) {
    const bytes = text.startsWith("v1,") ? bytesOf(text.slice(3)) : undefined;
    if (bytes?.length !== 32) continue;
    for (const secret of secrets) {
      if (await crypto.subtle.verify("HMAC", await keyOf(secret), bytes, signed)) return true;
    }
  }
  return false;
}

/** Libraries of Standard Webhooks sign any id; a header can hold only these. */
function checkId(id: string): void {
  if (/^[\x21-\x7e]{1,256}$/.test(id)) return;
  refuse("webhook-id", "must be 1 to 256 visible ASCII characters");
}

/**
 * Returns a secret of Standard Webhooks without white space around it: `whsec_` and base64 of at least 24 bytes.
 *
 * @throws CakeError `weak_secret`
 */
export function checkSigningSecret(parameter: string, secret: string | undefined): string {
  const trimmed = typeof secret === "string" ? secret.trim() : "";
  const bytes = bytesOf(trimmed.replace(/^whsec_/, ""));
  if (bytes !== undefined && bytes.length >= 24) return trimmed;
  const rule = "must be whsec_ and at least 24 bytes in base64: openssl rand -base64 32";
  throw new CakeError({ code: "weak_secret", parameter, rule });
}

function keyOf(secret: string): Promise<CryptoKey> {
  let key = keys.get(secret);
  if (key === undefined) {
    const bytes = bytesOf(secret.replace(/^whsec_/, "")) ?? new Uint8Array();
    key = crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    keys.set(secret, key);
  }
  return key;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
