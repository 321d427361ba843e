/** Step 4: purchases on their way through the forwarder, the network and back to the affiliate. */
import { useState } from "preact/hooks";
import { Code } from "./code.js";
import { count } from "./figure.js";
import type { Accepted, ForwarderState } from "./forwarder.js";
import { Machine } from "./machine.js";
import type { ConversionRow, FiredPostback, Network } from "./network.js";
import * as nodeSample from "./samples/convert.node.ts?sample";
import * as workerSample from "./samples/convert.worker.ts?sample";
import { Scroll } from "./scroll.js";
import * as thanksSample from "./shop/thanks/thanks.ts?sample";
import { Step } from "./step.js";

/** A purchase, as far as it has come. */
export interface Purchase {
  readonly uniqueId: string;
  /** What came back when it was handed over; undefined while on its way. */
  readonly answer: string | undefined;
  readonly accepted: Accepted | undefined;
  readonly conversions: readonly ConversionRow[];
  readonly postback: FiredPostback | undefined;
}

/** 40 %, of the kinds that a network may really show. */
export const FAULTS = {
  actions: ["record_conversion"],
  share: 0.4,
  kinds: ["rate_limit", "server_error", "restricted", "html", "cut_off", "reset_before", "reset_after"],
  retry_after_s: 1,
} as const;

/** So many purchases at once. */
export const CROWD = 25;

interface ConvertProps {
  readonly purchases: readonly Purchase[];
  readonly network: Network;
  readonly canSend: boolean;
  /** Makes a crowd click and buy. */
  readonly onCrowd: () => Promise<void>;
}

export function ConvertStep({ purchases, network, canSend, onCrowd }: ConvertProps) {
  const [work, setWork] = useState<"idle" | "sending" | string>("idle");
  const isBroken = (network.state?.faults.length ?? 0) > 0;
  const send = async () => {
    setWork("sending");
    setWork(await onCrowd().then(() => "idle", String));
  };
  return (
    <Step
      number={4}
      id="convert"
      title="Convert"
      lead="Buy something in the shop. Its thank-you page hands the order to your forwarder, which keeps it until CAKE has it."
    >
      <div class="actions">
        <button type="button" class="button" disabled={!canSend || work === "sending"} onClick={send}>
          {work === "sending" ? "Buying …" : `Or let ${CROWD} visitors buy at once`}
        </button>
        <button
          type="button"
          role="switch"
          class="switch"
          aria-checked={isBroken}
          disabled={network.state === undefined}
          onClick={() => network.ask("PUT", "faults", isBroken ? [] : [FAULTS])}
        >
          40 % of CAKE's answers fail
        </button>
      </div>
      {work !== "idle" && work !== "sending" && (
        <p class="finding bad" role="alert">
          {work}
        </p>
      )}
      <div class="forwarder">
        <Machine counts={countsOf(purchases)} />
        <Verdict purchases={purchases} />
      </div>
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

/** The places of the forwarder's state machine. */
export type Place = "accepted" | "retrying" | Exclude<ForwarderState, "pending">;

export function placeOf({ accepted }: Purchase): Place | undefined {
  if (accepted === undefined) return undefined;
  if (accepted.state !== "pending") return accepted.state;
  return accepted.attempts > 0 ? "retrying" : "accepted";
}

function countsOf(purchases: readonly Purchase[]): ReadonlyMap<Place, number> {
  const counts = new Map<Place, number>();
  for (const purchase of purchases) {
    const place = placeOf(purchase);
    if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return counts;
}

/** Is anything lost, is anything counted twice? */
function Verdict({ purchases }: { readonly purchases: readonly Purchase[] }) {
  const given = purchases.filter(({ accepted }) => accepted !== undefined);
  const recorded = given.filter(({ conversions }) => conversions.length > 0);
  const twice = given.filter(({ conversions }) => conversions.length > 1);
  const kept = given.filter(({ accepted, conversions }) => conversions.length === 0 && accepted?.state !== "delivered");
  const lost = given.length - recorded.length - kept.length;
  const inDoubt = given.filter(
    ({ accepted, conversions }) => conversions.length > 0 && accepted?.state === "pending",
  ).length;
  const figures: readonly [string, number, string][] = [
    ["handed over", given.length, ""],
    ["recorded at CAKE", recorded.length, "money"],
    ["still in hand", kept.length, kept.length > 0 ? "wait" : ""],
    ["counted twice", twice.length, twice.length > 0 ? "bad" : ""],
    ["lost", Math.max(0, lost), lost > 0 ? "bad" : ""],
  ];
  return (
    <div class="verdict">
      <ul class="dots" aria-hidden="true">
        {purchases.map((purchase) => (
          <li key={purchase.uniqueId} class={placeOf(purchase) ?? "unsent"} title={purchase.uniqueId} />
        ))}
      </ul>
      <p class="hidden" role="status">
        {given.length > 0 && kept.length === 0 && `All ${given.length} orders are recorded at CAKE.`}
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
            const { uniqueId, answer, accepted, conversions, postback } = purchase;
            const conversion = conversions[0];
            return (
              <tr key={uniqueId}>
                <th scope="row">
                  <code>{uniqueId}</code>
                </th>
                <td>
                  {accepted === undefined ? (
                    (answer ?? "on its way")
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

export function postbackWords(postback: FiredPostback | undefined): string {
  if (postback === undefined) return "none";
  if (postback.state === "delivered") return `answered ${postback.status}`;
  if (postback.state === "due") return "on its way";
  return postback.state.replace("_", " ");
}
