/** Conversions and CAKE's pixels, answered here in place of the network. */
import { randomUUID } from "node:crypto";
import { createForwarderInProcess } from "../../entry/forwarder-memory.inline.js";
import type { Chrome } from "../chrome.js";

/** A conversion that a page has sent, and that was answered here. */
export interface Conversion {
  readonly url: string;
  readonly fields: { readonly clickId?: unknown; readonly offerId?: unknown; readonly uniqueId?: unknown };
  /** Why a forwarder refuses it; absent where one takes it. */
  readonly refusal?: string | undefined;
}

/** An answer in place of the network's. */
interface Answered {
  readonly status: number;
  readonly body: string;
}

/** Answers what must not leave the machine, and keeps the conversions. */
export class Interceptor {
  /** The conversions so far. */
  readonly conversions: Conversion[] = [];
  /** CAKE's own pixels. */
  pixels = 0;
  readonly #stops: (() => void)[] = [];

  /** Answers conversions and CAKE's pixels in place of the network, from any sender: pages, frames, workers. */
  async attach(chrome: Chrome): Promise<void> {
    const stop = chrome.listen(({ method, params }) => {
      if (method === "Fetch.requestPaused") void this.#answer(chrome, params).catch(() => undefined);
    });
    this.#stops.push(stop);
    await chrome.send("Fetch.enable", {
      patterns: [{ urlPattern: "*/conversions*" }, { urlPattern: "*/p.ashx*" }, { urlPattern: "*/P.ASHX*" }],
    });
  }

  /** Ignores everything from now on. */
  end(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own object.
  async #answer(chrome: Chrome, { requestId, request }: any): Promise<void> {
    const { pathname } = new URL(request.url);
    const isPixel = /\/p\.ashx$/i.test(pathname);
    const isConversion = /\/conversions\/?$/.test(pathname) && /^(POST|OPTIONS)$/.test(request.method);
    if (!isPixel && !isConversion) return void (await chrome.send("Fetch.continueRequest", { requestId }));
    if (isPixel) this.pixels += 1;
    if (!isConversion) return void (await chrome.send("Fetch.fulfillRequest", { requestId, responseCode: 204 }));
    const isPost = request.method === "POST";
    const { status, body } = isPost ? await this.#take(request.url, postedBy(request)) : { status: 204, body: "" };
    const origin = Object.entries(request.headers).find(([name]) => name.toLowerCase() === "origin")?.[1] ?? "*";
    await chrome.send("Fetch.fulfillRequest", {
      requestId,
      responseCode: status,
      responseHeaders: [
        { name: "content-type", value: "application/json" },
        { name: "access-control-allow-origin", value: String(origin) },
        { name: "access-control-allow-headers", value: "content-type" },
      ],
      body: Buffer.from(body).toString("base64"),
    });
  }

  /** Notes a conversion, and answers as a forwarder would. */
  async #take(url: string, body: string): Promise<Answered> {
    const accepted = { status: 202, body: `{"id":"cake-edge-doctor","duplicate":false,"state":"pending"}` };
    let fields: unknown;
    try {
      fields = JSON.parse(body);
    } catch {
      // Another site's request with that name.
      return accepted;
    }
    if (typeof fields !== "object" || fields === null || !("offerId" in fields)) return accepted;
    const answer = await askForwarder(url, fields);
    const refusal = answer.status < 400 ? undefined : sentenceIn(answer.body);
    this.conversions.push({ url, fields, refusal });
    return refusal === undefined ? accepted : answer;
  }
}

/** The answer of a forwarder in this process, which sends nothing, to a page's conversion. */
async function askForwarder(url: string, fields: object): Promise<Answered> {
  // These fields are of a forwarder that delivers to p.ashx.
  const isOfPixel = "eventId" in fields || "order" in fields;
  const { origin } = new URL(url);
  const forwarder = createForwarderInProcess({
    ...(isOfPixel ? { pixelDomain: "track.example.com" } : { baseUrl: "http://127.0.0.1", apiKey: "sandbox-key" }),
    operatorSecret: randomUUID() + randomUUID(),
    // Nothing leaves: what it takes is never delivered.
    fetch: () => Promise.reject(new TypeError("nothing is sent")),
    log: () => undefined,
  });
  // A forwarder reads the click of a site's server from its cookie, which only the server can verify.
  const body = JSON.stringify({ clickId: "cake-edge-doctor", ...fields });
  const headers = { origin, "content-type": "application/json" };
  const answer = await forwarder.fetch(new Request(`${origin}/conversions`, { method: "POST", headers, body }));
  return { status: answer.status, body: await answer.text() };
}

/** The sentence of a forwarder's error. */
function sentenceIn(body: string): string {
  const { error } = JSON.parse(body) as { error: { code: string; rule: string; parameter?: string } };
  return [`${error.code}:`, error.parameter, error.rule].filter((word) => word).join(" ");
}

function postedBy({
  postData,
  postDataEntries,
}: {
  postData?: string;
  postDataEntries?: { bytes?: string }[];
}): string {
  return postData ?? Buffer.from(postDataEntries?.map(({ bytes = "" }) => bytes).join("") ?? "", "base64").toString();
}
