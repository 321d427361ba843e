/** Prints what the server's walk brings; a bundler makes one file of it. */
import { walk } from "./server.js";

walk().then((line) => console.log(line));
