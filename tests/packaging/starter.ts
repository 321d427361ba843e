/** A framework's server and the starter in it, asked as a visitor asks them. */
import { get, type IncomingMessage } from "node:http";
import { expect } from "vitest";
import { freePort } from "../../js/bin/workerd.ts";
import { EXPECTED } from "./consumers/shared/server.js";
import { openNetwork } from "./network.ts";
import type { Project } from "./project.ts";
import { buy, landOn, WITH_WASM, WITHOUT_WASM } from "./site.ts";

/** Requests like a browser's address bar; the headers of Node's `fetch` say that it is a script. */
export async function navigate(
  url: string,
  headers: Record<string, string>,
): Promise<{ text: string; cookie: string; caching: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(
      url,
      { headers: { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", ...headers } },
      resolve,
    ).on("error", reject);
  });
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  const signed = response.headers["set-cookie"]?.find((cookie) => cookie.startsWith("cake_click_signed=")) ?? "";
  return { text, cookie: signed.split(";")[0] ?? "", caching: response.headers["cache-control"] ?? "" };
}

interface SiteOptions {
  /** Routes that walk through the package on the server. @default `/walk` */
  readonly routes?: readonly string[];
  /** The page that walks through it in the browser. @default `/consumer` */
  readonly page?: string;
  readonly ready?: RegExp;
  readonly env?: Record<string, string>;
  /** Is it the starter, with pages that a visitor goes through? */
  readonly isStarter?: boolean;
}

/** Checks a framework's server: its page and its route, and the starter's own pages. */
export async function expectSite(
  project: Project,
  command: string,
  args: readonly string[],
  { routes = ["/walk"], page = "/consumer", isStarter = true, ...options }: SiteOptions = {},
): Promise<void> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await project.start(
    command,
    args.map((arg) => arg.replace("PORT", String(port))),
    options.ready ?? /(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d+/,
    {
      env: {
        ...(await starterEnvironment(origin)),
        PORT: String(port),
        HOST: "127.0.0.1",
        HOSTNAME: "127.0.0.1",
        // What a proxy says, as a host has one in front: SvelteKit takes a request for https otherwise.
        PROTOCOL_HEADER: "x-forwarded-proto",
        ...options.env,
      },
    },
  );
  try {
    await answers(`${origin}/`);
    for (const route of routes) expect(await (await fetch(origin + route)).text()).toBe(EXPECTED);
    expect(await landOn(origin + page)).toBe(WITH_WASM);
    expect(await landOn(origin + page, { hasWasm: false })).toMatch(WITHOUT_WASM);
    if (isStarter) await expectStarter(origin);
  } finally {
    await server.stop();
  }
}

const SECRET = "5f0c4bd2a9e6417380cd1e2fa7b49638";

/** What a starter takes from its environment: a CAKE of ours, and secrets. */
export async function starterEnvironment(origin: string): Promise<Record<string, string>> {
  return {
    SITE_ORIGIN: origin,
    CAKE_BASE_URL: (await openNetwork()).origin,
    CAKE_API_KEY: "key-of-a-test",
    CAKE_OPERATOR_SECRET: SECRET,
    CAKE_COOKIE_SECRET: SECRET,
  };
}

/** A visitor's way through a starter: from the click to the conversion in CAKE. */
export async function expectStarter(origin: string): Promise<void> {
  const network = await openNetwork();
  const clickId = await network.click();
  const { shown, state, cookie } = await buy(`${origin}/?reqid=${clickId}`);
  // The tracker knows the click, and the server has signed it, out of the page's sight.
  expect({ shown, state }).toEqual({ shown: clickId, state: "accepted" });
  expect(cookie).toMatch(new RegExp(`^1!.*!${clickId}\\.\\w+\\.[\\w-]{43}$`));
  expect(await network.hasConverted(clickId)).toBe(true);
  // The cookie alone says whose order it is.
  const other = await network.click();
  const landing = await navigate(`${origin}/?reqid=${other}`, {});
  expect(landing.caching).toMatch(/no-store/);
  const answer = await fetch(`${origin}/cake/conversions?wait=1`, {
    method: "POST",
    headers: { origin, cookie: landing.cookie, "content-type": "application/json" },
    body: JSON.stringify({ offerId: 12_345, uniqueId: crypto.randomUUID() }),
  });
  expect(await answer.json()).toMatchObject({ state: "delivered" });
  expect(await network.hasConverted(other)).toBe(true);
}

/** Some servers announce that they listen before they do. */
export async function answers(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await (await fetch(url)).text();
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
