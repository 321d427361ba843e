import { clickCapture, createTrackingLink, readClickCookie } from "cake-edge";
import { Hono } from "hono";

const secrets = ["5f0c4bd2a9e6417380cd1e2fa7b49638"];
const app = new Hono();
app.use(clickCapture(() => ({ secrets })));
app.get("*", (context) => {
  const link = createTrackingLink({
    domain: "track.yournetwork.com",
    affiliateId: 1,
    creativeId: 2,
    s1: "spring sale",
  });
  return context.html(readClickCookie(context.req.raw, { secrets }) ?? link);
});
export default app;
