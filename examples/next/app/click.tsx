"use client";
import { useEffect, useState } from "react";
import { tracker } from "./tracker";

/** Shows the click id that is kept. A page needs no more than the import of the tracker. */
export function Click() {
  const [clickId, setClickId] = useState("");
  useEffect(() => {
    tracker.ready.then(() => setClickId(tracker.clickId ?? "none"));
  }, []);
  return <p id="click">{clickId}</p>;
}
