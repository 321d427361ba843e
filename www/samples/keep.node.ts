/** Keeps the click id in a Node server. */
import { createServer } from "node:http";
import { captureClick } from "cake-edge";

const secrets = [process.env["CAKE_COOKIE_SECRET"] ?? ""];

createServer((incoming, answer) => {
  const url = new URL(incoming.url ?? "/", "https://shop.example.com");
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const { clickId, setCookie } = captureClick(new Request(url, { headers }), { secrets });
  if (setCookie !== undefined) answer.setHeader("set-cookie", setCookie).setHeader("cache-control", "no-store");
  answer.end(clickId === undefined ? "No click led here." : "We know the click that led here.");
}).listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
