// @vitest-environment jsdom
// @vitest-environment-options { "url": "https://shop.example/?reqid=abc-1" }
import { createTrackingLink } from "cake-edge";
import { createTracker } from "cake-edge/page";
import { expect, test } from "vitest";

test("a page keeps its click", async () => {
  const tracker = createTracker();
  expect(tracker.clickId).toBe("abc-1");
  expect(document.cookie).toContain("abc-1");
  expect(createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 })).toBe(
    "https://track.yournetwork.com/?a=1&c=2",
  );
});
