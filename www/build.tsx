/** Step 1: a form becomes a tracking link while the user types, with the lint's findings. */

import type { SandboxState } from "cake-edge/sandbox/memory";
import { useEffect, useState } from "preact/hooks";
import { Code, Copy } from "./code.js";
import * as nodeSample from "./samples/build.node.ts?sample";
import { trackingLink } from "./samples/build.page.js";
import * as pageSample from "./samples/build.page.ts?sample";
import * as workerSample from "./samples/build.worker.ts?sample";
import { Step } from "./step.js";

/** The fields of the form. */
export interface Parts {
  readonly affiliateId: string;
  readonly creativeId: string;
  readonly s1: string;
  readonly s2: string;
  readonly s3: string;
  readonly s4: string;
  readonly s5: string;
  readonly deepLink: string;
}

export const FIRST_PARTS: Parts = {
  affiliateId: "67890",
  creativeId: "12",
  s1: "spring_sale",
  s2: "",
  s3: "",
  s4: "",
  s5: "",
  deepLink: "",
};

type Asked = Parameters<typeof trackingLink>[0];

/** A link, or the reason why there is none. */
export interface Built {
  readonly link?: string | undefined;
  /** The short message of the page's build. */
  readonly problem?: string | undefined;
  readonly asked: Asked;
}

/** The allow-list of hosts for deep links in the demo. */
const DEEP_LINK_HOSTS = ["shop.example.com"];

/** Builds the link to the sandbox on this machine, or to the domain that the sandbox plays. */
export function build(parts: Parts, domain: string): Built {
  const { affiliateId, creativeId, ...texts } = parts;
  const asked = {
    domain,
    sandbox: domain.startsWith("http:"),
    affiliateId: Number(affiliateId),
    creativeId: Number(creativeId),
    deepLinkHosts: DEEP_LINK_HOSTS,
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value.trim() !== "")),
  };
  const { link, problem } = trackingLink(asked);
  return { link, problem: problem?.message, asked };
}

interface BuildProps {
  readonly parts: Parts;
  readonly built: Built;
  readonly names: SandboxState["fixture"] | undefined;
  readonly onChange: (parts: Parts) => void;
}

export function BuildStep({ parts, built, names, onChange }: BuildProps) {
  const [hasMore, setMore] = useState(false);
  const words = useWords(built);
  const set = (name: keyof Parts) => (event: { currentTarget: { value: string } }) =>
    onChange({ ...parts, [name]: event.currentTarget.value });
  const affiliate = names?.affiliates.find(({ affiliate_id }) => String(affiliate_id) === parts.affiliateId.trim());
  const creative = names?.creatives.find(({ creative_id }) => String(creative_id) === parts.creativeId.trim());
  return (
    <Step
      number={1}
      id="build"
      title="Build a tracking link"
      lead="An affiliate's link says who sent the visitor and from where."
    >
      <form class="fields" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>
            Affiliate id <code>a</code>
          </span>
          <input list="affiliates" inputMode="numeric" value={parts.affiliateId} onInput={set("affiliateId")} />
          <small>{nameOr(names, affiliate?.affiliate_name)}</small>
        </label>
        <label>
          <span>
            Creative id <code>c</code>
          </span>
          <input list="creatives" inputMode="numeric" value={parts.creativeId} onInput={set("creativeId")} />
          <small>{nameOr(names, creative?.creative_name)}</small>
        </label>
        <label>
          <span>
            Sub id <code>s1</code>
          </span>
          <input value={parts.s1} onInput={set("s1")} autocomplete="off" />
          <small>where the link stands</small>
        </label>
        {hasMore && (
          <>
            {(["s2", "s3", "s4", "s5"] as const).map((name) => (
              <label key={name}>
                <span>
                  Sub id <code>{name}</code>
                </span>
                <input value={parts[name]} onInput={set(name)} autocomplete="off" />
              </label>
            ))}
            <label class="wide">
              <span>
                Deep link <code>ckmrdr</code>
              </span>
              <input
                value={parts.deepLink}
                onInput={set("deepLink")}
                placeholder="https://shop.example.com/offers?x=1&y=2"
                autocomplete="off"
              />
              <small>
                Another landing page. Allowed here: {DEEP_LINK_HOSTS.join(", ")}. The sandbox stays with its own shop.
              </small>
            </label>
          </>
        )}
      </form>
      <datalist id="affiliates">
        {names?.affiliates.map(({ affiliate_id, affiliate_name }) => (
          <option key={affiliate_id} value={affiliate_id} label={affiliate_name} />
        ))}
      </datalist>
      <datalist id="creatives">
        {names?.creatives.map(({ creative_id, creative_name }) => (
          <option key={creative_id} value={creative_id} label={creative_name ?? ""} />
        ))}
      </datalist>
      <button type="button" class="quiet more" aria-expanded={hasMore} onClick={() => setMore(!hasMore)}>
        {hasMore ? "Fewer fields" : "s2 to s5, deep link"}
      </button>
      <div class="result">
        <output class="link" id="link">
          {built.link === undefined ? <span class="soft">no link</span> : <Link text={built.link} />}
        </output>
        {built.link !== undefined && <Copy text={built.link} what="the link" />}
      </div>
      <div aria-live="polite">
        {built.problem !== undefined && (
          <p class="finding bad" role="alert">
            {words?.sentence ?? built.problem}
          </p>
        )}
        {built.link !== undefined &&
          words?.findings.map(({ code, parameter, sentence }) => (
            <p key={code + parameter} class="finding">
              <code>{parameter}</code> {sentence}
            </p>
          ))}
        {built.link !== undefined && words?.findings.length === 0 && (
          <p class="finding good">Nothing looks wrong in it.</p>
        )}
      </div>
      <Code
        title="Building a link"
        samples={[
          { place: "Page", file: "www/samples/build.page.ts", ...pageSample, ran: "This file built the link above." },
          { place: "Worker", file: "www/samples/build.worker.ts", ...workerSample },
          { place: "Node", file: "www/samples/build.node.ts", ...nodeSample },
        ]}
      />
    </Step>
  );
}

/** A name, after the network has loaded its names. */
function nameOr(names: unknown, name: string | undefined): string {
  return name ?? (names === undefined ? "…" : "unknown to this network");
}

/** The link with its parameters marked. */
function Link({ text }: { readonly text: string }) {
  const [start = "", query = ""] = text.split(/\?(.*)/s);
  return (
    <>
      {start}?
      {query.split("&").map((pair, index) => {
        const [name, value = ""] = pair.split(/=(.*)/s);
        return (
          <span key={name}>
            {index > 0 && "&"}
            <b>{name}</b>={value}
            <wbr />
          </span>
        );
      })}
    </>
  );
}

type Finding = ReturnType<typeof import("cake-edge").lintTrackingLink>[number];

interface Words {
  readonly findings: readonly Finding[];
  /** The reason why there is no link, as a full sentence. */
  readonly sentence: string | undefined;
}

/**
 * The lint's findings, or an error as a full sentence. Each needs a larger module, which loads after the page is shown.
 */
function useWords({ link, asked }: Built): Words | undefined {
  const [words, setWords] = useState<Words>();
  useEffect(() => {
    let isOver = false;
    const find = async (): Promise<Words> => {
      if (link !== undefined) {
        const { lintTrackingLink } = await import("./edge-lint.js");
        return { findings: lintTrackingLink(link), sentence: undefined };
      }
      return { findings: [], sentence: await sentenceOf(asked) };
    };
    void find().then((found) => {
      if (!isOver) setWords(found);
    });
    return () => {
      isOver = true;
    };
  }, [link, asked]);
  return words;
}

/** Why there is no link. */
async function sentenceOf(asked: Built["asked"]): Promise<string | undefined> {
  const { createTrackingLink, isCakeError } = await import("cake-edge");
  try {
    createTrackingLink(asked);
    return undefined;
  } catch (thrown) {
    if (!isCakeError(thrown)) throw thrown;
    return thrown.message;
  }
}
