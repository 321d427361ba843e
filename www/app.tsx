/** The demo: four steps that really happen, side by side with a visitor's browser. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { BuildStep, type Built, build, FIRST_PARTS } from "./build.js";
import { ClickStep, Visitor } from "./click.js";
import { ConvertStep, CROWD, type Purchase, placeOf, postbackWords } from "./convert.js";
import { letCrowdBuy } from "./crowd.js";
import { useAccepted } from "./forwarder.js";
import { History } from "./history.js";
import { Journey, type Station } from "./journey.js";
import { KeepStep } from "./keep.js";
import { HOME, type Network, useNetwork } from "./network.js";
import { type Order, type Visit, watchVisits } from "./visit.js";

/** Older orders are forgotten, before the rows that tell of them are. */
const MOST_ORDERS = 250;

interface AppProps {
  /** Where links lead: the sandbox's origin, or the domain that it plays. */
  readonly domain: string;
  /** Settles when somebody answers for the network. */
  readonly ready: Promise<unknown>;
}

export function App({ domain, ready }: AppProps) {
  const network = useNetwork(ready);
  const [parts, setParts] = useState(FIRST_PARTS);
  const built = useMemo(() => build(parts, domain), [parts, domain]);
  const [visit, setVisit] = useState<Visit>();
  const [landing, setLanding] = useState<string>();
  const [orders, setOrders] = useState<readonly Order[]>([]);
  const [address, setAddress] = useState<string>();
  const frame = useRef<HTMLIFrameElement>(null);

  const note = useCallback((fresh: readonly Order[]) => {
    setOrders((old) => {
      const all = new Map([...old, ...fresh].map((order) => [order.uniqueId, order]));
      return [...all.values()].slice(-MOST_ORDERS);
    });
  }, []);
  useEffect(
    () =>
      watchVisits((seen) => {
        setVisit(seen);
        if (seen.page === "landing") setLanding(seen.address);
        if (seen.order !== undefined) note([seen.order]);
      }),
    [note],
  );

  const accepted = useAccepted(orders.flatMap(({ id }) => (id === undefined ? [] : [id])));
  const purchases = useMemo(() => purchasesOf(orders, accepted, network), [orders, accepted, network.state]);
  const click = network.state?.clicks.find(({ click_id }) => click_id === visit?.clickId);
  // On a static host the link's name is played by a service worker in this folder.
  // Before somebody answers for the network it would lead nowhere.
  const href =
    built.link === undefined || network.state === undefined
      ? undefined
      : new URL(`./${new URL(built.link).search}`, HOME).href;
  const creative = network.state?.fixture.creatives.find(({ creative_id }) => creative_id === Number(parts.creativeId));

  const look = () => {
    const seen = frame.current?.contentWindow?.location;
    if (seen !== undefined && seen.href !== "about:blank") setAddress(seen.host + seen.pathname + seen.search);
  };
  return (
    <>
      <header class="top">
        <p class="name">cake-edge</p>
        <nav aria-label="More">
          <a href="__sandbox/">The network, live</a>
          <a href="#history-title">The past</a>
        </nav>
      </header>
      <main>
        <div class="intro">
          <h1>See a click turn into money</h1>
          <p>
            An affiliate sends a visitor, the visitor buys, the affiliate is paid. Each step below really happens: a
            CAKE sandbox network, a forwarder that keeps the API key, and a shop.
          </p>
        </div>
        {network.trouble !== undefined && (
          <p class="finding bad" role="alert">
            {network.trouble}
          </p>
        )}
        <Journey stations={stationsOf(built, visit, click?.click_date, purchases, orders)} />
        <div class="steps">
          <BuildStep parts={parts} built={built} names={network.state?.fixture} onChange={setParts} />
          <ClickStep href={href} landing={landing} click={click} onClick={() => reveal(frame.current)} />
          <Visitor frame={frame} address={address} onLoad={look} />
          <KeepStep visit={visit} />
          <ConvertStep
            purchases={purchases}
            network={network}
            canSend={href !== undefined && creative !== undefined}
            onCrowd={() => letCrowdBuy(CROWD, href ?? "", creative?.offer_id ?? 0, note)}
          />
        </div>
        <History ready={ready} version={network.version} affiliates={network.state?.fixture.affiliates ?? []} />
      </main>
      <footer>
        <p>cake-edge is an independent project, not affiliated with CAKE.</p>
      </footer>
    </>
  );
}

/** On a phone the visitor's browser is further down. */
function reveal(frame: HTMLIFrameElement | null): void {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  frame?.closest("section")?.scrollIntoView({ block: "nearest", behavior: isCalm ? "auto" : "smooth" });
}

/** Orders, newest first, with all that is known of each. */
function purchasesOf(
  orders: readonly Order[],
  accepted: ReturnType<typeof useAccepted>,
  { state }: Network,
): readonly Purchase[] {
  return orders
    .map(({ uniqueId, id, state: answer, code }) => {
      const conversions = state?.conversions.filter(({ unique_id }) => unique_id === uniqueId) ?? [];
      return {
        uniqueId,
        answer: code ?? answer,
        accepted: id === undefined ? undefined : (accepted.get(id) ?? { id, state: "pending" as const, attempts: 0 }),
        conversions,
        postback: state?.postbacks.find(({ conversion_id }) => conversion_id === conversions[0]?.conversion_id),
      };
    })
    .reverse();
}

/** The journey of the latest visit. */
function stationsOf(
  { link, problem }: Built,
  visit: Visit | undefined,
  clickDate: string | undefined,
  purchases: readonly Purchase[],
  orders: readonly Order[],
): readonly Station[] {
  const { clickId } = visit ?? {};
  const order = orders.find((one) => one.uniqueId === visit?.order?.uniqueId);
  const purchase = purchases.find(({ uniqueId }) => uniqueId === order?.uniqueId);
  const conversion = purchase?.conversions[0];
  const place = purchase && placeOf(purchase);
  const isRefused = order?.state === "refused";
  return [
    {
      lane: "Affiliate",
      title: "Link",
      detail: link === undefined ? (problem ?? "") : new URL(link).search.slice(1, 40),
      progress: link === undefined ? "trouble" : "done",
    },
    {
      lane: "CAKE",
      title: "Click",
      detail: clickId === undefined ? "logged, gets a click id" : `${shortId(clickId)}, ${clickDate?.slice(11) ?? ""}`,
      progress: clickId === undefined ? "waiting" : "done",
    },
    {
      lane: "Shop",
      title: "Kept",
      detail: visit === undefined ? "by the landing page" : visit.stores.join(", ") || "in memory only",
      progress: clickId === undefined ? "waiting" : "done",
    },
    {
      lane: "Shop",
      title: "Order",
      detail: order === undefined ? "the visitor buys" : order.uniqueId,
      progress: order === undefined ? "waiting" : isRefused ? "trouble" : "done",
    },
    {
      lane: "Forwarder",
      title: "Accepted",
      detail: place === undefined ? (order?.code ?? "kept until delivered") : forwarderWords(purchase),
      progress: isRefused
        ? "trouble"
        : place === undefined
          ? order?.state === undefined
            ? "waiting"
            : "done"
          : place === "delivered"
            ? "done"
            : place === "refused" || place === "dead"
              ? "trouble"
              : "under way",
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
      detail: purchase?.postback === undefined ? "the postback fires" : `postback ${postbackWords(purchase.postback)}`,
      progress:
        purchase?.postback === undefined
          ? "waiting"
          : purchase.postback.state === "delivered"
            ? "done"
            : purchase.postback.state === "due"
              ? "under way"
              : "trouble",
    },
  ];
}

function forwarderWords(purchase: Purchase | undefined): string {
  const place = purchase && placeOf(purchase);
  const tries = purchase?.accepted?.attempts ?? 0;
  return `${place}${tries > 1 ? `, ${tries} attempts` : ""}`;
}

function shortId(clickId: string): string {
  return clickId.length > 13 ? `${clickId.slice(0, 8)}…` : clickId;
}
