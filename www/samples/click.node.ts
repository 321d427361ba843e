/** Follows a tracking link by hand, against `npx cake-edge sandbox`. */
import { createTrackingLink, findClick } from "cake-edge";

const domain = process.env["CAKE_BASE_URL"] ?? "http://127.0.0.1:8787";
const link = createTrackingLink({
  domain,
  sandbox: true,
  affiliateId: 67890,
  creativeId: 12,
  s1: "node",
});
const answer = await fetch(link, { redirect: "manual" });
console.log(answer.status, findClick(answer.headers.get("location") ?? ""));
