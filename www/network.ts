/** The demo's view of its network: the latest rows, the faults, and its requests. */
import type { SandboxState } from "cake-edge/sandbox/memory";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export type ClickRow = SandboxState["clicks"][number];
export type ConversionRow = SandboxState["conversions"][number];
export type FiredPostback = SandboxState["postbacks"][number];

/** The folder of the demo: a static host may use any. */
export const HOME = new URL("./", document.baseURI);

/** The maximum number of rows of each kind: the number that the network sends at once. */
const MAX_ROWS = 1_000;

interface LiveEvent {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
  readonly postbacks: readonly FiredPostback[];
}

/** The present state of the network. */
export interface Network {
  readonly state: SandboxState | undefined;
  /** Grows with every event. */
  readonly version: number;
  /** Sends a request to `/__sandbox/`; throws on an error answer. */
  readonly ask: (method: string, route: string, body?: unknown) => Promise<void>;
  /** The reason why the network does not answer. */
  readonly trouble: string | undefined;
}

/** Follows the network once it is `ready`. */
export function useNetwork(ready: Promise<unknown>): Network {
  const [state, setState] = useState<SandboxState>();
  const [version, setVersion] = useState(0);
  const [trouble, setTrouble] = useState<string>();
  const alive = useRef(true);

  const load = useCallback(async () => {
    const response = await fetch(new URL(`__sandbox/state?limit=${MAX_ROWS}`, HOME));
    if (!response.ok || !alive.current) return;
    setState((await response.json()) as SandboxState);
    setVersion((old) => old + 1);
  }, []);

  useEffect(() => {
    let events: EventSource | undefined;
    alive.current = true;
    const follow = () => {
      if (!alive.current) return;
      events = new EventSource(new URL("__sandbox/events", HOME));
      // Also after a lost connection: the state has the missed events.
      events.onopen = () => void load();
      events.addEventListener("reload", () => void load());
      events.onmessage = ({ data }) => {
        const event = JSON.parse(String(data)) as LiveEvent;
        setState((old) => old && merged(old, event));
        setVersion((old) => old + 1);
      };
    };
    ready.then(follow, (thrown: unknown) => setTrouble(String(thrown)));
    return () => {
      alive.current = false;
      events?.close();
    };
  }, [ready, load]);

  const ask = useCallback(
    async (method: string, route: string, body?: unknown) => {
      const response = await fetch(new URL(`__sandbox/${route}`, HOME), {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      // Some answers are streams: the work ends when the stream ends.
      await response.text();
      if (!response.ok) throw new Error(`the network answered ${response.status}`);
      await load();
    },
    [load],
  );
  return { state, version, ask, trouble };
}

function merged(old: SandboxState, event: LiveEvent): SandboxState {
  return {
    ...old,
    clicks: newest(old.clicks, event.clicks, ({ number }) => number),
    conversions: newest(old.conversions, event.conversions, ({ conversion_id }) => conversion_id),
    postbacks: newest(old.postbacks, event.postbacks, ({ fired_id }) => fired_id),
  };
}

/** Merges rows by falling number: each number once, with the newest row. */
function newest<Row>(old: readonly Row[], fresh: readonly Row[], numberOf: (row: Row) => number): Row[] {
  const rows = new Map([...old, ...fresh].map((row) => [numberOf(row), row]));
  return [...rows.values()].sort((a, b) => numberOf(b) - numberOf(a)).slice(0, MAX_ROWS);
}
