/** Builds a link in Node and prints probable mistakes in it. */
import { createTrackingLink, lintTrackingLink } from "cake-edge";

const link = createTrackingLink({
  domain: "track.yournetwork.com",
  affiliateId: 67890,
  creativeId: 12,
  s1: "spring_sale",
});
console.log(link);
for (const { parameter, sentence } of lintTrackingLink(link)) {
  console.warn(`${parameter}: ${sentence}`);
}
