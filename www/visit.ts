/** The messages between the shop's pages and the demo about a visit, across frames and tabs. */
import type { Consent, ConvertResult, Tracker } from "cake-edge/page";

/** The state of one visit. */
export interface Visit {
  readonly page: "landing" | "thanks";
  readonly address: string;
  readonly clickId: string | undefined;
  readonly consent: Consent;
  readonly engine: Tracker["engine"];
  /** The places where the click id is stored. */
  readonly stores: readonly ("cookie" | "localStorage")[];
  /** The expiry, in milliseconds since 1970, where the browser tells it. */
  readonly until: number | undefined;
  readonly order?: Order;
}

/** The result of an order's conversion. */
export interface Order {
  readonly uniqueId: string;
  readonly offerId: number;
  /** Undefined until there is an answer. */
  readonly state: ConvertResult["state"] | undefined;
  /** The forwarder's id of the conversion. */
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

/** Sends a visit to all listeners. */
export function tellVisit(visit: Visit): void {
  tell({ visit });
}

/** Listens to visits; the returned function stops listening. */
export function watchVisits(see: (visit: Visit) => void): () => void {
  return watch((message) => "visit" in message && see(message.visit));
}

/** Answers the shop's consent question in the visitor's place. */
export function tellConsent(consent: Consent): void {
  tell({ consent });
}

/** Listens to consent answers; the returned function stops listening. */
export function watchConsent(see: (consent: Consent) => void): () => void {
  return watch((message) => "consent" in message && see(message.consent));
}

/** The possible consent answers, and their words for people. */
export const CONSENTS: readonly (readonly [Consent, string])[] = [
  ["granted", "allowed"],
  ["pending", "not asked yet"],
  ["denied", "refused"],
];

/** The expiry of the stored click id, in words. */
export function untilWords({ stores, until }: Visit): string {
  if (stores.length === 0) return "–";
  if (until === undefined) return "30 days after the click";
  return new Date(until).toLocaleDateString("en", { dateStyle: "long" });
}

/** The places of the click id, in words. */
export function storesWords({ stores, clickId }: Visit): string {
  if (stores.length > 0) return stores.join(" and ");
  return clickId === undefined ? "nothing" : "this page's memory alone";
}
