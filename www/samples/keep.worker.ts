/** Keeps the click id at the edge: in a signed cookie, which the site itself sets. */
import { withClickCapture } from "cake-edge";

interface Env {
  readonly CAKE_COOKIE_SECRET: string;
}

export default {
  fetch: withClickCapture(
    (request: Request) => fetch(request),
    (env: Env) => ({ secrets: [env.CAKE_COOKIE_SECRET] }),
  ),
};
