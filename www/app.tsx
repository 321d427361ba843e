/** The demo: four real steps, with a visitor's browser beside them. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { runBatch } from "./batch.js";
import { BuildStep, build, FIRST_PARTS } from "./build.js";
import { ClickStep, Visitor } from "./click.js";
import { BATCH, ConvertStep } from "./convert.js";
import { useAccepted } from "./forwarder.js";
import { History } from "./history.js";
import { Journey } from "./journey.js";
import { KeepStep } from "./keep.js";
import { HOME, useNetwork } from "./network.js";
import { purchasesOf } from "./purchase.js";
import { Reconcile } from "./reconcile.js";
import { stationsOf } from "./stations.js";
import { type Order, type Visit, watchVisits } from "./visit.js";

/** The demo drops old orders before the server drops the rows of these orders. */
const MAX_ORDERS = 250;

interface AppProps {
  /** The domain of the links: the sandbox's origin, or the domain that the sandbox plays. */
  readonly domain: string;
  /** Resolves when the network can answer. */
  readonly ready: Promise<unknown>;
}

export function App({ domain, ready }: AppProps) {
  const network = useNetwork(ready);
  const [parts, setParts] = useState(FIRST_PARTS);
  const built = useMemo(() => build(parts, domain), [parts, domain]);
  const [visit, setVisit] = useState<Visit>();
  const [landing, setLanding] = useState<string>();
  /** The id of the latest click, even if the shop may not store it. */
  const [clickId, setClickId] = useState<string>();
  const [orders, setOrders] = useState<readonly Order[]>([]);
  const [address, setAddress] = useState<string>();
  const frame = useRef<HTMLIFrameElement>(null);

  const note = useCallback((fresh: readonly Order[]) => {
    setOrders((old) => {
      const all = new Map([...old, ...fresh].map((order) => [order.uniqueId, order]));
      return [...all.values()].slice(-MAX_ORDERS);
    });
  }, []);
  useEffect(
    () =>
      watchVisits((seen) => {
        setVisit(seen);
        setClickId((old) => seen.clickId ?? new URLSearchParams(seen.address.split("?")[1]).get("reqid") ?? old);
        if (seen.page === "landing") setLanding(seen.address);
        if (seen.order !== undefined) note([seen.order]);
      }),
    [note],
  );

  const accepted = useAccepted(orders.flatMap(({ id }) => (id === undefined ? [] : [id])));
  const purchases = useMemo(() => purchasesOf(orders, accepted, network.state), [orders, accepted, network.state]);
  const click = network.state?.clicks.find(({ click_id }) => click_id === clickId);
  // On a static host, a service worker in this folder plays the link's domain.
  const here = built.link === undefined ? undefined : new URL(`./${new URL(built.link).search}`, HOME).href;
  // Until the network can answer, the link would lead nowhere.
  const href = network.state === undefined ? undefined : here;
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
          <a href="__sandbox/">Live view</a>
          <a href="inspector/">Inspector</a>
          {!__STATIC__ && <a href="cake/operator">Operator</a>}
          <a href="#history-title">Past</a>
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
        <Journey stations={stationsOf({ built, visit, clickId, click, purchases })} />
        <div class="steps">
          <BuildStep parts={parts} built={built} names={network.state?.fixture} onChange={setParts} />
          <ClickStep link={here} href={href} landing={landing} click={click} onClick={() => reveal(frame.current)} />
          <Visitor frame={frame} address={address} onLoad={look} />
          <KeepStep visit={visit} landing={landing} />
          <ConvertStep
            purchases={purchases}
            network={network}
            canSend={href !== undefined && creative !== undefined}
            onBatch={() => runBatch(BATCH, href ?? "", creative?.offer_id ?? 0, note)}
          />
        </div>
        <History ready={ready} version={network.version} affiliates={network.state?.fixture.affiliates ?? []} />
        <Reconcile ready={ready} />
      </main>
      <footer>
        <p>cake-edge is an independent project, not affiliated with CAKE.</p>
      </footer>
    </>
  );
}

/** On a phone, scrolls down to the visitor's browser. */
function reveal(frame: HTMLIFrameElement | null): void {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  frame?.closest("section")?.scrollIntoView({ block: "nearest", behavior: isCalm ? "auto" : "smooth" });
}
