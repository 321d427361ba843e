/** The operator's page: one HTML text, without scripts and without external files. */
import { escapeHtml } from "../html.js";
import type { Tallies } from "./incoming.js";
import type { ListedEvent, Totals, WaitReason } from "./report.js";
import type { Hold } from "./shard.js";

const HOUR_MS = 3_600_000;
const OUTCOMES = ["delivered", "retried", "paused", "refused", "dead"] as const;
const STATES = ["failed", "refused", "dead", "pending", "cancelled", "delivered"] as const;

const WAITS: Readonly<Record<WaitReason, string>> = {
  first_attempt: "waits for its first attempt",
  conversion: "waits for its conversion, or for an earlier correction",
  next_attempt: "waits for its next attempt",
  outcome: "waits to learn what became of an attempt",
  key_refused: "waits until CAKE takes the API key, and lets the account and this address in",
  wrong_address: "waits until there is something at CAKE's address",
  outage: "waits while CAKE fails",
  limited: "waits for as long as CAKE asks",
  slow: "waits for others of its offer, for which CAKE takes long",
};

const HOLDS: Readonly<Record<Hold["reason"], string>> = {
  key_refused:
    "CAKE, or a firewall in front of it, refuses the API key, the account or this address. The events' messages say which. No attempts are used up meanwhile.",
  wrong_address: "Every event meets 404: the address of CAKE is probably wrong. No attempts are used up meanwhile.",
  outage: "CAKE fails, so it is left alone for a while.",
  limited: "CAKE limits, so it is left alone for a while.",
  slow: "CAKE takes long for some offers alone. Their events wait for each other, and those of other offers go on.",
};

/** The page of a signed-in operator: `asked` is the filter of the listed events, `next` the start of the next page. */
export function statusPage(
  path: string,
  totals: Totals,
  asked: URLSearchParams,
  listed: readonly ListedEvent[],
  next: string | null,
): string {
  const home = escapeHtml(path);
  const { counts, oldestMs, hours, inDoubt, corrections, holds, webhooks, postbacks } = totals;
  const tiles = Object.entries(counts).map(([state, count]) => tile(state, String(count), state));
  if (inDoubt > 0) tiles.push(tile("doubt", String(inDoubt), "not delivered, but in doubt"));
  const failed = corrections.refused + corrections.dead;
  if (sum(corrections) > 0) {
    const words = `of ${sum(corrections)} corrections wait${failed > 0 ? `, ${failed} failed` : ""}`;
    tiles.push(tile("corrections", String(corrections.pending), words));
  }
  tiles.push(tile("oldest", oldestMs === null ? "–" : duration(oldestMs), "oldest waiting"));
  const alerts = [...new Map(holds.map((hold) => [hold.reason, hold])).values()].map(
    ({ reason, until }) =>
      `<p role="alert">${HOLDS[reason]}${until === null ? "" : ` Asked again at ${civil(until)}.`}</p>`,
  );
  const link = (more: Readonly<Record<string, string>>) =>
    escapeHtml(`?${new URLSearchParams({ ...Object.fromEntries(asked), ...more })}`);
  const filter = [...asked].filter(([name]) => name !== "from" && name !== "limit");
  const state = asked.get("state") ?? "";
  const canReplay = state !== "pending" && state !== "delivered";
  return page(
    "Forwarder",
    `<header><h1>Forwarder</h1><a href="${home}">Refresh</a>${form(home, "logout", [], "Sign out")}</header>
${alerts.join("")}<div class="tiles">${tiles.join("")}</div>
<h2>Outcomes of the last day</h2>
${plot(hours)}
${tallies("Webhooks of shops, the last day", webhooks)}${tallies("Postbacks, the last day", postbacks)}
<h2 id="events">Events</h2>
${filterForm(home, asked)}
${listed.length === 0 ? "<p>There are none.</p>" : table(home, listed)}
<div class="actions">${next === null || listed.length === 0 ? "" : `<a href="${link({ from: next })}">Older</a>`}
${canReplay && listed.length > 0 ? form(home, "replay", filter, "Replay all of these") : ""}
${form(home, "replay", [["state", "dead"]], "Replay all dead")} ${form(home, "replay", [["state", "refused"]], "Replay all refused")}
<a href="${home}/export.csv${escapeHtml(`?${new URLSearchParams(filter)}`)}">These as CSV</a></div>`,
  );
}

/** The page for signing in. */
export function signInPage(home: string, problem: string): string {
  return page(
    "Sign in",
    `<h1>Forwarder</h1><form method="post" action="${escapeHtml(home)}/login"><label>Operator's secret <input type="password" name="secret" autocomplete="current-password" required autofocus></label> <button>Sign in</button></form><p role="alert">${problem}</p>`,
  );
}

function tile(name: string, value: string, words: string): string {
  return `<div class="tile ${name}"><b>${value}</b> ${words}</div>`;
}

function plot(hours: Totals["hours"]): string {
  if (hours.length === 0) return "<p>None yet.</p>";
  const most = Math.max(1, ...hours.map((hour) => sum(hour.counts)));
  const bars = hours.map(({ hour, counts: of }) => {
    const time = `${new Date(hour * HOUR_MS).toISOString().slice(11, 13)}:00`;
    const parts = OUTCOMES.filter((outcome) => of[outcome]).map(
      (outcome) => `<i class="${outcome}" style="width:${(((of[outcome] ?? 0) / most) * 100).toFixed(2)}%"></i>`,
    );
    const words = OUTCOMES.filter((outcome) => of[outcome]).map((outcome) => `${of[outcome]} ${outcome}`);
    return `<tr><th scope="row">${time}</th><td class="bar">${parts.join("")}</td><td>${words.join(", ")}</td></tr>`;
  });
  return `<table class="plot"><thead><tr><th scope="col">UTC</th><th scope="col">attempts</th><th scope="col">of these</th></tr></thead><tbody>${bars.join("")}</tbody></table>`;
}

/** The webhooks or postbacks that came in; empty without any. */
function tallies(title: string, of: Tallies): string {
  const rows = Object.entries(of).map(([name, outcomes]) => {
    const words = Object.entries(outcomes).map(([outcome, count]) => `${count} ${escapeHtml(outcome)}`);
    return `<tr><th scope="row">${escapeHtml(name)}</th><td>${words.join(", ")}</td></tr>`;
  });
  return rows.length === 0 ? "" : `<h2>${title}</h2><table><tbody>${rows.join("")}</tbody></table>`;
}

function filterForm(home: string, asked: URLSearchParams): string {
  const value = (name: string) => escapeHtml(asked.get(name) ?? "");
  const option = (word: string, current: string | null, text = word) =>
    `<option value="${word}"${word === current ? " selected" : ""}>${text}</option>`;
  const states = STATES.map((state) =>
    option(state, asked.get("state"), state === "failed" ? "refused or dead" : state),
  );
  const doubts = [
    option("", asked.get("isInDoubt"), "either"),
    option("true", asked.get("isInDoubt"), "yes"),
    option("false", asked.get("isInDoubt"), "no"),
  ];
  const kinds = [
    option("", asked.get("kind"), "both"),
    option("conversion", asked.get("kind"), "conversions"),
    option("correction", asked.get("kind"), "corrections"),
  ];
  return `<form class="filter" method="get" action="${home}"><label>State <select name="state">${states.join("")}</select></label>
<label>Kind <select name="kind">${kinds.join("")}</select></label>
<label>Offer <input name="offerId" inputmode="numeric" size="8" value="${value("offerId")}"></label>
<label>Code <input name="code" size="14" value="${value("code")}"></label>
<label>In doubt <select name="isInDoubt">${doubts.join("")}</select></label>
<label>Accepted since, UTC <input name="since" size="17" placeholder="2026-06-19T14:30" value="${value("since")}"></label>
<label>until <input name="until" size="17" placeholder="2026-06-20" value="${value("until")}"></label> <button>Show</button></form>`;
}

function table(home: string, events: readonly ListedEvent[]): string {
  const head = ["State", "Kind", "Offer", "Of", "Attempts", "Why", "Accepted, UTC", "Do"];
  const rows = events.map((event) => {
    const { id, kind, state, isInDoubt, attempts, acceptedAt } = event;
    const fields = event[kind] ?? {};
    const own = fields["correctionId"] === undefined ? "" : `${String(fields["correctionId"])}: `;
    const of = fields["uniqueId"] ?? `conversion ${String(fields["conversionId"])}`;
    const cells = [
      `${state}${isInDoubt && state !== "delivered" ? " <b>in doubt</b>" : ""}`,
      kind,
      escapeHtml(String(fields["offerId"])),
      escapeHtml(own + String(of)),
      String(attempts),
      why(event),
      civil(acceptedAt),
      actionsOf(home, id, state),
    ];
    return `<tr>${cells.map((cell, index) => `<td data-name="${head[index] ?? ""}">${cell}</td>`).join("")}</tr>`;
  });
  const names = head.map((name) => `<th scope="col">${name}</th>`);
  return `<table class="events"><thead><tr>${names.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function why({ code, upstreamMessage, cancelReason, waitsFor, nextAt }: ListedEvent): string {
  const parts = [
    code === "" ? "" : `<code>${escapeHtml(code)}</code>`,
    escapeHtml(cancelReason ?? upstreamMessage),
    waitsFor === null ? "" : `${WAITS[waitsFor]}${nextAt === null ? "" : `, ${civil(nextAt)}`}`,
  ];
  return parts.filter((part) => part !== "").join("<br>");
}

function actionsOf(home: string, id: string, state: ListedEvent["state"]): string {
  if (state === "delivered") return "";
  const replay = state === "pending" ? "" : form(home, "replay", [["id", id]], "Replay");
  if (state === "cancelled") return replay;
  return `${replay} <details><summary>Cancel</summary><form method="post" action="${home}/cancel"><input type="hidden" name="id" value="${id}"><label>Reason <input name="reason" size="14" maxlength="200" required></label> <button>Cancel it</button></form></details>`;
}

function form(home: string, action: string, fields: readonly (readonly [string, string])[], text: string): string {
  const inputs = fields.map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  return `<form method="post" action="${home}/${action}">${inputs.join("")}<button>${text}</button></form>`;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>${title}</title>
<style>:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--delivered:#2e8b57;--retried:#c98a00;--paused:#8a63d2;--refused:#d1495b;--dead:#7a1f2b}
body{max-width:64rem;margin:2rem auto;padding:0 1rem}header{display:flex;flex-wrap:wrap;gap:1rem;align-items:center}header h1{margin-right:auto}form{display:inline}
[role=alert]:not(:empty){border-left:.3rem solid var(--refused);padding:.3rem .8rem}
.tiles{display:flex;flex-wrap:wrap;gap:.75rem}.tile{border:1px solid #8886;border-radius:.5rem;padding:.5rem 1rem;min-width:6rem}.tile b{display:block;font-size:1.6rem;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:.2rem .6rem .2rem 0;vertical-align:top}.events td{overflow-wrap:anywhere}tbody tr{border-top:1px solid #8883}
.plot th{width:4rem}.bar{width:55%}.bar i{display:inline-block;height:.9rem;vertical-align:middle}i.delivered{background:var(--delivered)}i.retried{background:var(--retried)}i.paused{background:var(--paused)}i.refused{background:var(--refused)}i.dead{background:var(--dead)}
a{color:inherit}button,input,select{font:inherit;padding:.25rem .7rem;max-width:100%;box-sizing:border-box}.actions,.filter{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end}.actions{margin-top:1rem}details{display:inline-block}
@media(max-width:45rem){.events thead{display:none}.events tr,.events td{display:block}.events tr{padding:.6rem 0}.events td::before{content:attr(data-name) ": ";font-weight:600}.bar{width:35%}}</style></head>
<body><main>${body}</main></body></html>`;
}

/** A time in readable form: UTC, to the second. */
function civil(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}
