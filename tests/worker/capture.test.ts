/** The middleware of a site's Worker, in its three forms, in workerd. */
import { env as bindings } from "cloudflare:workers";
import { type CaptureSettings, clickCapture, pagesClickCapture, readClickCookie, withClickCapture } from "cake-edge";
import { Hono } from "hono";
import { describe, expect, test, vi } from "vitest";
import { forwarder, settings as forwarderSettings } from "./worker.ts";

interface Env {
  readonly SECRET: string;
}
type Site = (request: Request) => Response | Promise<Response>;
type Shape = (site: Site, settings: CaptureSettings<Env>) => (request: Request) => Promise<Response>;

const env: Env = { SECRET: "a cookie's secret of 32 characters or more" };
const settings = ({ SECRET }: Env) => ({ secrets: [SECRET] });
const LANDING = "https://shop.example/?reqid=abc-1";
const visit = (url = LANDING, headers: Record<string, string> = {}, method = "GET") =>
  new Request(url, { method, headers: { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", ...headers } });

const SHAPES: Record<string, Shape> = {
  "a fetch handler": (site, settings) => {
    const fetch = withClickCapture<Env, [string]>((request) => site(request), settings);
    return (request) => fetch(request, env, "context");
  },
  Hono: (site, settings) => {
    const app = new Hono<{ Bindings: Env }>();
    app.use(clickCapture<Env>(settings));
    app.all("*", (context) => site(context.req.raw));
    return async (request) => app.fetch(request, env);
  },
  "a Pages Function": (site, settings) => {
    const onRequest = pagesClickCapture(settings);
    return (request) => onRequest({ request, env, next: async () => site(request) });
  },
};

describe.each(Object.entries(SHAPES))("%s", (_, shape) => {
  test("sets the cookie beside the site's own, and the conversion finds the click in it", async () => {
    const site = shape(() => new Response("shop", { headers: { "set-cookie": "cart=1", "x-site": "a" } }), settings);
    const answer = await site(visit());
    const [own, ours = ""] = answer.headers.getSetCookie();
    expect(own).toBe("cart=1");
    expect(ours).toMatch(
      /^__Host-cake_click=1!\w+\*\w+!reqid!abc-1\.\w+\.[\w-]{43}; Path=\/; Max-Age=2592000; SameSite=Lax; Secure; HttpOnly$/,
    );
    expect(answer.headers.get("x-site")).toBe("a");
    expect(await answer.text()).toBe("shop");
    const cookie = ours.split(";")[0] ?? "";
    expect(readClickCookie(visit(undefined, { cookie }), { secrets: [env.SECRET] })).toBe("abc-1");
    expect((await site(visit("https://shop.example/thanks", { cookie }))).headers.getSetCookie()).toEqual(["cart=1"]);
    // Several Cookie fields, which workerd joins by commas: a good cookie is found and never deleted.
    for (const fields of [
      ["a=b", cookie],
      [cookie, "a=b"],
      ["a=b", "__Host-cake_click=stale", cookie],
    ]) {
      const request = visit("https://shop.example/thanks");
      for (const field of fields) request.headers.append("cookie", field);
      expect(readClickCookie(request, { secrets: [env.SECRET] }), fields.join()).toBe("abc-1");
      expect((await site(request)).headers.getSetCookie(), fields.join()).toEqual(["cart=1"]);
    }
  });

  test("keeps an answer with a cookie out of every cache, and leaves the others to the site", async () => {
    const headers = {
      "cache-control": "public, max-age=3600",
      "cdn-cache-control": "max-age=3600",
      "cloudflare-cdn-cache-control": "max-age=3600",
      "surrogate-control": "max-age=3600",
    };
    const site = shape(() => new Response("shop", { headers }), settings);
    const landing = (await site(visit())).headers;
    expect(landing.get("cache-control")).toBe("private, no-store");
    for (const name of ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control"]) {
      expect(landing.has(name), name).toBe(false);
    }
    const other = (await site(visit("https://shop.example/about"))).headers;
    for (const [name, value] of Object.entries(headers)) expect(other.get(name), name).toBe(value);
  });

  test("writes on redirects, and on answers whose headers cannot be changed", async () => {
    const moved = shape(() => Response.redirect("https://shop.example/shop", 301), settings);
    const redirect = await moved(visit());
    expect(redirect.status).toBe(301);
    expect(redirect.headers.get("location")).toBe("https://shop.example/shop");
    expect(redirect.headers.getSetCookie()).toHaveLength(1);
    const origin = shape(() => fetch("data:text/html,shop"), settings);
    const fetched = await origin(visit());
    expect(fetched.headers.getSetCookie()).toHaveLength(1);
    expect(await fetched.text()).toBe("shop");
  });

  test("leaves answers without a body as they are", async () => {
    for (const status of [204, 304]) {
      const answer = await shape(() => new Response(null, { status }), settings)(visit());
      expect(answer.status).toBe(status);
      expect(answer.body).toBeNull();
      expect(answer.headers.getSetCookie()).toHaveLength(1);
    }
  });

  test("touches no answer to what is no visit", async () => {
    const headers = { "cache-control": "public, max-age=60" };
    const site = shape(() => new Response("shop", { headers }), settings);
    for (const request of [
      visit(LANDING, {}, "HEAD"),
      visit(LANDING, {}, "POST"),
      visit(LANDING, { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }),
      visit(LANDING, { "sec-purpose": "prefetch" }),
      visit(LANDING, { "sec-purpose": "prefetch;prerender" }),
      visit(LANDING, { purpose: "prefetch" }),
      visit(LANDING, { "x-moz": "prefetch" }),
      visit(LANDING, { "sec-gpc": "1" }),
    ]) {
      const answer = await site(request);
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect(answer.headers.get("cache-control")).toBe("public, max-age=60");
    }
  });

  test("hands a WebSocket's answer on untouched", async () => {
    const [client] = Object.values(new WebSocketPair());
    const site = shape(() => new Response(null, { status: 101, webSocket: client ?? null }), settings);
    for (const headers of [{ upgrade: "websocket" }, {}] as Record<string, string>[]) {
      const answer = await site(visit(LANDING, headers));
      expect(answer.status).toBe(101);
      expect(answer.webSocket).toBe(client);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  test("lets a body stream", async () => {
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode("first"));
        await finished;
        controller.enqueue(new TextEncoder().encode(" last"));
        controller.close();
      },
    });
    const answer = await shape(() => new Response(body), settings)(visit());
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    // The visitor reads already before the site has finished.
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");
    finish();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(" last");
    expect((await reader.read()).done).toBe(true);
  });

  test("reads consent from the request, and forgets who withdraws", async () => {
    const consent = (request: Request) =>
      request.headers.get("cookie")?.includes("agreed=0") ? ("denied" as const) : ("granted" as const);
    const site = shape(
      () => new Response("shop"),
      (env) => ({ ...settings(env), consent }),
    );
    const [set = ""] = (await site(visit())).headers.getSetCookie();
    const cookie = `${set.split(";")[0]}; agreed=0`;
    const withdrawn = await site(visit("https://shop.example/", { cookie }));
    expect(withdrawn.headers.getSetCookie()).toEqual([
      "__Host-cake_click=; Path=/; Max-Age=0; SameSite=Lax; Secure; HttpOnly",
    ]);
    expect(withdrawn.headers.get("cache-control")).toBe("private, no-store");
  });

  test("fails open: the site answers whatever goes wrong, and onError is told", async () => {
    const fail = () => {
      throw new Error("consent is broken");
    };
    const told: unknown[] = [];
    const onError = (error: unknown) => void told.push(error);
    const broken: CaptureSettings<Env>[] = [
      { secrets: ["short"], onError },
      { secrets: [env.SECRET], domain: "store.example", onError },
      { secrets: [env.SECRET], consent: fail, onError },
    ];
    for (const settings of broken) {
      const answer = await shape(() => new Response("shop"), settings)(visit());
      expect(await answer.text()).toBe("shop");
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(told.map((error) => (error as { code?: string }).code ?? (error as Error).message)).toEqual([
      "weak_secret",
      "invalid_cookie",
      "consent is broken",
    ]);
    const silent = { secrets: ["short"], onError: fail };
    expect(await (await shape(() => new Response("shop"), silent)(visit())).text()).toBe("shop");
  });

  test("says on the console what nobody else is told, and no secret", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const answer = await shape(
      () => new Response("shop"),
      () => ({ secrets: ["CANARY"] }),
    )(visit());
    expect(await answer.text()).toBe("shop");
    const said = log.mock.calls.flat().join(" ");
    log.mockRestore();
    expect(said).toContain("cake-edge: the click was not captured");
    expect(said).not.toContain("CANARY");
  });
});

test("what the site throws is the site's own", async () => {
  const fetch = withClickCapture<Env, []>(() => {
    throw new Error("the shop is closed");
  }, settings);
  await expect(fetch(visit(), env)).rejects.toThrow("the shop is closed");
});

test("the forwarder takes the click id from the cookie, and from no cookie that it did not sign", async () => {
  const site = SHAPES["a fetch handler"]?.(() => new Response("shop"), { secrets: forwarderSettings.cookieSecrets });
  const [set = ""] = (await site?.(visit()))?.headers.getSetCookie() ?? [];
  const convert = async (cookie: string) => {
    const body = JSON.stringify({ offerId: 12345, uniqueId: crypto.randomUUID() });
    const headers = { origin: "https://shop.example", cookie };
    const request = new Request("https://shop.example/cake/conversions", { method: "POST", headers, body });
    const answer = await forwarder.fetch(request, bindings as never);
    const { error } = (await answer.json()) as { error?: { code: string } };
    return [answer.status, error?.code];
  };
  const [cookie = ""] = set.split(";");
  expect(await convert(cookie)).toEqual([202, undefined]);
  expect(await convert(cookie.replace("abc-1", "abc-2"))).toEqual([400, "invalid_click_id"]);
});
