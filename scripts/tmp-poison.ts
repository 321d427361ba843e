import { poison } from "/work/wt-forwarder/tests/chaos/poison.ts";
for (const inFront of [false, true]) console.log(JSON.stringify(await poison({ good: 1_000, refused: 20, failing: 400, inFront, clockSpeed: 10, tell: (l: string) => console.error(l) })));
