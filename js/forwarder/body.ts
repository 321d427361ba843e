/** Reads bodies up to a maximum size. */
import { CakeError } from "../error.js";
import { Refusal } from "./answer.js";

/** The most bytes of one conversion. */
const MAX_BYTES = 8_192;

/** The most bytes of a body with several conversions. */
const MAX_BATCH_BYTES = 262_144;

/** The most bytes of a shop's webhook: enough for an order of a thousand lines. */
const MAX_WEBHOOK_BYTES = 2_097_152;

const NOT_TEXT = "must be JSON in UTF-8: these bytes are compressed, or of another encoding";

const BATCH = /^\s*\{\s*"(?:conversions|corrections)"\s*:\s*\[/;

/** A step of reading. A connection that ends within a body fails it: the caller's trouble, not the forwarder's. */
async function within<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch {
    throw new CakeError({ code: "invalid_field", parameter: "body", rule: "ended before it was whole: send it again" });
  }
}

/**
 * The raw bytes of a shop's webhook, because its signature covers the bytes. Reading stops when a body is too large.
 */
export async function readBytes(request: Request): Promise<Uint8Array> {
  const tooLarge = () => new Refusal("body_too_large", "the body is too large: a webhook has at most 2 MB");
  if (Number(request.headers.get("content-length") ?? 0) > MAX_WEBHOOK_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await within(reader.read());
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

/** Made for the first body. It decodes whole bodies only, so it has no state between two of them. */
let decoderOfWholes: TextDecoder | undefined;

/** A signature covers the bytes, so a decoder changes nothing. */
function newDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
}

function decodeBy(decoder: TextDecoder, ...args: Parameters<TextDecoder["decode"]>): string {
  try {
    return decoder.decode(...args);
  } catch {
    throw new CakeError({ code: "invalid_field", parameter: "body", rule: NOT_TEXT });
  }
}

/** The body's text, unchanged. Reading stops when a body is too large. */
export async function readBody(request: Request): Promise<string> {
  const tooLarge = () =>
    new Refusal(
      "body_too_large",
      'the body is too large: a conversion or a correction has at most 8 KB, several as {"conversions": […]} or {"corrections": […]} 256 KB',
    );
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (length > MAX_BATCH_BYTES) throw tooLarge();
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity") {
    throw new CakeError({ code: "invalid_field", parameter: "body", rule: "is compressed: send it as plain JSON" });
  }
  // A body with a declared length cannot be longer, so it is read at once.
  if (length <= MAX_BYTES) {
    const bytes = await within(request.arrayBuffer());
    if (bytes.byteLength > MAX_BYTES) throw tooLarge();
    decoderOfWholes ??= newDecoder();
    return decodeBy(decoderOfWholes, bytes);
  }
  if (request.body === null) return "";
  const decoder = newDecoder();
  const decode = (chunk?: Uint8Array) => decodeBy(decoder, chunk, { stream: chunk !== undefined });
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await within(reader.read());
    if (done) return text + decode();
    bytes += value.byteLength;
    text += decode(value);
    if (bytes > MAX_BYTES && (bytes > MAX_BATCH_BYTES || !BATCH.test(text))) {
      await reader.cancel();
      throw tooLarge();
    }
  }
}
