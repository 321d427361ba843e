/** A batch of visitors: each one clicks the link and buys, and all orders go to the forwarder in one batch. */
import { HOME } from "./network.js";
import type { Order } from "./visit.js";

/** One answer of a batch. */
type Result =
  | { readonly id: string; readonly state: string; readonly duplicate: boolean }
  | { readonly error: { readonly code: string } };

/** Makes `size` visitors follow the link and buy; `note` receives the orders. */
export async function runBatch(
  size: number,
  href: string,
  offerId: number,
  note: (orders: readonly Order[]) => void,
): Promise<void> {
  const { findClick } = await import("cake-edge");
  const batch = Date.now().toString(36).toUpperCase();
  const conversions = await Promise.all(
    Array.from({ length: size }, async (_, index) => {
      // The browser follows the redirect, as it does for a visitor.
      const page = await fetch(href);
      const found = findClick(page.url);
      await page.body?.cancel();
      return { clickId: found?.clickId ?? "", offerId, uniqueId: `ORD-${batch}-${index + 1}` };
    }),
  );
  note(conversions.map(({ uniqueId }) => ({ uniqueId, offerId, state: undefined })));
  const response = await fetch(new URL("cake/conversions", HOME), {
    method: "POST",
    body: JSON.stringify({ conversions }),
  });
  const answer = (await response.json()) as { readonly results?: readonly Result[]; readonly error?: { code: string } };
  if (answer.results === undefined)
    throw new Error(`the forwarder answered ${response.status} ${answer.error?.code ?? ""}`);
  note(
    conversions.map(({ uniqueId }, index) => {
      const result = answer.results?.[index];
      return result !== undefined && "id" in result
        ? { uniqueId, offerId, state: "accepted" as const, id: result.id }
        : { uniqueId, offerId, state: "refused" as const, code: result?.error.code };
    }),
  );
}
