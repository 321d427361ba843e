/** Keeps the click id at the edge: the cookie is set by the site itself. */
import { captureClick } from "cake-edge";

export default {
  async fetch(request: Request): Promise<Response> {
    const { setCookie } = captureClick(request);
    const page = await fetch(request);
    if (setCookie === undefined) return page;
    const kept = new Response(page.body, page);
    kept.headers.append("set-cookie", setCookie);
    return kept;
  },
};
