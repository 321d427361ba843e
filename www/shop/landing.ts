/** The demo's part of the landing page: numbers the orders, as the shop's server would, and opens the panel. */
import { openPanel } from "./panel.js";
import { tracker } from "./shop.js";

const form = document.querySelector("form");
const hidden = (name: string, value: string) => {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = name;
  input.value = value;
  form?.append(input);
};
hidden("order", `ORD-${Date.now()}`);
hidden("offer", new URL(location.href).searchParams.get("oid") ?? "12345");

await openPanel({ page: "landing", tracker })();
