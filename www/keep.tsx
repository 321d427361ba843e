/** Step 3: what the landing page has kept, where, and until when. */
import { Code } from "./code.js";
import * as nodeSample from "./samples/keep.node.ts?sample";
import * as workerSample from "./samples/keep.worker.ts?sample";
import * as shopSample from "./shop/shop.ts?sample";
import { Step } from "./step.js";
import type { Visit } from "./visit.js";

const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });

export function KeepStep({ visit }: { readonly visit: Visit | undefined }) {
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
            <dd>{visit.clickId === undefined ? "none: no click led here" : <code>{visit.clickId}</code>}</dd>
          </div>
          <div>
            <dt>Stored in</dt>
            <dd>{visit.stores.length === 0 ? "nothing" : visit.stores.join(" and ")}</dd>
          </div>
          <div>
            <dt>Until</dt>
            <dd>{visit.until === undefined ? "–" : DAY.format(visit.until)}</dd>
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
