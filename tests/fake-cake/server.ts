/**
 * A CAKE in plain Node that shares no code with the sandbox, so that sandbox and forwarder cannot make the same
 * mistake. It answers as the article says, or as a script says. It counts the recorded conversions, so that a test can
 * tell once, twice and lost apart.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { TestProject } from "vitest/node";
import type { AccountSettings, Asked, Recorded, Reply, Script, Seen } from "./reply.ts";

/** Vitest's global set-up: a hall in which every test opens its own CAKE. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cakes = new Set<RunningCake>();
  const hall = createServer(async (request, response) => {
    const settings = JSON.parse((await bodyOf(request)) || "{}") as AccountSettings;
    const cake = await startFakeCake(settings);
    cakes.add(cake);
    json(response, { origin: cake.origin });
  });
  project.provide("fakeCakes", await listen(hall));
  return async () => {
    await Promise.all([...cakes].map((cake) => cake.close()));
    await close(hall);
  };
}

/** A running fake CAKE. */
export interface RunningCake {
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts a fake CAKE on a free port. */
export async function startFakeCake(settings: AccountSettings = {}): Promise<RunningCake> {
  const account = new Account(settings);
  const server = createServer((request, response) => {
    request.on("error", () => {});
    response.on("error", () => {});
    void account.answer(request, response, () => close(server));
  });
  return { origin: await listen(server), close: () => close(server) };
}

interface Asking {
  readonly asked: Asked | "other";
  readonly clickId: string;
  readonly uniqueId: string;
  readonly offerId: number;
  readonly query: URLSearchParams;
  readonly url: string;
}

interface Write {
  readonly conversion: Recorded;
  readonly isDuplicate: boolean;
}

interface RunningScript extends Script {
  used: number;
}

const PATHS: Readonly<Record<string, Asked>> = {
  "/api/2/conversion.json": "record",
  "/api/2/click.json": "click",
  "/api/2/report/conversion.json": "report",
  "/p.ashx": "pixel",
};

class Account {
  readonly #settings: AccountSettings;
  readonly #recorded: Recorded[] = [];
  readonly #seen: Seen[] = [];
  #scripts: RunningScript[] = [];
  #lastId = 998_876;

  constructor(settings: AccountSettings) {
    this.#settings = settings;
  }

  async answer(request: IncomingMessage, response: ServerResponse, closeAll: () => Promise<void>): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://fake.invalid");
    if (pathname.startsWith("/__fake")) {
      await this.#control(request, response, pathname, closeAll);
      return;
    }
    const asking: Asking = {
      asked: PATHS[pathname] ?? "other",
      clickId: query.get("click_id") ?? query.get("r") ?? "",
      uniqueId: query.get("unique_id") ?? query.get("t") ?? "",
      offerId: Number(query.get("offer_id") ?? query.get("o") ?? 0),
      query,
      url: request.url ?? "/",
    };
    const { asked, clickId, uniqueId } = asking;
    this.#seen.push({ asked, path: pathname, clickId, uniqueId, atMs: Date.now(), apiKey: query.get("api_key") ?? "" });
    const reply = this.#reply(asking) ?? {};
    const isOdd = reply.status !== undefined || reply.body !== undefined || reply.wire !== undefined;
    const isWrite = asked === "record" || asked === "pixel";
    const record = isWrite && (reply.records ?? !isOdd) ? this.#record(asking) : undefined;
    const body = reply.body ?? (reply.status === undefined ? this.#well(asking, record) : "");
    if (reply.afterMs) await new Promise((resolve) => setTimeout(resolve, reply.afterMs));
    // workerd repeats a GET itself when a reused connection dies.
    response.shouldKeepAlive = false;
    send(response, reply, fill(body, asking, record?.conversion));
  }

  async #control(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    closeAll: () => Promise<void>,
  ): Promise<void> {
    switch (`${request.method} ${path}`) {
      case "POST /__fake/scripts":
        this.#scripts.unshift({ ...(JSON.parse(await bodyOf(request)) as Script), used: 0 });
        break;
      case "DELETE /__fake/scripts":
        this.#scripts = [];
        break;
      case "DELETE /__fake":
        response.once("close", () => void closeAll());
        break;
    }
    json(response, { recorded: this.#recorded, seen: this.#seen });
  }

  #reply(asking: Asking): Reply | undefined {
    for (const script of this.#scripts) {
      const { asked = ["record", "pixel"], uniqueIds, clickIds, replies, forever = false } = script;
      const isMeant =
        [asked].flat().includes(asking.asked as Asked) &&
        (uniqueIds?.includes(asking.uniqueId) ?? true) &&
        (clickIds?.includes(asking.clickId) ?? true);
      if (!isMeant || (script.used >= replies.length && !forever)) continue;
      return replies[Math.min(script.used++, replies.length - 1)];
    }
    return undefined;
  }

  /** Records the conversion, unless it is known and the offer deduplicates. */
  #record({ clickId, offerId, uniqueId, query }: Asking): Write {
    const known = this.#recorded.find((each) => each.uniqueId === uniqueId && each.offerId === offerId);
    if (known !== undefined && uniqueId !== "" && this.#settings.deduplicates !== false) {
      return { conversion: known, isDuplicate: true };
    }
    this.#lastId += 1;
    const conversion: Recorded = {
      conversionId: this.#lastId,
      clickId,
      offerId,
      uniqueId,
      conversionDate: query.get("conversion_date") ?? civil(Date.now()),
      payout: query.get("payout") ?? query.get("ap") ?? "18.00",
    };
    this.#recorded.push(conversion);
    return { conversion, isDuplicate: false };
  }

  #well(asking: Asking, record: Write | undefined): string {
    const { duplicateWords, none = 0, clickOffer = 12_345 } = this.#settings;
    const { conversion, isDuplicate = false } = record ?? {};
    switch (asking.asked) {
      case "record":
        if (isDuplicate && duplicateWords !== undefined) {
          return JSON.stringify({ success: false, message: duplicateWords });
        }
        return JSON.stringify({
          request_status: "Success",
          conversion: {
            conversion_id: conversion?.conversionId,
            click_id: asking.clickId,
            offer_id: asking.offerId,
            affiliate_id: 67_890,
            payout: 18.0,
            unique_id: asking.uniqueId,
            conversion_date: conversion?.conversionDate,
            conversion_status: "approved",
          },
        });
      case "click": {
        const first = this.#recorded.find((each) => each.clickId === asking.clickId);
        const click = {
          click_id: asking.clickId,
          click_date: "2026-06-19 14:30:00",
          offer_id: clickOffer,
          affiliate_id: 67_890,
          converted: first !== undefined,
          conversion_id: first?.conversionId ?? none,
        };
        return JSON.stringify({ request_status: "Success", response: { clicks: [click], total_rows: 1 } });
      }
      case "report":
        return this.#report(asking.query);
      case "pixel":
        return "SUCCESS";
      default:
        return "<html><title>404</title></html>";
    }
  }

  /** `start_date` is included, `end_date` is not; rows count from 1, and row 0 is the first too. */
  #report(query: URLSearchParams): string {
    const [start, end] = [query.get("start_date"), query.get("end_date")];
    if (!start || !end) return JSON.stringify({ success: false, message: "start_date and end_date are required" });
    const offer = Number(query.get("offer_id") ?? 0);
    const day = (text: string) => (text.length <= 10 ? `${text} 00:00:00` : text.replace("T", " "));
    const matching = this.#recorded.filter(
      ({ conversionDate, offerId }) =>
        conversionDate >= day(start) && conversionDate < day(end) && (offer === 0 || offerId === offer),
    );
    const first = Math.max(1, Number(query.get("start_at_row") ?? 1)) - 1;
    const limit = Math.min(10_000, Number(query.get("row_limit") ?? 100) || 100);
    const conversions = matching.slice(first, first + limit).map((each) => ({
      conversion_id: each.conversionId,
      conversion_date: each.conversionDate,
      offer_id: each.offerId,
      affiliate_id: 67_890,
      payout: 18.0,
      revenue: 22.0,
      conversion_status: "approved",
      unique_id: each.uniqueId,
    }));
    return JSON.stringify({
      request_status: "Success",
      response: { data: { conversions }, total_rows: matching.length },
    });
  }
}

function fill(body: string, { clickId, uniqueId, offerId, query, url }: Asking, conversion?: Recorded): string {
  return body
    .replaceAll("#conversion_id#", String(conversion?.conversionId ?? 0))
    .replaceAll("#click_id#", clickId)
    .replaceAll("#offer_id#", String(offerId))
    .replaceAll("#unique_id#", uniqueId)
    .replaceAll("#api_key#", query.get("api_key") ?? "")
    .replaceAll("#url#", url);
}

function send(response: ServerResponse, reply: Reply, text: string): void {
  const { status = 200, type = "application/json", wire = "whole", mark = false, encoding = "utf8" } = reply;
  const bytes = Buffer.from((mark ? "\ufeff" : "") + text, encoding);
  const headers = { "content-type": type, ...reply.headers };
  switch (wire) {
    case "whole":
      response.writeHead(status, { ...headers, "content-length": bytes.length }).end(bytes);
      return;
    case "chunked": {
      response.writeHead(status, headers);
      // The cuts may fall anywhere, even inside a character.
      for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
      response.end();
      return;
    }
    case "gzip": {
      const packed = gzipSync(bytes);
      response
        .writeHead(status, { ...headers, "content-encoding": "gzip", "content-length": packed.length })
        .end(packed);
      return;
    }
    case "truncated":
      response.writeHead(status, { ...headers, "content-length": bytes.length + 100 });
      response.write(bytes);
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
      return;
    case "endless": {
      response.writeHead(status, headers);
      response.write(bytes);
      const more = Buffer.alloc(65_536, " ");
      const pour = () => {
        while (!response.destroyed && response.write(more));
        if (!response.destroyed) response.once("drain", pour);
      };
      pour();
      return;
    }
    case "stalls":
      response.writeHead(status, headers);
      response.write(bytes.subarray(0, bytes.length / 2));
      return;
    case "silent":
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "garbage":
      response.socket?.end("\0\x01 this is no HTTP\r\n\r\n");
      return;
    case "switches":
      response.socket?.write(SWITCHES);
      return;
    case "switches and closes":
      response.socket?.end(SWITCHES);
  }
}

const SWITCHES = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";

function civil(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
