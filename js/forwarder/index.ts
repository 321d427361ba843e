/**
 * `cake-edge/forwarder`: a Worker in front of a site that keeps the API key and
 * hands conversions over to CAKE.
 */
import { createCakeClient } from "../edge/client.js";
import { CakeError, type CakeErrorCode, call, isCakeError } from "../error.js";
import * as wasm from "../wasm/edge.js";

/** How a forwarder reaches CAKE. */
export interface ForwarderOptions {
  /** `https://yourdomain.cakemarketing.com`, or a sandbox's origin on loopback. */
  readonly baseUrl: string;
  /** The API key: a secret of the Worker. */
  readonly apiKey: string;
}

/** A module Worker's handler. */
export interface Forwarder<Env> {
  fetch(request: Request, env: Env): Promise<Response>;
}

/**
 * The Worker's default export. `configure` reads the options from its bindings.
 *
 * `POST …/conversions` takes one conversion as JSON and answers 200
 * `{ state: "delivered", conversion }` once CAKE has recorded it; any failure is
 * `{ error: { code, rule, … } }`.
 */
export function createForwarder<Env>(configure: (env: Env) => ForwarderOptions): Forwarder<Env> {
  return {
    async fetch(request, env) {
      try {
        return await forward(request, configure(env));
      } catch (thrown) {
        const error = isCakeError(thrown)
          ? thrown
          : new CakeError({ code: "internal", rule: "a bug in the forwarder" });
        return failure(error);
      }
    },
  };
}

async function forward(request: Request, options: ForwarderOptions): Promise<Response> {
  if (!new URL(request.url).pathname.endsWith("/conversions")) {
    return json(404, { error: { code: "not_found", rule: "only /conversions is here" } });
  }
  if (request.method !== "POST") {
    return json(405, { error: { code: "method_not_allowed", rule: "only POST converts" } });
  }
  const cake = createCakeClient(options);
  const body = await request.text();
  const event = call(() => JSON.parse(wasm.readEvent(body)));
  const conversion = await cake.recordConversion(event);
  return json(200, { state: "delivered", conversion });
}

function failure(error: CakeError): Response {
  const { code, retryable, parameter } = error;
  const rule = parameter === undefined ? error.message : error.message.slice(parameter.length + 1);
  return json(statusOf(code), { error: { code, rule, retryable, parameter } });
}

function statusOf(code: CakeErrorCode): number {
  if (code === "missing_api_key" || code === "invalid_base_url" || code === "internal") return 500;
  return code.startsWith("invalid_") ? 400 : 502;
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
