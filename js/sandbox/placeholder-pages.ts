/**
 * Placeholder pages for the targets of a network's redirects and postbacks. There are three: the advertiser's landing
 * page, the affiliate's tracker, and the page for unknown links. A site in front of the sandbox has its own pages and
 * never requests these.
 */

import { escapeHtml } from "../html.js";

const PAGE = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};

/** The answer, where the path is that of a placeholder page. */
export function placeholderPage(request: Request, pathname: string): Response | undefined {
  switch (pathname) {
    case "/affiliate/postback":
      return new Response("OK");
    case "/shop/":
      return page(request, "A landing page", shop(new URL(request.url).searchParams));
    case "/__sandbox/elsewhere": {
      const reason = new URL(request.url).searchParams.get("reason") ?? "no reason";
      return page(
        request,
        "This link leads nowhere",
        `<p>The network sent the click elsewhere: <code>${escapeHtml(reason)}</code>.</p>`,
      );
    }
    case "/__sandbox/health":
      return new Response("ok");
    case "/favicon.ico":
      return new Response(null, { status: 204 });
    default:
      return undefined;
  }
}

function shop(query: URLSearchParams): string {
  const clickId = query.get("reqid") ?? "";
  const offer = query.get("oid") ?? "12345";
  return `<p>The advertiser's page stands here. It was given the click id</p><p><code>${escapeHtml(clickId || "none")}</code></p>
<form action="/p.ashx"><input type="hidden" name="o" value="${escapeHtml(offer)}"><input type="hidden" name="r" value="${escapeHtml(clickId)}">
<label>Order number <input name="t" value="ORD-1" autocomplete="off"></label> <button>Convert, as the advertiser's pixel does</button></form>`;
}

function page(request: Request, title: string, body: string): Response {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:38rem;margin:10vh auto;padding:0 1rem}code{overflow-wrap:anywhere}input,button{font:inherit;padding:.4rem .7rem}</style>
<main><h1>${title}</h1>${body}<p><a href="/__sandbox/">The network's live view</a></p></main></html>`;
  return new Response(request.method === "HEAD" ? null : html, { headers: PAGE });
}
