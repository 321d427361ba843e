import { walk } from "../../../shared/server.js";

export const dynamic = "force-dynamic";

export async function GET() {
  return new Response(await walk());
}
