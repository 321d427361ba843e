/** Starts the inspector. */
import { render } from "preact";
import { Inspector } from "./inspector.js";
import "../styles/base.css";
import "../styles/inspector.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(<Inspector />, root);
}
