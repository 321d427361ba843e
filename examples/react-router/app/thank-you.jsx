import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { tracker } from "./tracker.js";

export default function ThankYou() {
  const orderId = useSearchParams()[0].get("order");
  const [state, setState] = useState("");
  // A reload reports the same order, which counts once.
  useEffect(() => {
    tracker.convert({ offerId: 12345, orderId }).then(({ state }) => setState(state));
  }, [orderId]);
  return (
    <main>
      <h1>Thank you</h1>
      <p id="state">{state}</p>
    </main>
  );
}
