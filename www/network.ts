/** What the demo knows of its network: the rows as they come, the faults, and how to ask for something. */
import type { SandboxState } from "cake-edge/sandbox/memory";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export type ClickRow = SandboxState["clicks"][number];
export type ConversionRow = SandboxState["conversions"][number];
export type FiredPostback = SandboxState["postbacks"][number];

/** The folder that the demo is served from: a static host may have any. */
export const HOME = new URL("./", document.baseURI);

/** The newest rows that are kept, of each kind: as many as the network tells at once. */
const MAX_ROWS = 1_000;

interface LiveEvent {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
  readonly postbacks: readonly FiredPostback[];
}

/** The network as it is. */
export interface Network {
  readonly state: SandboxState | undefined;
  /** Grows with everything that happens. */
  readonly version: number;
  /** Sends a request to `/__sandbox/`; throws where it is not answered well. */
  readonly ask: (method: string, route: string, body?: unknown) => Promise<void>;
  /** Why nobody answers for the network. */
  readonly trouble: string | undefined;
}

/** Follows the network; not before it is `ready`. */
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
      // Also after a pause: what was missed is in the state.
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
      // Some answers are streams: their end is the end of the work.
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

/** Rows by falling number, each once, the fresh one in place of the old. */
function newest<Row>(old: readonly Row[], fresh: readonly Row[], numberOf: (row: Row) => number): Row[] {
  const rows = new Map([...old, ...fresh].map((row) => [numberOf(row), row]));
  return [...rows.values()].sort((a, b) => numberOf(b) - numberOf(a)).slice(0, MAX_ROWS);
}
