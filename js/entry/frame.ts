export * from "../page/frame.js";
