/** Puts the static demo's service worker in control of this page. */

/**
 * Resolves when the service worker answers this page's requests, on a first visit too.
 */
export async function start(): Promise<void> {
  // Service workers need https, except on loopback.
  if (!("serviceWorker" in navigator)) throw new Error("this demo needs a browser with service workers, and https");
  const { serviceWorker } = navigator;
  const inControl = new Promise<void>((resolve) => {
    serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
  });
  // This script is in the folder of assets, beside the pages.
  const worker = "../sw.js";
  await serviceWorker.register(new URL(worker, import.meta.url));
  if (serviceWorker.controller !== null) return;
  // After a reload that bypasses the worker, the worker is active but does not claim the page by itself.
  (await serviceWorker.ready).active?.postMessage("claim");
  await inControl;
}
