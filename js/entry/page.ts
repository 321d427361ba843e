export * from "../page/index.js";
