import { createTrackingLink } from "cake-edge";
import { Suspense } from "react";
import { Landing } from "./landing.jsx";

export const dynamic = "force-dynamic";

/** A server component that delays the end of the stream: the page is already sent by then. */
async function Late() {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const link = createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 });
  return (
    <main>
      <a href={link}>Ours</a>
      <Landing />
    </main>
  );
}

export default function Page() {
  return (
    <Suspense fallback={<p>Wait</p>}>
      <Late />
    </Suspense>
  );
}
