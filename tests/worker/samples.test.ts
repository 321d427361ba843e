/** The demo's samples for Workers, in a Worker. */
import { afterEach, expect, test, vi } from "vitest";
import build from "../../www/samples/build.worker.ts";
import click from "../../www/samples/click.worker.ts";
import keep from "../../www/samples/keep.worker.ts";

/** The site behind the Worker. */
const site = (html: string) =>
  vi.stubGlobal("fetch", async () => new Response(html, { headers: { "content-type": "text/html" } }));

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the sample of the first step tags the links of a page", async () => {
  site('<a data-offer href="/">Get a quote</a><a href="/about">About</a>');
  const page = await build.fetch(new Request("https://affiliate.example/review"));
  expect(await page.text()).toBe(
    '<a data-offer href="https://track.yournetwork.com/?a=67890&c=12&s1=review_page">Get a quote</a><a href="/about">About</a>',
  );
});

test("the sample of the second step is a short link", () => {
  const answer = click.fetch(new Request("https://affiliate.example/go/review_page"));
  expect([answer.status, answer.headers.get("location")]).toEqual([
    302,
    "https://track.yournetwork.com/?a=67890&c=12&s1=review_page",
  ]);
});

test("the sample of the third step keeps the click id, and leaves other pages alone", async () => {
  site("<h1>Welcome</h1>");
  const env = { CAKE_COOKIE_SECRET: "5f0c4bd2a9e6417380cd1e2fa7b49638" };
  const visit = (path: string) => {
    const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    return keep.fetch(new Request(`https://shop.example${path}`, { headers }), env);
  };
  const landing = await visit("/?reqid=13b9ae60-4f60-4c9e-bf75-626dca035acf");
  expect(landing.headers.get("set-cookie")).toMatch(/^__Host-cake_click=.*13b9ae60.*; Secure; HttpOnly/);
  expect(await landing.text()).toBe("<h1>Welcome</h1>");
  const other = await visit("/about");
  expect(other.headers.get("set-cookie")).toBeNull();
});
