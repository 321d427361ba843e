/** The page's part of cake-edge: one tracker, which also keeps clicks of pages that the browser has prerendered. */
import { createTracker } from "cake-edge/page";

export const tracker = createTracker({ endpoint: "/cake" });
