/** What the sandbox of a custom pixel has as globals, by the platform's own types. */
import type { ExtensionApi } from "@shopify/web-pixels-extension";
import type * as Frame from "cake-edge/frame";

declare global {
  const api: Pick<ExtensionApi, "analytics" | "browser" | "init" | "customerPrivacy">;
  const analytics: ExtensionApi["analytics"];
  const browser: ExtensionApi["browser"];
  const init: ExtensionApi["init"];
  /** What `cake-edge-frame.js` makes. */
  const cakeEdgeFrame: typeof Frame;
}
