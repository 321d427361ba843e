/** Keeps the click id in a Node server. */
import { createServer } from "node:http";
import { captureClick } from "cake-edge";

createServer((incoming, answer) => {
  const url = new URL(incoming.url ?? "/", "https://shop.example.com");
  const request = new Request(url, { headers: { cookie: incoming.headers.cookie ?? "" } });
  const { clickId, setCookie } = captureClick(request);
  if (setCookie !== undefined) answer.setHeader("set-cookie", setCookie);
  answer.end(clickId === undefined ? "No click led here." : "We know the click that led here.");
}).listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
