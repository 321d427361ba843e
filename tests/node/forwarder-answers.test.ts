/** CAKE's odd answers, and the forwarder in a process. */
import { answerTests } from "../forwarder/answers.ts";
import { memoryKit } from "./forwarder-kits.ts";

answerTests(memoryKit);
