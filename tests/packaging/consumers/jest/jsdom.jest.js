/** @jest-environment jsdom */
import { createTrackingLink } from "cake-edge";
import { createTracker } from "cake-edge/page";

test("a page keeps its click", () => {
  window.history.replaceState(null, "", "/?reqid=abc-1");
  const tracker = createTracker();
  expect(tracker.clickId).toBe("abc-1");
  expect(document.cookie).toContain("abc-1");
});

test("what jsdom lacks is named", () => {
  expect(() => createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 })).toThrow(
    /TextDecoder/,
  );
});
