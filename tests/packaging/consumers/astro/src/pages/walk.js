import { walk } from "../../shared/server.js";

export const prerender = false;

export async function GET() {
  return new Response(await walk());
}
