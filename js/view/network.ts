/** The view's state of its network, and its requests. */
import { useCallback, useEffect, useState } from "preact/hooks";
import type { ClickRow, ConversionRow, FiredPostback, SandboxState, Totals } from "../sandbox/rows.js";

/** The filter of the view; an empty field matches everything. */
export interface Filter {
  readonly affiliate: string;
  readonly offer: string;
  readonly status: string;
  readonly text: string;
}

export const NO_FILTER: Filter = { affiliate: "", offer: "", status: "", text: "" };

/** The maximum number of rows of each kind. */
const MAX_ROWS = 100;

interface LiveEvent {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
  readonly postbacks: readonly FiredPostback[];
  readonly totals: Totals;
}

/** The present state of the network, kept up to date. */
export interface LiveNetwork {
  readonly state: SandboxState | undefined;
  readonly isLive: boolean;
  /** The result of the last request, as a sentence. */
  readonly notice: string;
  /** Sends a request and sets the notice to its result. */
  readonly ask: (method: string, route: string, body: unknown, success: string) => Promise<void>;
}

export function useNetwork(filter: Filter): LiveNetwork {
  const [state, setState] = useState<SandboxState>();
  const [isLive, setLive] = useState(false);
  const [notice, setNotice] = useState("");

  const load = useCallback(async () => {
    const query = new URLSearchParams({ limit: String(MAX_ROWS) });
    if (filter.affiliate) query.set("affiliate_id", filter.affiliate);
    if (filter.offer) query.set("offer_id", filter.offer);
    if (filter.status) query.set("status", filter.status);
    if (filter.text) query.set("text", filter.text);
    try {
      const response = await fetch(`state?${query}`);
      if (response.ok) setState((await response.json()) as SandboxState);
      else setNotice(`The network answered ${response.status}: open this page with its token.`);
    } catch {
      setLive(false);
    }
  }, [filter]);

  useEffect(() => {
    void load();
    const events = new EventSource("events");
    events.onopen = () => setLive(true);
    events.onerror = () => setLive(false);
    events.onmessage = ({ data }) => {
      const event = JSON.parse(String(data)) as LiveEvent;
      setState((old) => old && merged(old, event, filter));
    };
    events.addEventListener("reload", () => void load());
    return () => events.close();
  }, [load, filter]);

  const ask = useCallback(
    async (method: string, route: string, body: unknown, success: string) => {
      try {
        const init: RequestInit = { method };
        if (body !== undefined) init.body = JSON.stringify(body);
        const response = await fetch(route, init);
        const answer = (await response.json()) as { error?: { rule: string; parameter?: string } };
        const { error } = answer;
        setNotice(error ? `Not done: ${error.parameter ? `${error.parameter} ` : ""}${error.rule}.` : success);
        await load();
      } catch {
        setNotice("The network cannot be reached.");
      }
    },
    [load],
  );
  return { state, isLive, notice, ask };
}

function merged(old: SandboxState, event: LiveEvent, filter: Filter): SandboxState {
  const holds = (...values: (string | number | null)[]) =>
    values.some((value) =>
      String(value ?? "")
        .toLowerCase()
        .includes(filter.text.toLowerCase()),
    );
  const isWhose = (row: { affiliate_id: number; offer_id: number }) =>
    (filter.affiliate === "" || Number(filter.affiliate) === row.affiliate_id) &&
    (filter.offer === "" || Number(filter.offer) === row.offer_id);
  const isSought = (row: ConversionRow) =>
    isWhose(row) &&
    (filter.status === "" || filter.status === row.conversion_status) &&
    holds(row.click_id, row.unique_id, row.conversion_id);
  const converted = new Map(event.conversions.map((row) => [row.click_id, row.conversion_id]));
  const clicks = newest(
    old.clicks,
    event.clicks.filter((row) => isWhose(row) && holds(row.click_id, row.sub_id_1)),
    ({ number }) => number,
  ).map((row) => ({ ...row, conversion_id: row.conversion_id ?? converted.get(row.click_id) ?? null }));
  const gone = new Set(event.conversions.filter((row) => !isSought(row)).map(({ conversion_id }) => conversion_id));
  const conversions = newest(
    old.conversions.filter(({ conversion_id }) => !gone.has(conversion_id)),
    event.conversions.filter(isSought),
    ({ conversion_id }) => conversion_id,
  );
  const shown = new Set(conversions.map(({ conversion_id }) => conversion_id));
  const isFiltered = filter !== NO_FILTER && Object.values(filter).some((value) => value !== "");
  const postbacks = newest(
    old.postbacks,
    event.postbacks.filter(({ conversion_id }) => !isFiltered || shown.has(conversion_id)),
    ({ fired_id }) => fired_id,
  );
  return { ...old, clicks, conversions, postbacks, totals: event.totals };
}

/** Merges rows by falling number: each number once, with the newest row. */
function newest<Row>(old: readonly Row[], fresh: readonly Row[], numberOf: (row: Row) => number): Row[] {
  const rows = new Map([...old, ...fresh].map((row) => [numberOf(row), row]));
  return [...rows.values()].sort((a, b) => numberOf(b) - numberOf(a)).slice(0, MAX_ROWS);
}
