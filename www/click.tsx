/** Step 2: the user clicks the link, and the visitor's browser shows the landing page. */
import type { RefObject } from "preact";
import { Code } from "./code.js";
import type { ClickRow } from "./network.js";
import * as nodeSample from "./samples/click.node.ts?sample";
import * as workerSample from "./samples/click.worker.ts?sample";
import { Step } from "./step.js";

interface ClickProps {
  /** The link as text; undefined where there is none. */
  readonly link: string | undefined;
  /** The link's target, once it can be clicked. */
  readonly href: string | undefined;
  /** The address of the landing page. */
  readonly landing: string | undefined;
  readonly click: ClickRow | undefined;
  readonly onClick: () => void;
}

export function ClickStep({ link, href, landing, click, onClick }: ClickProps) {
  const anchor = `<a href="${(link ?? "").replaceAll("&", "&amp;")}" target="visitor">Click the link</a>`;
  return (
    <Step
      number={2}
      id="click"
      title="Click it"
      lead="The network logs the click, makes a click id and redirects to the advertiser's shop."
    >
      <p class="actions">
        <a
          class="button"
          href={href}
          target="visitor"
          aria-disabled={href === undefined ? "true" : undefined}
          onClick={onClick}
        >
          Click the link
        </a>
        {href !== undefined && (
          <a href={href} target="_blank" rel="noopener">
            in a tab of its own
          </a>
        )}
      </p>
      {landing !== undefined && (
        <ol class="trace" aria-label="What the browser did">
          <li>
            <span class="status">302</span>
            <span>
              tracking link, click{" "}
              {click === undefined ? "…" : `no. ${click.number.toLocaleString("en")} at ${click.click_date.slice(11)}`}
            </span>
          </li>
          <li>
            <span class="status good">200</span>
            <code>{landing}</code>
          </li>
        </ol>
      )}
      <Code
        title="Clicking"
        samples={[
          {
            place: "Page",
            text: anchor,
            ran: "This is the button above: a plain link. No script runs, nothing waits.",
          },
          { place: "Worker", file: "www/samples/click.worker.ts", ...workerSample },
          { place: "Node", file: "www/samples/click.node.ts", ...nodeSample },
        ]}
      />
    </Step>
  );
}

interface VisitorProps {
  readonly frame: RefObject<HTMLIFrameElement | null>;
  readonly address: string | undefined;
  readonly onLoad: () => void;
}

/** The visitor's browser. */
export function Visitor({ frame, address, onLoad }: VisitorProps) {
  return (
    <section class="visitor" aria-labelledby="visitor-title">
      <h2 id="visitor-title">The visitor's browser</h2>
      <div class="window">
        <p class="address" title={address}>
          {address ?? <span class="soft">nothing open</span>}
        </p>
        <div class="screen">
          <iframe ref={frame} name="visitor" title="The page that the visitor sees" onLoad={onLoad} />
          {address === undefined && <p class="empty">Click the link of step 2, and the shop opens here.</p>}
        </div>
      </div>
    </section>
  );
}
