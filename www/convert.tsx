/** Step 4: purchases go through the forwarder to the network, and postbacks go to the affiliate. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Code } from "./code.js";
import { count } from "./figure.js";
import { Machine } from "./machine.js";
import type { Network } from "./network.js";
import { type Place, type Purchase, placeOf, postbackWords } from "./purchase.js";
import * as nodeSample from "./samples/convert.node.ts?sample";
import * as workerSample from "./samples/convert.worker.ts?sample";
import { Scroll } from "./scroll.js";
import * as thanksSample from "./shop/thanks/thanks.ts?sample";
import { Step } from "./step.js";

/** A fault rate of 40 %, of the kinds that a real network can have. */
export const FAULTS = {
  actions: ["record_conversion"],
  share: 0.4,
  kinds: ["rate_limit", "server_error", "restricted", "html", "cut_off", "reset_before", "reset_after"],
  retry_after_s: 1,
} as const;

/** The number of purchases in a batch. */
export const BATCH = 25;

interface ConvertProps {
  readonly purchases: readonly Purchase[];
  readonly network: Network;
  readonly canSend: boolean;
  /** Makes a batch of visitors click and buy. */
  readonly onBatch: () => Promise<void>;
}

export function ConvertStep({ purchases, network, canSend, onBatch }: ConvertProps) {
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const isBroken = (network.state?.faults.length ?? 0) > 0;
  const attempt = (work: Promise<void>) =>
    work.then(
      () => setProblem(undefined),
      (thrown: unknown) => setProblem(String(thrown)),
    );
  const send = async () => {
    setSending(true);
    await attempt(onBatch());
    setSending(false);
  };
  return (
    <Step
      number={4}
      id="convert"
      title="Convert"
      lead="Buy something in the shop. Its thank-you page hands the order to your forwarder, which keeps it until CAKE has it."
    >
      <div class="actions">
        <button type="button" class="button" disabled={!canSend || isSending} onClick={send}>
          {isSending ? "Buying …" : `Or let ${BATCH} visitors buy at once`}
        </button>
        <button
          type="button"
          role="switch"
          class="switch"
          aria-checked={isBroken}
          disabled={network.state === undefined}
          onClick={() => attempt(network.ask("PUT", "faults", isBroken ? [] : [FAULTS]))}
        >
          40 % of CAKE's answers fail
        </button>
      </div>
      {problem !== undefined && (
        <p class="finding bad" role="alert">
          {problem}
        </p>
      )}
      <div class="forwarder">
        <Machine counts={countsOf(purchases)} />
        <Verdict purchases={purchases} />
      </div>
      <p class="hint">Its clock runs ten times as fast here: the first retries come after half a second and three.</p>
      <Recent purchases={purchases} />
      <Code
        title="Converting"
        samples={[
          {
            place: "Page",
            file: "www/shop/thanks/thanks.ts",
            ...thanksSample,
            ran: "This is the thank-you page's whole script.",
          },
          {
            place: "Worker",
            file: "www/samples/convert.worker.ts",
            ...workerSample,
            ...(__STATIC__
              ? {}
              : { ran: "This is the forwarder that runs here. workers/forwarder is ready to deploy." }),
          },
          { place: "Node", file: "www/samples/convert.node.ts", ...nodeSample },
        ]}
      />
    </Step>
  );
}

function countsOf(purchases: readonly Purchase[]): ReadonlyMap<Place, number> {
  const counts = new Map<Place, number>();
  for (const purchase of purchases) {
    const place = placeOf(purchase);
    if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return counts;
}

/** The maximum delay between the forwarder's answer and the network's rows. */
const ROWS_COME_MS = 3_000;

/** The number of delivered orders whose rows are missing for longer than that delay. */
function useLost(purchases: readonly Purchase[]): number {
  const [, lookAgain] = useState(0);
  const missingSince = useRef(new Map<string, number>());
  const missing = purchases
    .filter(({ accepted, conversions }) => accepted?.state === "delivered" && conversions.length === 0)
    .map(({ order }) => order.uniqueId);
  const now = Date.now();
  missingSince.current = new Map(missing.map((uniqueId) => [uniqueId, missingSince.current.get(uniqueId) ?? now]));
  const isMissing = missing.length > 0;
  useEffect(() => {
    if (!isMissing) return;
    const timer = setInterval(() => lookAgain((times) => times + 1), ROWS_COME_MS / 2);
    return () => clearInterval(timer);
  }, [isMissing]);
  return [...missingSince.current.values()].filter((since) => now - since > ROWS_COME_MS).length;
}

/** Shows whether any order is lost or counted twice. */
function Verdict({ purchases }: { readonly purchases: readonly Purchase[] }) {
  const given = purchases.filter(({ accepted }) => accepted !== undefined);
  const recorded = given.filter(({ conversions }) => conversions.length > 0).length;
  const twice = given.filter(({ conversions }) => conversions.length > 1).length;
  const lost = useLost(given);
  const inHand = given.length - recorded - lost;
  const inDoubt = given.filter(
    ({ accepted, conversions }) => conversions.length > 0 && accepted?.state === "pending",
  ).length;
  const figures: readonly [string, number, string][] = [
    ["handed over", given.length, ""],
    ["recorded at CAKE", recorded, "money"],
    ["still in hand", inHand, inHand > 0 ? "wait" : ""],
    ["counted twice", twice, twice > 0 ? "bad" : ""],
    ["lost", lost, lost > 0 ? "bad" : ""],
  ];
  return (
    <div class="verdict">
      <ul class="dots" aria-hidden="true">
        {purchases.map((purchase) => (
          <li key={purchase.order.uniqueId} class={placeOf(purchase) ?? "unsent"} title={purchase.order.uniqueId} />
        ))}
      </ul>
      <p class="hidden" role="status">
        {given.length > 0 && recorded === given.length && `All ${given.length} orders are recorded at CAKE.`}
      </p>
      <dl class="figures">
        {figures.map(([name, value, tone]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={tone}>{count(value)}</dd>
          </div>
        ))}
      </dl>
      {inDoubt > 0 && (
        <p class="aside">
          {inDoubt === 1 ? "One is" : `${inDoubt} are`} recorded although the answer was lost. The forwarder sends the
          same order number again, and CAKE counts it once.
        </p>
      )}
    </div>
  );
}

function Recent({ purchases }: { readonly purchases: readonly Purchase[] }) {
  if (purchases.length === 0) return <p class="soft">No order yet.</p>;
  return (
    <Scroll name="The latest orders" class="recent">
      <table>
        <thead>
          <tr>
            <th scope="col">Order</th>
            <th scope="col">Forwarder</th>
            <th scope="col">CAKE</th>
            <th scope="col" class="figure">
              Payout
            </th>
            <th scope="col">Postback</th>
          </tr>
        </thead>
        <tbody>
          {purchases.slice(0, 8).map((purchase) => {
            const { order, accepted, conversions, postback } = purchase;
            const conversion = conversions[0];
            return (
              <tr key={order.uniqueId}>
                <th scope="row">
                  <code>{order.uniqueId}</code>
                </th>
                <td>
                  {accepted === undefined ? (
                    (order.code ?? order.state ?? "on its way")
                  ) : (
                    <>
                      <span class={`state ${placeOf(purchase)}`}>{placeOf(purchase)}</span>{" "}
                      <span class="soft">{attempts(accepted.attempts)}</span>
                    </>
                  )}
                </td>
                <td>
                  {conversion === undefined ? (
                    <span class="soft">not yet</span>
                  ) : (
                    `${conversion.conversion_id} ${conversion.conversion_status}`
                  )}
                </td>
                <td class="figure">{conversion?.payout ?? ""}</td>
                <td>{postbackWords(postback)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function attempts(number: number): string {
  return number === 0 ? "" : number === 1 ? "1 attempt" : `${number} attempts`;
}
