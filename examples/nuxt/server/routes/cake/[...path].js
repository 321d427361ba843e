import { answerCake } from "../../utils/cake-edge.server.js";

export default defineEventHandler((event) => answerCake(toWebRequest(event)));
