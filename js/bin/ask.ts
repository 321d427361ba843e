/** One request of the doctor's, and why no answer came: who answers in another way is told from nobody. */
import { request as askPlain, type IncomingHttpHeaders } from "node:http";
import { request as askSecure } from "node:https";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Why no answer came. */
  readonly failure?: Failure;
}

/** Why no answer came, and the advice. */
export interface Failure {
  readonly found: string;
  readonly advice?: string;
}

/** The time for an answer, in milliseconds. */
const ANSWER_MS = 10_000;
/** The most characters of a body that are read. */
const MAX_BODY = 65_536;

/**
 * Sends one request, without following its redirect; status 0 if no answer came. The body is read only where it is
 * asked for: a page may send its own for as long as it is open. Not by `fetch`, which marks itself as no navigation.
 */
export function ask(
  at: URL,
  method: string,
  headers: Record<string, string> = {},
  part: "head" | "body" = "head",
): Promise<Answer> {
  return new Promise((resolve) => {
    const isSecure = at.protocol === "https:";
    const options = { method, headers, signal: AbortSignal.timeout(ANSWER_MS), agent: false };
    let fail = (error: Error) => resolve({ status: 0, headers: {}, body: "", failure: failureOf(error, isSecure) });
    const request = (isSecure ? askSecure : askPlain)(at, options, (response) => {
      let body = "";
      const end = () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        response.destroy();
      };
      // From here on somebody has answered, whatever becomes of the body.
      fail = end;
      response.on("error", end);
      if (part === "head") return end();
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
        if (body.length > MAX_BODY) end();
      });
      response.on("end", end);
    });
    request.on("error", (error) => fail(error));
    request.end();
  });
}

function failureOf(error: NodeJS.ErrnoException & { readonly reason?: string }, isSecure: boolean): Failure {
  const { code = "", message } = error;
  if (/^(EPROTO|ERR_SSL)/.test(code)) return failureOfTls(error.reason ?? /routines:[^:]*:([^:]+)/.exec(message)?.[1]);
  if (/CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY/.test(code)) {
    const advice = /EXPIRED/.test(code)
      ? "Renew the certificate."
      : /ALTNAME/.test(code)
        ? "The certificate is another host's: see that it covers this one."
        : "Install the whole chain of certificates; for one of your own, say so with NODE_EXTRA_CA_CERTS=FILE.";
    return { found: `the certificate is not trusted (${code})`, advice };
  }
  if (code.startsWith("HPE_")) {
    return { found: `it answers, but not in HTTP (${code})`, advice: "See that the URL has the port of a web server." };
  }
  if (/^(ECONNRESET|ECONNABORTED|EPIPE)$/.test(code)) {
    const advice = isSecure
      ? "See its log, and what stands before it: a proxy or a firewall."
      : "See its log. Where the port speaks https, give the URL with https://.";
    return { found: `it closes the connection without an answer (${code})`, advice };
  }
  if (code === "ABORT_ERR") return { found: `nobody answers within ${ANSWER_MS / 1_000} s` };
  return { found: "nobody answers" };
}

/** Why no TLS connection came about. OpenSSL's reason names it. */
function failureOfTls(reason = "unknown"): Failure {
  if (/wrong version number|http request|packet length too long/i.test(reason)) {
    return {
      found: "it answers, but not in https",
      advice: "Give the URL with http://, or the port that speaks https.",
    };
  }
  const advice = /protocol/i.test(reason)
    ? "Let the server offer TLS 1.2 or later: browsers refuse what is older."
    : "See the server's settings of TLS, and its log.";
  return { found: `it answers, but no TLS connection comes about (${reason})`, advice };
}
