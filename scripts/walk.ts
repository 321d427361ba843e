// The main job, once, as a user does it: a link, a click, a stored click id, a conversion, a payout, a postback.
import { randomBytes } from "node:crypto";
import type { SandboxState } from "../js/sandbox/rows.ts";
import { root } from "./build.ts";
import type { Served } from "./serve.ts";

const OFFER_ID = 12_345;

/** A step of the chain had an unexpected result. */
export class StepFailed extends Error {}

/** Walks the chain against a running server; yields a line for each step. */
export async function* walk({ origin, apiKey }: Pick<Served, "origin" | "apiKey">): AsyncGenerator<string> {
  // The package as a Node user imports it.
  const { captureClick, createCakeClient, createTrackingLink, readClickCookie } = (await import(
    `${root}dist/entry/edge.inline.js`
  )) as typeof import("../dist/edge/index.js");

  const link = createTrackingLink({
    domain: origin,
    sandbox: true,
    affiliateId: 67_890,
    creativeId: 12,
    s1: "first_walk",
  });
  yield line("tracking link", link);

  const redirect = await fetch(link, { redirect: "manual" });
  const landing = redirect.headers.get("location");
  if (redirect.status !== 302 || landing === null)
    throw new StepFailed(`the click was answered ${redirect.status}, not redirected`);
  yield line("redirected to", landing);

  const secrets = [randomBytes(32).toString("hex")];
  const { clickId, setCookie } = captureClick(new Request(landing, { headers: { accept: "text/html" } }), { secrets });
  const cookie = setCookie?.split(";")[0] ?? "";
  // The thank-you page identifies the visitor only by the cookie.
  const kept = readClickCookie(new Request(`${origin}/thanks`, { headers: { cookie } }), { secrets });
  if (clickId === undefined || kept !== clickId) throw new StepFailed("the click id was not kept");
  yield line("click id kept", `${kept}, in a cookie for 30 days`);

  const uniqueId = `ORD-${Date.now()}`;
  const response = await fetch(`${origin}/cake/conversions?wait=1`, {
    method: "POST",
    headers: { origin },
    body: JSON.stringify({ clickId: kept, offerId: OFFER_ID, uniqueId }),
  });
  const answer = (await response.json()) as {
    state?: string;
    conversionId?: number;
    code?: string;
    error?: { code: string };
  };
  if (response.status !== 202 || answer.state !== "delivered") {
    throw new StepFailed(
      `the forwarder answered ${response.status} ${answer.error?.code ?? answer.code ?? answer.state}`,
    );
  }
  yield line("conversion accepted", `${uniqueId}, ${answer.state} by the forwarder`);

  const click = await createCakeClient({ baseUrl: origin, apiKey }).getClick(kept);
  const { conversions } = (await (await fetch(`${origin}/__sandbox/state`)).json()) as SandboxState;
  const conversion = conversions.find(({ conversion_id }) => conversion_id === answer.conversionId);
  if (conversion?.conversion_status !== "approved" || click?.conversionId !== conversion.conversion_id) {
    throw new StepFailed(`the conversion is ${conversion?.conversion_status}, the click says ${click?.conversionId}`);
  }
  yield line(
    "recorded",
    `conversion ${conversion.conversion_id}, ${conversion.conversion_status}, payout ${conversion.payout}`,
  );

  const postback = await firedPostback(origin, conversion.conversion_id);
  if (postback?.status !== 200) throw new StepFailed(`the postback was answered ${postback?.status ?? "by nobody"}`);
  yield line("postback fired", `${postback.url}, answered ${postback.status}`);
}

function line(step: string, what: string): string {
  return `${step.padEnd(20)} ${what}`;
}

/** The postback fires after the answer: this function polls for up to 3 s. */
async function firedPostback(origin: string, conversionId: number) {
  for (let tries = 0; tries < 60; tries += 1) {
    const { postbacks } = (await (await fetch(`${origin}/__sandbox/state`)).json()) as SandboxState;
    const fired = postbacks.find(
      (postback) => postback.conversion_id === conversionId && postback.answered_ms !== null,
    );
    if (fired) return fired;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}
