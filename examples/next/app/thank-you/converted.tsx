"use client";
import { useEffect, useState } from "react";
import { tracker } from "../tracker";

/** Reports the order. A reload reports the same one, which counts once. */
export function Converted({ orderId }: { orderId: string }) {
  const [state, setState] = useState("");
  useEffect(() => {
    tracker.convert({ offerId: 12345, orderId }).then(({ state }) => setState(state));
  }, [orderId]);
  return <p id="state">{state}</p>;
}
