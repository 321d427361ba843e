/** The demo's view of the forwarder: its accepted conversions, polled until their state is final. */
import { useEffect, useState } from "preact/hooks";
import { HOME } from "./network.js";

/** The state of a conversion in the forwarder. */
export type ForwarderState = "pending" | "paused" | "delivered" | "refused" | "dead";

/** A conversion as `GET /cake/conversions/ID` returns it. */
export interface Accepted {
  readonly id: string;
  readonly state: ForwarderState;
  readonly attempts: number;
  readonly code?: string;
  readonly conversionId?: number;
}

/** The polling interval for conversions without a final state. */
const EVERY_MS = 500;

const RESTS: readonly ForwarderState[] = ["delivered", "refused", "dead"];

/** Polls the conversions with these ids. */
export function useAccepted(ids: readonly string[]): ReadonlyMap<string, Accepted> {
  const [known, setKnown] = useState<ReadonlyMap<string, Accepted>>(new Map());
  const restless = ids.filter((id) => !RESTS.includes(known.get(id)?.state ?? "pending"));
  const asked = restless.join(" ");
  useEffect(() => {
    if (asked === "") return;
    let isOver = false;
    const look = async () => {
      const answers = await Promise.all(asked.split(" ").map(find));
      if (isOver) return;
      setKnown(
        (old) => new Map([...old, ...answers.filter((one) => one !== undefined).map((one) => [one.id, one] as const)]),
      );
      timer = setTimeout(look, EVERY_MS);
    };
    let timer = setTimeout(look, 0);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [asked]);
  return known;
}

async function find(id: string): Promise<Accepted | undefined> {
  const response = await fetch(new URL(`cake/conversions/${encodeURIComponent(id)}`, HOME));
  return response.ok ? ((await response.json()) as Accepted) : undefined;
}
