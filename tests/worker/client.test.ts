/** The client inside workerd. */
import * as edge from "cake-edge";
import { callTests } from "../client/calls.ts";
import { faultTests } from "../client/faults.ts";
import { oddAnswerTests } from "../client/odd-answers.ts";

callTests(edge);
faultTests(edge);
oddAnswerTests(edge);
