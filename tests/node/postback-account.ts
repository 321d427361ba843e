/** A CAKE that registers postbacks and meets faults, a folder for each test, and the command that is run on them. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { type CreatePostbackParams, createCakeClient, type PostbackEntry } from "../../dist/entry/edge.inline.js";

export const KEY = "CANARY-KEY-of-postbacks";

/** The faults of a registration, named in its URL. */
type Meets = "slow" | "hangs" | "resets" | "500" | "html" | "refused" | "limited" | "key" | "reset-after";

let server: Server;
export let base: string;

/** What the account was asked, what it has registered, and the faults that it meets next. */
export const account = {
  registered: [] as CreatePostbackParams[],
  asked: [] as string[],
  /** More of what the account answers to a registration. */
  answers: {} as Record<string, unknown>,
  meets: {} as Partial<Record<string, Meets[]>>,
  onAsked: (_url: string): void => undefined,
};

beforeAll(async () => {
  server = createServer(async (request, response) => {
    response.on("error", () => undefined);
    let body = "";
    for await (const chunk of request) body += chunk;
    const { affiliate_id, offer_id, postback_url, api_key } = JSON.parse(body);
    expect(api_key).toBe(KEY);
    account.asked.push(postback_url);
    account.onAsked(postback_url);
    const record = () => {
      account.registered.push({ affiliateId: affiliate_id, offerId: offer_id, postbackUrl: postback_url });
      const postback = { postback_id: 8_800 + account.registered.length, ...account.answers };
      json(response, 200, { request_status: "Success", postback });
    };
    switch (account.meets[new URL(postback_url).hostname.split(".")[0] ?? ""]?.shift()) {
      case "hangs":
        account.registered.push({ affiliateId: affiliate_id, offerId: offer_id, postbackUrl: postback_url });
        return;
      case "slow":
        setTimeout(record, 3_000);
        return;
      case "resets":
        request.socket.destroy();
        return;
      case "reset-after":
        account.registered.push({ affiliateId: affiliate_id, offerId: offer_id, postbackUrl: postback_url });
        request.socket.destroy();
        return;
      case "500":
        json(response, 500, { Message: "An error has occurred." });
        return;
      case "html":
        response.writeHead(200, { "content-type": "text/html" }).end("<html><title>Log In</title></html>");
        return;
      case "refused":
        json(response, 200, { success: false, message: "Affiliate Not Authorized for Campaign" });
        return;
      case "limited":
        response.writeHead(429, { "retry-after": "0" }).end();
        return;
      case "key":
        json(response, 200, { success: false, message: "Invalid API Key" });
        return;
      default:
        record();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

export let folder: string;
export let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cake-edge-postbacks-"));
  file = join(folder, "postbacks.csv");
  Object.assign(account, { registered: [], asked: [], answers: {}, meets: {}, onAsked: () => undefined });
  return () => rmSync(folder, { recursive: true, force: true });
});

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

export const urlOf = (name: string) => `https://${name}.example/pb?id=#reqsessid#&payout=#price#`;
export const rowOf = (name: string): CreatePostbackParams => ({
  affiliateId: 67_890,
  offerId: 12,
  postbackUrl: urlOf(name),
});
export const csvOf = (...names: string[]) =>
  ["affiliate_id,offer_id,postback_url", ...names.map((name) => `67890,12,${urlOf(name)}`), ""].join("\n");

/** An in-memory journal. */
export function memory(): { entries: PostbackEntry[]; read(): PostbackEntry[]; append(entry: PostbackEntry): void } {
  const entries: PostbackEntry[] = [];
  return { entries, read: () => entries, append: (entry) => void entries.push(entry) };
}

export const client = (timeoutMs = 10_000) => createCakeClient({ baseUrl: base, apiKey: KEY, timeoutMs });
export const outcomes = (rows: readonly { outcome: string }[]) => rows.map(({ outcome }) => outcome);

/** Runs the command. The output must never contain the key. */
export function start(args: string[], key: string = KEY, rows: string = file) {
  const child = spawn(process.execPath, ["dist/bin/cake-edge.js", "postbacks", "--file", rows, ...args], {
    env: { ...process.env, CAKE_API_KEY: key },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const ended = new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
    child.on("close", (status) => {
      expect(out + err).not.toContain("CANARY");
      resolve({ status, out, err });
    });
  });
  return { child, ended };
}
export const run = (args: string[] = [], key?: string, rows?: string) => start(args, key, rows).ended;
export const applied = (...more: string[]) => ["--apply", "--base-url", base, "--rate", "1000", ...more];

/** The result of each row in `--json`. */
export function rowsOf(
  out: string,
): { line: number; outcome: string; postbackId?: number; error?: { code: string } }[] {
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
