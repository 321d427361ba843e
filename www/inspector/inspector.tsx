/** The inspector: paste a text to see how cake-edge reads it. Nothing leaves the page. */
import { useEffect, useState } from "preact/hooks";
import { Copy } from "../code.js";
import { type Finding, type Kept, KINDS, type Kind, kindOf, type Report } from "./report.js";

/** One example of each kind, each with a finding. */
const EXAMPLES: Readonly<Record<Kind, string>> = {
  link: "https://track.yournetwork.com/?a=67890&amp;c=12&amp;s1=spring_sale&s2={clickid}",
  landing: "https://shop.example.com/offer?utm_source=mail&reqid=a1b2c3d4-e5f6-7890-abcd-ef1234567890&s1=spring",
  postback: "https://tracking.partner.com/postback?click_id={clickid}&payout=%23price%23&status=#status#",
  answer:
    '{"request_status":"Success","response":{"clicks":[{"click_id":"a1b2c3d4-e5f6","click_date":"2026-01-15 09:42:11","offer_id":12345,"affiliate_id":67890,"sub_id_1":"spring","converted":true,"conversion_id":998877}],"total_rows":1}}',
  cookie: "Set-Cookie: __Host-cake_click=x; Path=/; Domain=shop.example.com; Max-Age=2592000; SameSite=Lax; HttpOnly",
};

export function Inspector() {
  const [text, setText] = useState("");
  const [chosen, choose] = useState<Kind | "">("");
  const report = useReport(text, chosen);
  return (
    <>
      <header class="top">
        <p class="name">cake-edge</p>
        <nav aria-label="More">
          <a href="../">The demo</a>
        </nav>
      </header>
      <main>
        <div class="intro">
          <h1>What does it read?</h1>
          <p>
            Paste a tracking link, a landing page's URL, a postback URL, an answer of CAKE's or a Set-Cookie. The
            package reads it here, in your browser: nothing that you paste leaves this page.
          </p>
        </div>
        <div class="inspector">
          <section aria-label="Paste here" class="pasted">
            <label>
              <span>The text</span>
              <textarea
                id="text"
                rows={6}
                spellcheck={false}
                autocomplete="off"
                autocapitalize="off"
                value={text}
                onInput={({ currentTarget }) => setText(currentTarget.value)}
              />
            </label>
            <label>
              <span>Read it as</span>
              <select value={chosen} onChange={({ currentTarget }) => choose(currentTarget.value as Kind | "")}>
                <option value="">what it looks like{report && chosen === "" ? `: ${nameOf(report.kind)}` : ""}</option>
                {KINDS.map(([kind, name]) => (
                  <option key={kind} value={kind}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <p class="examples">
              <span class="soft">An example:</span>
              {KINDS.map(([kind, name]) => (
                <button
                  key={kind}
                  type="button"
                  class="quiet"
                  onClick={() => {
                    choose("");
                    setText(EXAMPLES[kind]);
                  }}
                >
                  {name}
                </button>
              ))}
            </p>
          </section>
          <section aria-label="What it says" class="said" aria-live="polite">
            {report === undefined ? <p class="soft">Nothing has been pasted yet.</p> : <Said report={report} />}
          </section>
        </div>
      </main>
    </>
  );
}

function nameOf(kind: Kind): string {
  return KINDS.find(([known]) => known === kind)?.[1] ?? kind;
}

/** Reads the text whenever it changes. The package loads after the page is shown. */
function useReport(text: string, chosen: Kind | ""): Report | undefined {
  const [report, setReport] = useState<Report>();
  useEffect(() => {
    let isLatest = true;
    const read = async (): Promise<Report | undefined> => {
      if (text.trim() === "") return undefined;
      const kind = chosen || kindOf(text);
      if (kind === "answer") return (await import("./answer.js")).readAnswer(text);
      if (kind === "cookie") return (await import("./cookie.js")).readCookie(text);
      const { readLanding, readLink, readPostback } = await import("./links.js");
      return { link: readLink, landing: readLanding, postback: readPostback }[kind](text);
    };
    void read().then((fresh) => isLatest && setReport(fresh));
    return () => {
      isLatest = false;
    };
  }, [text, chosen]);
  return report;
}

function Said({ report }: { readonly report: Report }) {
  const { kind, verdict, isGood, facts, findings, mended, kept } = report;
  return (
    <>
      <p class="kind soft">{nameOf(kind)}</p>
      <h2 class={isGood ? "good" : "doubtful"}>
        <span aria-hidden="true">{isGood ? "✓ " : "! "}</span>
        {verdict}
      </h2>
      {findings.length > 0 && <Findings findings={findings} />}
      {mended !== undefined && (
        <div class="mended">
          <h3>Its normal form</h3>
          <p class="link">{mended}</p>
          <Copy text={mended} what="the normal form" />
        </div>
      )}
      {facts.length > 0 && (
        <dl class="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <code>{value}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {kept !== undefined && <HowLong kept={kept} />}
    </>
  );
}

function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <ul class="findings">
      {findings.map(({ code, parameter, sentence }) => (
        <li key={`${code} ${parameter}`}>
          <p>
            <code class="code-name">{code}</code>
            {parameter !== "" && <code class="about">{parameter}</code>}
          </p>
          <p>{sentence}</p>
        </li>
      ))}
    </ul>
  );
}

function HowLong({ kept }: { readonly kept: readonly Kept[] }) {
  return (
    <table>
      <caption>What would be kept, and for how long</caption>
      <thead>
        <tr>
          <th scope="col">Browser</th>
          <th scope="col">Written by a page</th>
          <th scope="col">Set by the server</th>
        </tr>
      </thead>
      <tbody>
        {kept.map(({ browser, page, edge }) => (
          <tr key={browser}>
            <th scope="row">{browser}</th>
            <td>{page}</td>
            <td>{edge}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
