/** Prints the result of the server's walk; a bundler makes one file of it. */
import { walk } from "./server.js";

walk().then((line) => console.log(line));
