/** What the shop's pages tell the demo of a visit, and what the demo asks of them, across frames and tabs. */
import type { Consent, ConvertResult, Tracker } from "cake-edge/page";

/** The state of one visit. */
export interface Visit {
  readonly page: "landing" | "thanks";
  readonly address: string;
  readonly clickId: string | undefined;
  readonly consent: Consent;
  readonly engine: Tracker["engine"];
  /** Where the click id is stored. */
  readonly stores: readonly ("cookie" | "localStorage")[];
  /** Until when, in milliseconds since 1970, where the browser tells. */
  readonly until: number | undefined;
  readonly order?: Order;
}

/** What came of an order's conversion. */
export interface Order {
  readonly uniqueId: string;
  readonly offerId: number;
  /** Undefined while nothing has come back. */
  readonly state: ConvertResult["state"] | undefined;
  /** The forwarder's id of it. */
  readonly id?: string | undefined;
  readonly code?: string | undefined;
}

type Message = { readonly visit: Visit } | { readonly consent: Consent };

const CHANNEL = "cake-edge-demo";

function tell(message: Message): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(message);
  channel.close();
}

function watch(see: (message: Message) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => see(data as Message);
  return () => channel.close();
}

/** Tells whoever watches. */
export function tellVisit(visit: Visit): void {
  tell({ visit });
}

/** Listens to visits; the answer ends it. */
export function watchVisits(see: (visit: Visit) => void): () => void {
  return watch((message) => "visit" in message && see(message.visit));
}

/** Answers the shop's question for consent in the visitor's place. */
export function tellConsent(consent: Consent): void {
  tell({ consent });
}

/** Listens to such answers; the answer ends it. */
export function watchConsent(see: (consent: Consent) => void): () => void {
  return watch((message) => "consent" in message && see(message.consent));
}

/** The answers to choose from, and how a person says them. */
export const CONSENTS: readonly (readonly [Consent, string])[] = [
  ["granted", "allowed"],
  ["pending", "not asked yet"],
  ["denied", "refused"],
];

/** When the stored click id goes, in words. */
export function untilWords({ stores, until }: Visit): string {
  if (stores.length === 0) return "–";
  if (until === undefined) return "30 days after the click";
  return new Date(until).toLocaleDateString("en", { dateStyle: "long" });
}

/** Where the click id is, in words. */
export function storesWords({ stores, clickId }: Visit): string {
  if (stores.length > 0) return stores.join(" and ");
  return clickId === undefined ? "nothing" : "this page's memory alone";
}
