import { useState } from "preact/hooks";
import type { SandboxState } from "../sandbox/rows.js";

/** Tracking links to try. */
export function Links({ state }: { state: SandboxState }) {
  const { affiliates, creatives, offers } = state.fixture;
  const [affiliate, setAffiliate] = useState(String(affiliates[0]?.affiliate_id ?? ""));
  const [creative, setCreative] = useState(String(creatives[0]?.creative_id ?? ""));
  const [s1, setS1] = useState("banner_300x250");
  const query = new URLSearchParams({ a: affiliate, c: creative, ...(s1 === "" ? {} : { s1 }) });
  const link = `${location.origin}/?${query}`;
  const nameOf = (offerId: number) => offers.find(({ offer_id }) => offer_id === offerId)?.offer_name ?? offerId;
  return (
    <section aria-labelledby="links">
      <h2 id="links">Click a tracking link</h2>
      <form class="fields" onSubmit={(event) => event.preventDefault()}>
        <label>
          Affiliate
          <select value={affiliate} onChange={(event) => setAffiliate(event.currentTarget.value)}>
            {affiliates.map(({ affiliate_id, affiliate_name }) => (
              <option key={affiliate_id} value={String(affiliate_id)}>
                {affiliate_name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Creative
          <select value={creative} onChange={(event) => setCreative(event.currentTarget.value)}>
            {creatives.map(({ creative_id, offer_id, creative_name }) => (
              <option key={creative_id} value={String(creative_id)}>
                {creative_id}: {creative_name || nameOf(offer_id)}
              </option>
            ))}
          </select>
        </label>
        <label>
          s1
          <input value={s1} maxLength={50} onInput={(event) => setS1(event.currentTarget.value)} />
        </label>
      </form>
      <p>
        <a href={link} target="_blank" rel="noreferrer">
          {link}
        </a>
      </p>
    </section>
  );
}
