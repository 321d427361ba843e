/**
 * Reads an answer from CAKE with the client itself. The client does not open in a page, so it runs in a worker, without
 * a network.
 */
import type { CakeClient } from "cake-edge";
import type { Finding } from "./report.js";

/** The client's reading of a text. */
export interface ReadAnswer {
  readonly action: string;
  /** The return value, or … */
  readonly value?: unknown;
  /** … the thrown error. */
  readonly error?: string;
  /** What the client could not read in it. */
  readonly warnings?: readonly Finding[];
}

type Read = (cake: CakeClient) => Promise<unknown>;

/** Recognises the action by the field that its answer has. */
const ACTIONS: readonly (readonly [action: string, name: string, read: Read])[] = [
  ["Get Click", "clicks", (cake) => cake.listClicks({ rowLimit: 10_000 }).page()],
  [
    "Get Conversions",
    "conversions",
    (cake) => cake.listConversions({ startDate: "2026-01-01", endDate: "2026-12-31", rowLimit: 500 }).page(),
  ],
  ["Get Tracking Domains", "tracking_domains", (cake) => cake.listTrackingDomains()],
  [
    "Create Postback",
    "postback",
    (cake) => cake.createPostback({ affiliateId: 1, offerId: 0, postbackUrl: "https://p.example/?id=#reqsessid#" }),
  ],
  [
    "Record Conversion",
    "conversion",
    (cake) => cake.recordConversion({ clickId: "a1", offerId: 1 }, { verify: "none" }),
  ],
];

addEventListener("message", async ({ data }: MessageEvent<string>) => {
  postMessage(await read(data));
});

async function read(text: string): Promise<ReadAnswer> {
  // Not a static import: while the package loads, a message would have no listener.
  const { createCakeClient, isCakeError } = await import("../client.js");
  const warnings: Finding[] = [];
  const cake = createCakeClient({
    baseUrl: "https://pasted.example",
    apiKey: "none",
    retries: 0,
    fetch: async () => new Response(text, { headers: { "content-type": "application/json" } }),
    onWarning: ({ code, field, message }) => warnings.push({ code, parameter: field, sentence: `${message}.` }),
  });
  const [action, , call] = ACTIONS.find(([, name]) => new RegExp(`"${name}"\\s*:`).test(text)) ?? [
    "any action",
    "",
    (client: CakeClient) => client.listClicks().page(),
  ];
  try {
    return { action, value: await call(cake), warnings };
  } catch (thrown) {
    if (!isCakeError(thrown)) return { action, error: String(thrown) };
    const cause = isCakeError(thrown.cause) ? `: ${thrown.cause.message} (${thrown.cause.code})` : "";
    return { action, error: `${thrown.message} (${thrown.code})${cause}` };
  }
}
