/** Starts the demo. */
import { render } from "preact";
import { App } from "./app.js";
import "./style.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<App domain={location.origin} ready={Promise.resolve()} />, root);
}
