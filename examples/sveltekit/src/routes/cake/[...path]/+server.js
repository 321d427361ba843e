import { answerCake } from "../../../lib/cake-edge.server.js";

/** @type {import("./$types").RequestHandler} */
export const fallback = ({ request }) => answerCake(request);
