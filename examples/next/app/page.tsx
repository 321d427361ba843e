import Link from "next/link";
import { Click } from "./click";

export default function Landing() {
  return (
    <main>
      <h1>Welcome</h1>
      <Click />
      <Link href="/thank-you?order=ORD-98765">Buy</Link>
    </main>
  );
}
