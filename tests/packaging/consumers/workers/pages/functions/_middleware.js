import { pagesClickCapture } from "cake-edge";

export const onRequest = pagesClickCapture(() => ({ secrets: ["5f0c4bd2a9e6417380cd1e2fa7b49638"] }));
