import { defineMiddleware } from "astro:middleware";
import { keepClick } from "./lib/cake-edge.server.js";

export const onRequest = defineMiddleware(({ request }, next) => keepClick(request, next));
