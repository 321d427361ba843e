/** Keeps the click id at the edge: the site's own Worker sets a signed cookie that no script can read. */
import { withClickCapture } from "cake-edge";

interface Env {
  readonly CAKE_COOKIE_SECRET: string;
}

const site = (request: Request) => fetch(request);

export default { fetch: withClickCapture(site, (env: Env) => ({ secrets: [env.CAKE_COOKIE_SECRET] })) };
