import { walk } from "../../../shared/server.js";

export const runtime = "edge";

export async function GET() {
  return new Response(await walk());
}
