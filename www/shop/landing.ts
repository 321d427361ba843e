/** The demo's part of the landing page: numbers the orders, and shows what is kept. */
import { kept, showPanel } from "./panel.js";
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

showPanel("landing", tracker.clickId, undefined, [
  ["Click id", tracker.clickId ?? "none: no click led here"],
  ...kept(),
]);
