/** The landing page's script: all that an advertiser writes. */
import { createTracker } from "cake-edge/page";

// Finds the click id in this page's address and keeps it.
export const tracker = createTracker({ endpoint: "/cake" });
