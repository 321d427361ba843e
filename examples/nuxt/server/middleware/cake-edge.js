import { keepClick } from "../utils/cake-edge.server.js";

/** Only the headers are wanted here: Nuxt writes the page afterwards. */
export default defineEventHandler(async (event) => {
  if (event.path.startsWith("/cake/")) return;
  const { headers } = await keepClick(toWebRequest(event), () => new Response());
  for (const cookie of headers.getSetCookie()) appendResponseHeader(event, "set-cookie", cookie);
  const rules = headers.get("cache-control");
  if (rules !== null) setResponseHeader(event, "cache-control", rules);
});
