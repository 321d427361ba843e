/** Keeps the click id in a Node server. */
import { createServer } from "node:http";
import { captureClick } from "cake-edge";

const secrets = [process.env["CAKE_COOKIE_SECRET"] ?? ""];

createServer((incoming, answer) => {
  const url = new URL(incoming.url ?? "/", "https://shop.example.com");
  const request = new Request(url, { headers: incoming.headers as Record<string, string> });
  const { clickId, setCookie } = captureClick(request, { secrets });
  if (setCookie !== undefined) {
    answer.setHeader("set-cookie", setCookie);
    answer.setHeader("cache-control", "private, no-store");
  }
  answer.end(clickId === undefined ? "No click led here." : "We know the click that led here.");
}).listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
