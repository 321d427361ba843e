/** The functions with which tests use a forwarder, the same in a Node process and in workerd. */
import { expect, inject, onTestFinished } from "vitest";
import { type AccountSettings, FakeCake } from "../fake-cake/reply.ts";

export const SITE = "https://shop.example";
export const KEY = "CANARY-key-4c1d9e";
export const OPERATOR = "correct-horse-battery-staple-2026-06";
export const OFFER = 12_345;
const SECRET = `whsec_${btoa("secret of a backend, 32 bytes or more")}`;

/** The options of a forwarder that a test may set. */
export interface Wishes {
  readonly baseUrl?: string;
  readonly apiKey?: string;
  readonly pixelDomain?: string;
  readonly upstreamDedupe?: boolean;
  readonly clockSpeed?: number;
  readonly timeoutMs?: number;
  /** Stands in for the platform's `fetch`, where the host takes functions. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** All options of a forwarder that a kit needs. */
export type KitOptions = Wishes & {
  readonly apiKey: string;
  readonly operatorSecret: string;
  readonly signingSecrets: readonly string[];
  readonly origins: readonly string[];
};

/** One line of a forwarder's log. */
export interface Line {
  readonly id: string;
  readonly state: string;
  readonly code: string;
  readonly attempt: number;
  readonly alert?: true;
}

/** A running forwarder. */
export interface Running {
  fetch(request: Request): Promise<Response>;
  readonly lines: readonly Line[];
  /** Kills the forwarder at any moment, and starts it on its stored rows. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a forwarder on one host. */
export type Kit = (options: KitOptions) => Promise<Running>;

/** An event as the forwarder reports it. */
export interface Told {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly code?: string;
  readonly conversionId?: number;
  /** May CAKE have recorded the event in spite of its state? */
  readonly isInDoubt?: boolean;
}

export type Both = Awaited<ReturnType<ReturnType<typeof bothIn>>>;

/** Starts a fake CAKE and a forwarder in front of it, for one test. */
export function bothIn(kit: Kit) {
  return async (wishes: Wishes & { byPixel?: boolean } = {}, account: AccountSettings = {}) => {
    const { byPixel = false, ...options } = wishes;
    const cake = await FakeCake.open(inject("fakeCakes"), account);
    const way = byPixel ? { pixelDomain: cake.origin } : { baseUrl: cake.origin };
    const forwarder = await kit({
      ...way,
      apiKey: KEY,
      operatorSecret: OPERATOR,
      signingSecrets: [SECRET],
      origins: [SITE],
      clockSpeed: 1_000,
      timeoutMs: 1_500,
      ...options,
    });
    onTestFinished(async () => {
      await forwarder.stop();
      await cake.close();
    });

    const ask = (path: string, init: RequestInit = {}) => forwarder.fetch(new Request(`${SITE}/cake/${path}`, init));
    /** Sends an event as a backend does; returns its id. */
    const accept = async (event: object): Promise<string> => {
      const body = JSON.stringify(event);
      const headers = { "content-type": "application/json", ...(await signed(body)) };
      const answer = await ask("conversions", { method: "POST", headers, body });
      const text = await answer.text();
      expect([answer.status, text]).toEqual([202, expect.stringContaining('"id"')]);
      return (JSON.parse(text) as { id: string }).id;
    };
    const told = async (id: string) => (await (await ask(`conversions/${id}`)).json()) as Told;
    /** Waits until an event is finished. */
    const over = async (id: string, timeout = 8_000): Promise<Told> => {
      await expect.poll(async () => (await told(id)).state, { timeout, interval: 10 }).not.toMatch(/pending|paused/);
      return told(id);
    };
    const isAlert = (id: string) => forwarder.lines.some((line) => line.id === id && line.alert === true);
    const operator = (path: string, init: RequestInit = {}) =>
      ask(`operator/${path}`, { ...init, headers: { authorization: `Bearer ${OPERATOR}`, ...init.headers } });
    const sentOf = async (uniqueId: string) =>
      (await cake.seen()).filter((each) => each.uniqueId === uniqueId && /record|pixel/.test(each.asked)).length;
    return { cake, forwarder, ask, accept, told, over, isAlert, operator, sentOf };
  };
}

/** A new event. */
export const event = (more: object = {}) => ({
  clickId: crypto.randomUUID(),
  offerId: OFFER,
  uniqueId: `ORD-${crypto.randomUUID()}`,
  ...more,
});

/** Standard Webhooks with the platform's functions alone. */
async function signed(body: string): Promise<Record<string, string>> {
  const encoder = new TextEncoder();
  const id = `msg_${crypto.randomUUID()}`;
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const bytes = Uint8Array.from(atob(SECRET.slice(6)), (character) => character.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(`${id}.${timestamp}.${body}`));
  const text = btoa(String.fromCharCode(...new Uint8Array(signature)));
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${text}` };
}
