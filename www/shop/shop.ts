/** The landing page's script: all that an advertiser writes. */
import { createTracker } from "cake-edge/page";
import { consent } from "./consent.js";

// Finds the click id in this page's address and keeps it,
// as far as the visitor allows.
export const tracker = createTracker({ endpoint: "/cake", consent });
