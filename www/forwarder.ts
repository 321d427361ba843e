/** What the demo knows of the forwarder: the conversions that it was given, followed until they rest. */
import { useEffect, useState } from "preact/hooks";
import { HOME } from "./network.js";

/** How a conversion stands at the forwarder. */
export type ForwarderState = "pending" | "paused" | "delivered" | "refused" | "dead";

/** A conversion as `GET /cake/conversions/ID` tells it. */
export interface Accepted {
  readonly id: string;
  readonly state: ForwarderState;
  readonly attempts: number;
  readonly code?: string;
  readonly conversionId?: number;
}

/** How often those that do not rest yet are asked for. */
const EVERY_MS = 500;

const RESTS: readonly ForwarderState[] = ["delivered", "refused", "dead"];

/** Follows the conversions of these ids. */
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
