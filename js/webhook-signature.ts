/**
 * Signatures of backends: Standard Webhooks (standardwebhooks.com), by the
 * platform's own HMAC-SHA256, which compares in constant time.
 */
import { CakeError } from "./error.js";

/** The headers that carry a signature. */
export interface SignatureHeaders {
  /** The request's own id: the same for every repetition. */
  readonly "webhook-id": string;
  /** Seconds since 1970. */
  readonly "webhook-timestamp": string;
  /** `v1,` and the signature in base64. */
  readonly "webhook-signature": string;
}

/** What to sign, where it is not this moment's. */
export interface SigningOptions {
  /** The request's own id. @default a fresh one */
  readonly id?: string;
  /** When it is signed. @default now */
  readonly at?: Date;
}

const TOLERANCE_S = 300;
const encoder = new TextEncoder();
const keys = new Map<string, Promise<CryptoKey>>();

/**
 * Signs a body for a forwarder. The body must be sent as exactly this text, and
 * a repetition with the same headers' id.
 *
 * @throws CakeError `weak_secret`
 * @example
 * const body = JSON.stringify({ clickId, offerId: 12345, uniqueId: "ORD-98765", payout: "18.00" });
 * const headers = { "content-type": "application/json", ...(await signConversion(body, env.CAKE_SIGNING_SECRET)) };
 * await fetch("https://shop.example/cake/conversions", { method: "POST", headers, body });
 */
export async function signConversion(
  body: string,
  secret: string,
  options: SigningOptions = {},
): Promise<SignatureHeaders> {
  const { id = `msg_${crypto.randomUUID()}`, at = new Date() } = options;
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const key = await keyOf(secret);
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(`${id}.${timestamp}.${body}`));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`,
  };
}

/** Has one of the secrets signed this body within the last five minutes? */
export async function isSigned(
  headers: Headers,
  body: string,
  secrets: readonly string[],
  nowMs: number,
): Promise<boolean> {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  if (!/^[\w.:-]{1,128}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > TOLERANCE_S) return false;
  const signed = encoder.encode(`${id}.${timestamp}.${body}`);
  // Several signatures stand beside each other while a secret is rotated.
  const signatures = (headers.get("webhook-signature") ?? "").split(" ").slice(0, 8);
  for (const text of signatures) {
    const signature = text.startsWith("v1,") ? bytesOf(text.slice(3)) : undefined;
    if (signature?.length !== 32) continue;
    for (const secret of secrets) {
      if (await crypto.subtle.verify("HMAC", await keyOf(secret), signature, signed)) return true;
    }
  }
  return false;
}

function keyOf(secret: string): Promise<CryptoKey> {
  let key = keys.get(secret);
  if (key === undefined) {
    const bytes = bytesOf(secret.replace(/^whsec_/, ""));
    if (bytes === undefined || bytes.length < 24) {
      throw new CakeError({
        code: "weak_secret",
        parameter: "secret",
        rule: "must be whsec_ and at least 24 bytes in base64",
      });
    }
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
