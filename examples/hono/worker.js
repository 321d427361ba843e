/** A site of Hono's as one Worker: it keeps clicks, and delivers conversions from its own Durable Objects. */
import { clickCapture } from "cake-edge";
import { createForwarder } from "cake-edge/forwarder";
import { Hono } from "hono";
import { html } from "hono/html";

const forwarder = createForwarder((env) => ({
  outbox: env.OUTBOX,
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
  cookieSecrets: [env.CAKE_COOKIE_SECRET],
}));
export const CakeOutbox = forwarder.Outbox;

/** The tag's files are the package's own: wrangler.jsonc serves them as assets. */
const page = (title, more) => html`<!doctype html>
<html lang="en">
  <h1>${title}</h1>
  ${more}
  <script src="/cake-edge.js" data-endpoint="/cake"></script>
  <script src="/site.js"></script>
</html>`;

const app = new Hono();
app.all("/cake/*", ({ req, env, executionCtx }) => forwarder.fetch(req.raw, env, executionCtx));
app.use(clickCapture((env) => ({ secrets: [env.CAKE_COOKIE_SECRET] })));
app.get("/", (context) =>
  context.html(page("Welcome", html`<p id="click"></p><a href="/thank-you?order=ORD-98765">Buy</a>`)),
);
app.get("/thank-you", (context) =>
  context.html(page("Thank you", html`<p id="state" data-order="${context.req.query("order") ?? ""}"></p>`)),
);
app.get("/site.js", (context) => context.body(SITE, 200, { "content-type": "text/javascript" }));

const SITE = `cakeEdge(async (tracker) => {
  const click = document.getElementById("click");
  if (click) click.textContent = tracker.clickId ?? "none";
  const order = document.getElementById("state");
  // A reload reports the same order, which counts once.
  if (order) order.textContent = (await tracker.convert({ offerId: 12345, orderId: order.dataset.order })).state;
});`;

export default { fetch: app.fetch, scheduled: forwarder.scheduled };
