/** An answer of the core as a `Response`. */
import type { Answer } from "./network.js";

/** The delay after which the connection of a truncated answer closes, so that the first half is sent. */
const CUT_OFF_AFTER_MS = 30;

/** The answer. */
export function respond({ status, headers, body, is_base64 }: Answer, request: Request): Response {
  const bytes = is_base64 ? Uint8Array.from(atob(body), (character) => character.charCodeAt(0)) : body;
  const hasBody = status !== 204 && status !== 304 && body !== "";
  return new Response(hasBody ? bytes : null, { status, headers: headersOf(headers, request) });
}

/** Sends half of the answer, then closes the connection. */
export function cutOff({ status, headers, body }: Answer, request: Request): Response {
  const bytes = new TextEncoder().encode(body);
  const half = bytes.slice(0, Math.ceil(bytes.length / 2));
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const cut = async () => {
    if (half.length > 0) await writer.write(half);
    await new Promise((resolve) => setTimeout(resolve, CUT_OFF_AFTER_MS));
    await writer.abort(new Error("sandbox fault: cut off"));
  };
  cut().catch(() => undefined);
  return new Response(readable, { status, headers: headersOf(headers, request) });
}

/** A `location` that is a path refers to the own origin. */
function headersOf(headers: Answer["headers"], request: Request): [string, string][] {
  return headers.map(([name, value]) => [
    name,
    name === "location" && value.startsWith("/") ? new URL(request.url).origin + value : value,
  ]);
}
