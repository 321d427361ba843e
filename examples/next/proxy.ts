import { type NextRequest, NextResponse } from "next/server";
import { keepClick } from "./cake-edge.server.js";

export function proxy(request: NextRequest) {
  return keepClick(request, () => NextResponse.next());
}

// Every page; none of the files, by their endings: a page's address may have a dot.
export const config = {
  matcher:
    "/((?!_next/|cake/|.*\\.(?:css|js|mjs|map|json|txt|xml|ico|png|jpe?g|gif|svg|webp|avif|woff2?|ttf|otf|mp4|webm|mp3|pdf|wasm|webmanifest)$).*)",
};
