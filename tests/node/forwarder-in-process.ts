/** A forwarder in one process in front of a sandbox, with the calls that tests make. */
import { randomUUID } from "node:crypto";
import { signConversion } from "../../dist/entry/edge.inline.js";
import {
  type ConversionLine,
  createForwarderInProcess,
  type OperatorLine,
} from "../../dist/entry/forwarder-memory.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";

export const SITE = "https://shop.example";
export const KEY = "CANARY-key-4c1d9e";
export const SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
export const OPERATOR = "correct-horse-battery-staple-2026-06";
export type Options = Parameters<typeof createForwarderInProcess>[0];

/** A forwarder in front of a sandbox, and its log lines. */
export function both(more: Partial<Options> = {}, fixture?: object) {
  const sandbox = createSandbox({ apiKey: KEY, ...(fixture ? { fixture } : {}) });
  const lines: ConversionLine[] = [];
  const operatorLines: OperatorLine[] = [];
  const sent: string[] = [];
  const forwarder = createForwarderInProcess({
    baseUrl: "http://127.0.0.1",
    apiKey: KEY,
    operatorSecret: OPERATOR,
    signingSecrets: [SECRET],
    origins: [SITE],
    clockSpeed: 1_000,
    fetch: (request) => {
      sent.push(new URL(request.url).pathname);
      return sandbox.fetch(request);
    },
    log: (line) => {
      if (line.event === "conversion" || line.event === "correction") lines.push(line);
      if (line.event === "operator") operatorLines.push(line);
    },
    ...more,
  });
  const click = async () => {
    const response = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
    return new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
  };
  const ask = (path: string, init: RequestInit = {}) => forwarder.fetch(new Request(`${SITE}/cake/${path}`, init));
  const page = (event: object, query = "?wait=1") =>
    ask(`conversions${query}`, {
      method: "POST",
      headers: { origin: SITE, "content-type": "text/plain" },
      body: JSON.stringify(event),
    });
  const backend = async (event: object, query = "?wait=1") => {
    const body = JSON.stringify(event);
    const headers = { "content-type": "application/json", ...(await signConversion(body, SECRET)) };
    return ask(`conversions${query}`, { method: "POST", headers, body });
  };
  /** Corrections of a backend's. */
  const correct = async (corrections: object, query = "?wait=1") => {
    const body = JSON.stringify(corrections);
    const headers = { "content-type": "application/json", ...(await signConversion(body, SECRET)) };
    return ask(`corrections${query}`, { method: "POST", headers, body });
  };
  const operator = (path: string, init: RequestInit = {}) =>
    ask(`operator/${path}`, { ...init, headers: { authorization: `Bearer ${OPERATOR}`, ...init.headers } });
  const faults = (rules: unknown) =>
    sandbox.fetch(new Request("http://127.0.0.1/__sandbox/faults", { method: "PUT", body: JSON.stringify(rules) }));
  const recorded = async () => {
    const state = await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/state?limit=1000"));
    return ((await state.json()) as { conversions: { unique_id: string; conversion_date: string }[] }).conversions;
  };
  return {
    sandbox,
    forwarder,
    lines,
    operatorLines,
    sent,
    click,
    ask,
    page,
    backend,
    correct,
    operator,
    faults,
    recorded,
  };
}

export const event = (clickId: string, more: object = {}) => ({
  clickId,
  offerId: 12_345,
  uniqueId: randomUUID(),
  ...more,
});
