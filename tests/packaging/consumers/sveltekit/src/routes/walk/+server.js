import { walk } from "../../../shared/server.js";

export async function GET() {
  return new Response(await walk());
}
