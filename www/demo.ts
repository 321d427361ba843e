import { createTracker } from "cake-edge/page";

interface NetworkState {
  readonly clicks: readonly { click_date: string; click_id: string; sub_id_1: string | null }[];
  readonly conversions: readonly { conversion_id: number; conversion_status: string; payout: string }[];
  readonly postbacks: readonly { conversion_id: number; status: number | null; answered_ms: number | null }[];
}

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
let problem = "";
const tracker = createTracker({
  onError: ({ message }) => {
    problem = message;
  },
});
const form = element<HTMLFormElement>("parts");

function showLink(): void {
  const field = (name: string) => String(new FormData(form).get(name) ?? "").trim();
  const go = element<HTMLAnchorElement>("go");
  problem = "";
  const link = tracker.link({
    domain: location.origin,
    sandbox: true,
    affiliateId: Number(field("affiliateId")),
    creativeId: Number(field("creativeId")),
    s1: field("s1") || undefined,
    s2: field("s2") || undefined,
  });
  element("link").textContent = link ?? "";
  if (link === undefined) go.removeAttribute("href");
  else go.href = link;
  element("problem").textContent = problem;
  go.setAttribute("aria-disabled", String(problem !== ""));
}

function row(...cells: (string | number)[]): HTMLTableRowElement {
  const tr = document.createElement("tr");
  for (const cell of cells) tr.insertCell().textContent = String(cell);
  return tr;
}

async function showNetwork(): Promise<void> {
  const response = await fetch("/__sandbox/state");
  const state = (await response.json()) as NetworkState;
  element("clicks").replaceChildren(
    ...state.clicks.map((click) => row(click.click_date, click.click_id, click.sub_id_1 ?? "")),
  );
  element("conversions").replaceChildren(
    ...state.conversions.map((conversion) => {
      const postback = state.postbacks.find((fired) => fired.conversion_id === conversion.conversion_id);
      const answer = postback?.answered_ms === null ? "on its way" : `answered ${postback?.status ?? "nothing"}`;
      const fired = postback ? `fired, ${answer}` : "none";
      return row(conversion.conversion_id, conversion.conversion_status, conversion.payout, fired);
    }),
  );
}

form.addEventListener("input", showLink);
form.addEventListener("submit", (event) => event.preventDefault());
showLink();
await showNetwork();
setInterval(showNetwork, 2_000);
