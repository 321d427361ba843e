import { useEffect, useState } from "react";
import { Link } from "react-router";
import { tracker } from "./tracker.js";

// Middleware runs for requests that have a loader to run.
export const loader = () => null;

export default function Landing() {
  const [clickId, setClickId] = useState("");
  useEffect(() => {
    tracker.ready.then(() => setClickId(tracker.clickId ?? "none"));
  }, []);
  return (
    <main>
      <h1>Welcome</h1>
      <p id="click">{clickId}</p>
      <Link to="/thank-you?order=ORD-98765">Buy</Link>
    </main>
  );
}
