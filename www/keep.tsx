/** Step 3: the click id that the landing page has stored, where, and until when. */
import { Code } from "./code.js";
import { HOME } from "./network.js";
import * as nodeSample from "./samples/keep.node.ts?sample";
import * as workerSample from "./samples/keep.worker.ts?sample";
import * as shopSample from "./shop/shop.ts?sample";
import { Step } from "./step.js";
import { CONSENTS, storesWords, tellConsent, untilWords, type Visit } from "./visit.js";

interface KeepProps {
  readonly visit: Visit | undefined;
  /** The landing page's address. */
  readonly landing: string | undefined;
}

export function KeepStep({ visit, landing }: KeepProps) {
  return (
    <Step
      number={3}
      id="keep"
      title="Keep the click id"
      lead="The landing page reads its address once and remembers the click, so that a purchase weeks later still counts."
    >
      {visit === undefined ? (
        <p class="soft">Nobody has been to the shop yet.</p>
      ) : (
        <dl class="facts">
          <div>
            <dt>Click id</dt>
            <dd>{visit.clickId === undefined ? "none" : <code>{visit.clickId}</code>}</dd>
          </div>
          <div>
            <dt>Stored in</dt>
            <dd>{storesWords(visit)}</dd>
          </div>
          <div>
            <dt>Until</dt>
            <dd>{untilWords(visit)}</dd>
          </div>
          <div>
            <dt>Consent</dt>
            <dd>
              <fieldset class="choice">
                <legend class="hidden">Remembering the click is</legend>
                {CONSENTS.map(([consent, words]) => (
                  <label key={consent}>
                    <input
                      type="radio"
                      name="consent"
                      checked={visit.consent === consent}
                      onChange={() => tellConsent(consent)}
                    />
                    {words}
                  </label>
                ))}
              </fieldset>
              <small>Refused deletes everything at once; not asked yet keeps it in memory.</small>
            </dd>
          </div>
          <div>
            <dt>Engine</dt>
            <dd>
              {visit.engine === "wasm" ? "WebAssembly" : "JavaScript, the same core"}.{" "}
              {landing !== undefined && visit.engine === "wasm" && (
                <a href={strictly(landing)} target="visitor">
                  Under a policy without WebAssembly
                </a>
              )}
            </dd>
          </div>
        </dl>
      )}
      <Code
        title="Keeping the click id"
        samples={[
          { place: "Page", file: "www/shop/shop.ts", ...shopSample, ran: "This is the landing page's whole script." },
          { place: "Worker", file: "www/samples/keep.worker.ts", ...workerSample },
          { place: "Node", file: "www/samples/keep.node.ts", ...nodeSample },
        ]}
      />
    </Step>
  );
}

/** The landing page's address with a strict policy. */
function strictly(landing: string): string {
  const url = new URL(landing, HOME);
  url.searchParams.set("csp", "strict");
  return url.href;
}
