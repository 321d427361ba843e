import { keepClick } from "./lib/cake-edge.server.js";

/** @type {import("@sveltejs/kit/hooks").Handle} */
export function handle({ event, resolve }) {
  return keepClick(event.request, () => resolve(event));
}
