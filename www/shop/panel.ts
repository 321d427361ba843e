/**
 * The demo's panel below the shop's pages: the stored click id, where, until when; a switch for consent. It also
 * informs the demo.
 */
import type { Consent, Tracker } from "cake-edge/page";
import { CONSENTS, type Order, storesWords, tellVisit, untilWords, type Visit, watchConsent } from "../visit.js";
import { consent as first, keepConsent } from "./consent.js";

/** The name of the cookie and of the item in localStorage. */
const NAME = "cake_click";

interface PanelParts {
  readonly page: Visit["page"];
  readonly tracker: Tracker;
  /** The result of the order so far, and the words for it. */
  readonly order?: () => { readonly order: Order; readonly words: string };
}

/** Opens the panel; the returned function redraws it. */
export function openPanel({ page, tracker, order }: PanelParts): () => Promise<void> {
  let consent = first;
  const panel = document.createElement("aside");
  panel.setAttribute("aria-labelledby", "panel-title");
  const title = document.createElement("h2");
  title.id = "panel-title";
  title.textContent = "Behind this page";
  const list = document.createElement("dl");
  list.setAttribute("aria-live", "polite");
  const choice = consentChoice(consent, (said) => answer(said));
  const strict = document.createElement("p");
  panel.append(title, list, choice, strict);
  document.body.append(panel);

  const draw = async () => {
    await tracker.ready;
    const { order: placed, words } = order?.() ?? {};
    const visit: Visit = {
      page,
      address: location.pathname + location.search,
      clickId: tracker.clickId,
      consent,
      engine: tracker.engine,
      stores: stores(),
      until: await expiry(),
      ...(placed === undefined ? {} : { order: placed }),
    };
    list.replaceChildren(
      ...(words === undefined ? [] : [row("Conversion", words)]),
      row("Click id", visit.clickId ?? "none: no click led here"),
      row("Stored in", storesWords(visit)),
      row("Until", untilWords(visit)),
      row("Engine", visit.engine === "wasm" ? "WebAssembly" : "JavaScript: the policy lets no WebAssembly run"),
    );
    strict.replaceChildren(...policyLink(page));
    tellVisit(visit);
  };
  const answer = (said: Consent) => {
    consent = said;
    keepConsent(said);
    tracker.setConsent(said);
    for (const input of choice.querySelectorAll("input")) input.checked = input.value === said;
    void draw();
  };
  watchConsent(answer);
  return draw;
}

/** The places where the click id is stored, as the browser shows them. */
function stores(): Visit["stores"] {
  const found: ("cookie" | "localStorage")[] = [];
  if (document.cookie.split("; ").some((cookie) => cookie.startsWith(`${NAME}=`))) found.push("cookie");
  if (localStorage.getItem(NAME)) found.push("localStorage");
  return found;
}

/** The time at which the cookie expires, where the browser tells it. */
async function expiry(): Promise<number | undefined> {
  const { cookieStore } = window as {
    cookieStore?: { get(name: string): Promise<{ expires?: number | null } | null> };
  };
  return (await cookieStore?.get(NAME))?.expires ?? undefined;
}

function row(name: string, value: string): HTMLElement {
  const element = document.createElement("div");
  const term = document.createElement("dt");
  term.textContent = name;
  const detail = document.createElement("dd");
  detail.textContent = value;
  element.append(term, detail);
  return element;
}

function consentChoice(consent: Consent, onAnswer: (said: Consent) => void): HTMLFieldSetElement {
  const choice = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = "Remembering the click is";
  choice.append(legend);
  for (const [value, words] of CONSENTS) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "consent";
    input.value = value;
    input.checked = value === consent;
    input.addEventListener("change", () => onAnswer(value));
    label.append(input, words);
    choice.append(label);
  }
  return choice;
}

/** The landing page again, with and without a policy that forbids WebAssembly. */
function policyLink(page: Visit["page"]): Node[] {
  if (page !== "landing") return [];
  const url = new URL(location.href);
  const isStrict = url.searchParams.get("csp") === "strict";
  if (isStrict) url.searchParams.delete("csp");
  else url.searchParams.set("csp", "strict");
  const link = document.createElement("a");
  link.href = url.href;
  link.textContent = isStrict
    ? "The same page without a policy"
    : "The same page under a strict Content-Security-Policy";
  return [link];
}
