import { captureClick } from "cake-edge";
import { NextResponse } from "next/server";

export function middleware(request) {
  const response = NextResponse.next();
  const { setCookie } = captureClick(request, { secrets: ["5f0c4bd2a9e6417380cd1e2fa7b49638"] });
  if (setCookie) response.headers.append("set-cookie", setCookie);
  return response;
}

export const config = { matcher: "/" };
