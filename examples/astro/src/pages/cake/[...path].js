import { answerCake } from "../../lib/cake-edge.server.js";

export const ALL = ({ request }) => answerCake(request);
