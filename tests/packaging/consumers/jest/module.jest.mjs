import { createTrackingLink } from "cake-edge";

test("a link is built", () => {
  expect(createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 })).toBe(
    "https://track.yournetwork.com/?a=1&c=2",
  );
});
