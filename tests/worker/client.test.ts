/** The client inside workerd. */
import * as edge from "cake-edge";
import { callTests } from "../client/calls.ts";
import { faultTests } from "../client/faults.ts";
import { listTests } from "../client/lists.ts";
import { lookUpTests } from "../client/look-ups.ts";
import { oddAnswerTests } from "../client/odd-answers.ts";

callTests(edge);
listTests(edge);
lookUpTests(edge);
faultTests(edge);
oddAnswerTests(edge);
