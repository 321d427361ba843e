import type { ReactNode } from "react";

// A prerendered page may lie in a cache, and so may its cookie: pages that clicks land on are rendered anew.
export const dynamic = "force-dynamic";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
