import { walk } from "../../shared/server.js";

export default defineEventHandler(() => walk());
