/** The demo's panel below the shop's pages: what is kept, where, until when. Also tells the demo. */
import { type Order, tellVisit, type Visit } from "../visit.js";

const NAME = "cake_click";
const KEPT_MS = 30 * 86_400_000;

type Row = readonly [name: string, value: string];

/** Where the click id is stored, as the browser itself sees it. */
function stores(): Visit["stores"] {
  const found: ("cookie" | "localStorage")[] = [];
  if (document.cookie.split("; ").some((cookie) => cookie.startsWith(`${NAME}=`))) found.push("cookie");
  if (localStorage.getItem(NAME) !== null) found.push("localStorage");
  return found;
}

/** What is stored, as rows. */
export function kept(): readonly Row[] {
  const places = stores();
  return [
    ["Stored in", places.length === 0 ? "nothing" : places.join(" and ")],
    ["Until", places.length === 0 ? "–" : until().toLocaleDateString("en", { dateStyle: "long" })],
  ];
}

function until(): Date {
  return new Date(Date.now() + KEPT_MS);
}

/** Shows the rows and tells the demo of the visit. */
export function showPanel(
  page: Visit["page"],
  clickId: string | undefined,
  order: Order | undefined,
  rows: readonly Row[],
): void {
  let panel = document.querySelector("aside");
  if (panel === null) {
    panel = document.createElement("aside");
    panel.setAttribute("aria-labelledby", "panel-title");
    panel.setAttribute("role", "complementary");
    document.body.append(panel);
  }
  const title = document.createElement("h2");
  title.id = "panel-title";
  title.textContent = "Behind this page";
  const list = document.createElement("dl");
  list.setAttribute("aria-live", "polite");
  for (const [name, value] of rows) {
    const row = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = name;
    const detail = document.createElement("dd");
    detail.textContent = value;
    row.append(term, detail);
    list.append(row);
  }
  panel.replaceChildren(title, list);
  const places = stores();
  tellVisit({
    page,
    address: location.pathname + location.search,
    clickId,
    stores: places,
    until: places.length === 0 ? undefined : until().getTime(),
    ...(order === undefined ? {} : { order }),
  });
}
