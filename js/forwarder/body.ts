/** Reads bodies no further than they may go. */
import { CakeError } from "../error.js";
import { Refusal } from "./answer.js";

/** The most bytes of one conversion. */
const MAX_BYTES = 8_192;

/** The most bytes of a body with several. */
const MAX_BATCH_BYTES = 262_144;

/** The most bytes of a shop's webhook: an order of a thousand lines. */
const MAX_WEBHOOK_BYTES = 2_097_152;

const NOT_TEXT = "must be JSON in UTF-8: these bytes are compressed, or of another encoding";

const BATCH = /^\s*\{\s*"(?:conversions|corrections)"\s*:\s*\[/;

/** The raw bytes of a shop's webhook: its signature is over them. What is too large is cut off while it comes in. */
export async function readBytes(request: Request): Promise<Uint8Array> {
  const tooLarge = () => new Refusal("body_too_large", "a webhook has at most 2 MB");
  if (Number(request.headers.get("content-length") ?? 0) > MAX_WEBHOOK_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > MAX_WEBHOOK_BYTES) {
      await reader.cancel();
      throw tooLarge();
    }
    parts.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** The body's text, as it was sent. What is too large is cut off while it comes in. */
export async function readBody(request: Request): Promise<string> {
  const tooLarge = () =>
    new Refusal(
      "body_too_large",
      'a conversion or a correction has at most 8 KB, several as {"conversions": […]} or {"corrections": […]} 256 KB',
    );
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (length > MAX_BATCH_BYTES) throw tooLarge();
  if (request.body === null) return "";
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity") {
    throw new CakeError({ code: "invalid_field", parameter: "body", rule: "is compressed: send it as plain JSON" });
  }
  // A signature is over the bytes: nothing may be mended on the way.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new CakeError({ code: "invalid_field", parameter: "body", rule: NOT_TEXT });
    }
  };
  // A body that says its length cannot be longer: it is read at once.
  if (length <= MAX_BYTES) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.byteLength > MAX_BYTES) throw tooLarge();
    return decode(bytes) + decode();
  }
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decode();
    bytes += value.byteLength;
    text += decode(value);
    if (bytes > MAX_BYTES && (bytes > MAX_BATCH_BYTES || !BATCH.test(text))) {
      await reader.cancel();
      throw tooLarge();
    }
  }
}
