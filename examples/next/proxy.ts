import { type NextRequest, NextResponse } from "next/server";
import { keepClick } from "./cake-edge.server.js";

export function proxy(request: NextRequest) {
  return keepClick(request, () => NextResponse.next());
}

// Every page, and none of the files.
export const config = { matcher: "/((?!_next/|cake/|.*\\..*).*)" };
