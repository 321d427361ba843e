/** The client in Node against a server of faults. */
import * as edge from "../../dist/entry/edge.node.js";
import { faultTests } from "../faults/suite.ts";

faultTests(edge);
