/**
 * @jest-environment jsdom
 * @jest-environment-options { "url": "https://shop.example/?reqid=abc-1" }
 */
import { createTrackingLink } from "cake-edge";
import { createTracker } from "cake-edge/page";

test("a page keeps its click", () => {
  const tracker = createTracker();
  expect(tracker.clickId).toBe("abc-1");
  expect(document.cookie).toContain("abc-1");
});

test("what jsdom lacks is named", () => {
  expect(() => createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 })).toThrow(
    /TextDecoder/,
  );
});
