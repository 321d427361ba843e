/** Conversions and CAKE's pixels, answered here in place of the network. */
import type { Chrome } from "../chrome.js";

/** A conversion that a page has sent, and that was answered here. */
export interface Conversion {
  readonly url: string;
  readonly fields: { readonly clickId?: unknown; readonly offerId?: unknown; readonly uniqueId?: unknown };
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
      if (method !== "Fetch.requestPaused") return;
      const { requestId, request } = params;
      const { pathname } = new URL(request.url);
      const isPixel = /\/p\.ashx$/i.test(pathname);
      const isConversion = /\/conversions\/?$/.test(pathname) && /^(POST|OPTIONS)$/.test(request.method);
      if (isPixel) this.pixels += 1;
      if (isConversion && request.method === "POST") this.#take(request.url, postedBy(request));
      const origin = Object.entries(request.headers).find(([name]) => name.toLowerCase() === "origin")?.[1] ?? "*";
      const answer = isConversion
        ? {
            responseCode: request.method === "POST" ? 202 : 204,
            responseHeaders: [
              { name: "content-type", value: "application/json" },
              { name: "access-control-allow-origin", value: String(origin) },
              { name: "access-control-allow-headers", value: "content-type" },
            ],
            body: Buffer.from(`{"id":"cake-edge-doctor","duplicate":false,"state":"pending"}`).toString("base64"),
          }
        : { responseCode: 204 };
      const isOurs = isPixel || isConversion;
      chrome
        .send(isOurs ? "Fetch.fulfillRequest" : "Fetch.continueRequest", { requestId, ...(isOurs && answer) })
        .catch(() => undefined);
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

  #take(url: string, body: string): void {
    try {
      const fields = JSON.parse(body) as unknown;
      if (typeof fields === "object" && fields !== null && "offerId" in fields) this.conversions.push({ url, fields });
    } catch {
      // Another site's request with that name.
    }
  }
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
