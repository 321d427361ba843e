/** The operator's page: one HTML text, without scripts and without anything from elsewhere. */
import type { ListedEvent, Totals } from "./report.js";

const HOUR_MS = 3_600_000;
const OUTCOMES = ["delivered", "retried", "paused", "refused", "dead"] as const;

/** The page of who has signed in. */
export function statusPage(home: string, { counts, oldestMs, hours }: Totals, failed: readonly ListedEvent[]): string {
  const tiles = Object.entries(counts).map(
    ([state, count]) => `<div class="tile ${state}"><b>${count}</b> ${state}</div>`,
  );
  const most = Math.max(1, ...hours.map((hour) => sum(hour.counts)));
  const bars = hours.map(({ hour, counts: of }) => {
    const time = `${new Date(hour * HOUR_MS).toISOString().slice(11, 13)}:00`;
    const parts = OUTCOMES.filter((outcome) => of[outcome]).map(
      (outcome) => `<i class="${outcome}" style="width:${(((of[outcome] ?? 0) / most) * 100).toFixed(2)}%"></i>`,
    );
    const words = OUTCOMES.filter((outcome) => of[outcome]).map((outcome) => `${of[outcome]} ${outcome}`);
    return `<tr><th scope="row">${time}<td class="bar">${parts.join("")}<td>${words.join(", ")}`;
  });
  const rows = failed.map(
    ({ id, state, attempts, code, upstreamMessage, acceptedAt, conversion }) =>
      `<tr><td>${state}<td>${escaped(String(conversion["offerId"]))}<td class="long">${escaped(String(conversion["uniqueId"]))}<td>${attempts}<td class="long">${escaped(code)}<br><small>${escaped(upstreamMessage)}</small><td>${acceptedAt.slice(0, 19).replace("T", " ")}<td>${button(home, "id", id, "Replay")}`,
  );
  return page(
    "Forwarder",
    `<header><h1>Forwarder</h1><a href="${home}">Refresh</a><form method="post" action="${home}/logout"><button>Sign out</button></form></header>
<div class="tiles">${tiles.join("")}<div class="tile"><b>${oldestMs === null ? "–" : duration(oldestMs)}</b> oldest waiting</div></div>
<h2>Outcomes of the last day</h2>
${bars.length === 0 ? "<p>None yet.</p>" : `<table class="plot"><thead><tr><th scope="col">UTC<th scope="col">attempts<th scope="col">of these<tbody>${bars.join("")}</table>`}
<h2>Not delivered</h2>
${rows.length === 0 ? "<p>Nothing was refused, and nothing is dead.</p>" : `<table><thead><tr><th>State<th>Offer<th>Unique id<th>Attempts<th>Why<th>Accepted, UTC<th>Once more<tbody>${rows.join("")}</table>`}
<p class="actions">${button(home, "state", "dead", "Replay all dead")} ${button(home, "state", "refused", "Replay all refused")}
<a href="${home}/export.csv?state=dead">Dead as CSV</a> <a href="${home}/export.csv?state=refused">Refused as CSV</a></p>`,
  );
}

/** The page of who has not. */
export function signInPage(home: string, problem: string): string {
  return page(
    "Sign in",
    `<h1>Forwarder</h1><form method="post" action="${home}/login"><label>Operator's secret <input type="password" name="secret" autocomplete="current-password" required autofocus></label> <button>Sign in</button></form><p role="alert">${problem}</p>`,
  );
}

function button(home: string, name: string, value: string, text: string): string {
  return `<form method="post" action="${home}/replay"><button name="${name}" value="${value}">${text}</button></form>`;
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>${title}</title>
<style>:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;--delivered:#2e8b57;--retried:#c98a00;--paused:#8a63d2;--refused:#d1495b;--dead:#7a1f2b}
body{max-width:64rem;margin:2rem auto;padding:0 1rem}header{display:flex;gap:1rem;align-items:center}header h1{margin-right:auto}form{display:inline}
.tiles{display:flex;flex-wrap:wrap;gap:.75rem}.tile{border:1px solid #8886;border-radius:.5rem;padding:.5rem 1rem;min-width:6rem}.tile b{display:block;font-size:1.6rem;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:.2rem .6rem .2rem 0;vertical-align:top}.long{overflow-wrap:anywhere}tbody tr{border-top:1px solid #8883}
.plot th{width:4rem}.bar{width:55%}.bar i{display:inline-block;height:.9rem;vertical-align:middle}i.delivered{background:var(--delivered)}i.retried{background:var(--retried)}i.paused{background:var(--paused)}i.refused{background:var(--refused)}i.dead{background:var(--dead)}
a{color:inherit}button,input{font:inherit;padding:.25rem .7rem}.actions{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}</style>
<main>${body}</main></html>`;
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

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
