"use client";
// Imported as any other package: the server renders this component, too.
import { useEffect } from "react";
import { land } from "../../shared/landing.js";

export function Landing() {
  useEffect(() => land(), []);
  return <p>Welcome</p>;
}
