import { start } from "../page/engine.js";
import { openTag } from "../page/tag.js";

const tag = openTag();
start().then(tag.open, tag.fail);
