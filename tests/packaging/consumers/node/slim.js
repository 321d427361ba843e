/** Loads the module from a file that the user chooses. */
import { readFileSync } from "node:fs";
import { createTrackingLink, init } from "cake-edge/slim";

const link = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
try {
  createTrackingLink(link);
} catch (error) {
  console.log(error.code);
}
init(readFileSync(new URL(import.meta.resolve("cake-edge/edge.wasm"))));
console.log(createTrackingLink(link));
