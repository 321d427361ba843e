import { createTrackingLink } from "cake-edge";
import { useEffect } from "react";
import { land } from "../shared/landing.js";

export function loader() {
  return createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 });
}

export default function Home({ loaderData }) {
  useEffect(() => land(), []);
  return <a href={loaderData}>Ours</a>;
}
