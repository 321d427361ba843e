/** Two copies in one process: each has its own core, and both recognise the other's errors. */
import { createTrackingLink, isCakeError } from "cake-edge";
import { createTrackingLink as createOther, isCakeError as isOther } from "cake-edge-copy";

const link = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
try {
  createOther({ ...link, domain: "" });
} catch (error) {
  console.log(error.code, isCakeError(error), isOther(error) && createTrackingLink(link) === createOther(link));
}
