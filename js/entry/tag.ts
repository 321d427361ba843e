import { start } from "../page/engine.js";
import { openTag } from "../page/tag.js";

const open = openTag();
void start().then(open);
