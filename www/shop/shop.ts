/** The landing page's script: all the code that an advertiser writes. */
import { createTracker } from "cake-edge/page";
import { consent } from "./consent.js";

// Finds the click id in this page's address and stores it, as far as the visitor's consent allows.
export const tracker = createTracker({ endpoint: "/cake", consent });
