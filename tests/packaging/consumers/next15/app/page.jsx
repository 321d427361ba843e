import { createTrackingLink } from "cake-edge";
import { Landing } from "./landing.jsx";

export default function Page() {
  // A server component.
  const link = createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 });
  return (
    <main>
      <a href={link}>Ours</a>
      <Landing />
    </main>
  );
}
