/** The journey of the latest click, station by station, from the known data. */
import type { Built } from "./build.js";
import type { Progress, Station } from "./journey.js";
import type { ClickRow, FiredPostback } from "./network.js";
import { type Place, type Purchase, placeOf, postbackWords } from "./purchase.js";
import type { Order, Visit } from "./visit.js";

/** The known data of the latest click. */
export interface Seen {
  readonly built: Built;
  readonly visit: Visit | undefined;
  readonly clickId: string | undefined;
  readonly click: ClickRow | undefined;
  readonly purchases: readonly Purchase[];
}

export function stationsOf({ built, visit, clickId, click, purchases }: Seen): readonly Station[] {
  const purchase = purchases.find(({ order }) => order.uniqueId === visit?.order?.uniqueId);
  const { order, postback } = purchase ?? {};
  const [conversion] = purchase?.conversions ?? [];
  const place = purchase && placeOf(purchase);
  return [
    {
      lane: "Affiliate",
      title: "Link",
      detail: built.link === undefined ? (built.problem ?? "") : shortened(new URL(built.link).search.slice(1), 34),
      progress: built.link === undefined ? "trouble" : "done",
    },
    {
      lane: "CAKE",
      title: "Click",
      detail:
        clickId === undefined
          ? "logged, gets a click id"
          : `${shortened(clickId, 8)}, ${click?.click_date.slice(11) ?? ""}`,
      progress: clickId === undefined ? "waiting" : "done",
    },
    { lane: "Shop", title: "Kept", ...kept(visit) },
    {
      lane: "Shop",
      title: "Order",
      detail: order?.uniqueId ?? "the visitor buys",
      progress: order === undefined ? "waiting" : order.state === "refused" ? "trouble" : "done",
    },
    {
      lane: "Forwarder",
      title: "Accepted",
      detail: forwarderWords(order, place, purchase?.accepted?.attempts ?? 0),
      progress: forwarderProgress(order, place),
    },
    {
      lane: "CAKE",
      title: "Conversion",
      detail:
        conversion === undefined
          ? "recorded once, payout applied"
          : `${conversion.conversion_id}, ${conversion.conversion_status}, ${conversion.payout}`,
      progress: conversion === undefined ? "waiting" : "done",
    },
    {
      lane: "Affiliate",
      title: "Paid",
      detail: postback === undefined ? "the postback fires" : `postback ${postbackWords(postback)}`,
      progress: postbackProgress(postback),
    },
  ];
}

function kept(visit: Visit | undefined): { readonly detail: string; readonly progress: Progress } {
  if (visit === undefined) return { detail: "by the landing page", progress: "waiting" };
  const { clickId, consent, stores } = visit;
  if (clickId === undefined) {
    return { detail: consent === "denied" ? "refused: all deleted" : "no click id", progress: "trouble" };
  }
  if (stores.length === 0) return { detail: "in memory alone", progress: "under way" };
  return { detail: stores.join(", "), progress: "done" };
}

function forwarderWords(order: Order | undefined, place: Place | undefined, attempts: number): string {
  if (place === undefined) return order?.code ?? "kept until delivered";
  return attempts > 1 ? `${place}, ${attempts} attempts` : place;
}

function forwarderProgress(order: Order | undefined, place: Place | undefined): Progress {
  if (order?.state === "refused" || place === "refused" || place === "dead") return "trouble";
  if (place === "delivered") return "done";
  return order?.state === undefined ? "waiting" : "under way";
}

function postbackProgress(postback: FiredPostback | undefined): Progress {
  if (postback === undefined) return "waiting";
  if (postback.state === "delivered") return "done";
  return postback.state === "due" ? "under way" : "trouble";
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
