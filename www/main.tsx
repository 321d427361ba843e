/** Starts the demo. */
import { render } from "preact";
import { App } from "./app.js";
import "./style.css";

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  // Without a server, a service worker in this folder plays the links' domain.
  const ready = __STATIC__ ? import("./static/start.js").then(({ start }) => start()) : Promise.resolve();
  render(<App domain={__STATIC__ ? "track.yournetwork.com" : location.origin} ready={ready} />, root);
}
