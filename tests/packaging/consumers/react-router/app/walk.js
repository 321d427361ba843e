import { walk } from "../shared/server.js";

export async function loader() {
  return new Response(await walk());
}
