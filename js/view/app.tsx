import { useState } from "preact/hooks";
import type { SandboxState } from "../sandbox/rows.js";
import { Faults } from "./faults.js";
import { Links } from "./links.js";
import { type Filter, type LiveNetwork, NO_FILTER, useNetwork } from "./network.js";
import { Scroll } from "./scroll.js";
import { Clicks, Conversions, Postbacks } from "./tables.js";

export function App() {
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const network = useNetwork(filter);
  const { state, isLive, notice } = network;
  return (
    <>
      <header class="top">
        <div>
          <h1>Sandbox network</h1>
          <p class={isLive ? "live on" : "live"}>{isLive ? "live" : "not connected"}</p>
        </div>
        {state && <Clock state={state} network={network} />}
      </header>
      <p class="notice" role="status">
        {notice}
      </p>
      {state ? (
        <main>
          <Figures state={state} />
          <div class="columns">
            <Affiliates state={state} filter={filter} onFilter={setFilter} />
            <div class="stack">
              <Links state={state} />
              <Faults state={state} network={network} />
            </div>
          </div>
          <FilterBar state={state} filter={filter} onFilter={setFilter} />
          <Conversions state={state} network={network} />
          <Clicks state={state} />
          <Postbacks state={state} />
        </main>
      ) : (
        <main>
          <p class="empty">Loading …</p>
        </main>
      )}
      <footer>cake-edge is an independent project, not affiliated with CAKE.</footer>
    </>
  );
}

function Clock({ state, network }: { state: SandboxState; network: LiveNetwork }) {
  const { now, is_frozen } = state.clock;
  const advance = (advance_ms: number, words: string) =>
    network.ask("PUT", "clock", { advance_ms }, `The clock went ${words} ahead.`);
  return (
    <div class="clock">
      <p>
        <span class="label">{is_frozen ? "Clock stopped at" : "Loaded at"}</span> <time>{now}</time>{" "}
        <abbr title="Coordinated Universal Time">UTC</abbr>
      </p>
      <div class="buttons">
        <button type="button" onClick={() => advance(3_600_000, "an hour")}>
          +1 hour
        </button>
        <button type="button" onClick={() => advance(86_400_000, "a day")}>
          +1 day
        </button>
        <button
          type="button"
          aria-pressed={is_frozen}
          onClick={() =>
            network.ask(
              "PUT",
              "clock",
              is_frozen ? {} : { is_frozen: true },
              is_frozen ? "The clock shows the real time." : "The clock stands still.",
            )
          }
        >
          {is_frozen ? "Real time" : "Stop"}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            if (confirm("Forget every click, conversion and postback of this sandbox?")) {
              void network.ask("POST", "reset", undefined, "The network is empty again.");
            }
          }}
        >
          Reset
        </button>
      </div>
    </div>
  );
}

function Figures({ state }: { state: SandboxState }) {
  const { clicks, balances, owed } = state.totals;
  const conversions = balances.reduce((sum, balance) => sum + balance.conversions, 0);
  const rate = clicks === 0 ? "–" : `${((conversions / clicks) * 100).toFixed(2)} %`;
  return (
    <dl class="figures">
      <Figure name="Clicks" value={clicks.toLocaleString("en")} />
      <Figure name="Conversions" value={conversions.toLocaleString("en")} />
      <Figure name="Conversion rate" value={rate} />
      <Figure name="Owed to affiliates" value={grouped(owed)} />
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** An exact amount with thousands separators. */
function grouped(amount: string): string {
  const [whole = "0", fraction = "00"] = amount.split(".");
  return `${BigInt(whole).toLocaleString("en")}.${fraction}`;
}

interface Filtering {
  readonly state: SandboxState;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

function Affiliates({ state, filter, onFilter }: Filtering) {
  return (
    <section aria-labelledby="affiliates">
      <h2 id="affiliates">Affiliates</h2>
      <Scroll name="Affiliates">
        <table>
          <thead>
            <tr>
              <th scope="col">Affiliate</th>
              <th scope="col" class="number">
                Conversions
              </th>
              <th scope="col" class="number">
                Pending
              </th>
              <th scope="col" class="number">
                Owed
              </th>
            </tr>
          </thead>
          <tbody>
            {state.totals.balances.map((balance) => {
              const id = String(balance.affiliate_id);
              const isChosen = filter.affiliate === id;
              return (
                <tr key={id}>
                  <th scope="row">
                    <button
                      type="button"
                      class="plain"
                      aria-pressed={isChosen}
                      title="Show only this affiliate's rows"
                      onClick={() => onFilter({ ...filter, affiliate: isChosen ? "" : id })}
                    >
                      {balance.affiliate_name}
                    </button>{" "}
                    <span class="soft">{id}</span>
                  </th>
                  <td class="number">
                    {balance.approved} <span class="soft">of {balance.conversions}</span>
                  </td>
                  <td class="number">{balance.pending}</td>
                  <td class="number strong">{balance.owed}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      <p class="hint">Owed is what approved conversions pay. Choose a name to see its rows alone.</p>
    </section>
  );
}

function FilterBar({ state, filter, onFilter }: Filtering) {
  const set = (change: Partial<Filter>) => onFilter({ ...filter, ...change });
  const isFiltered = Object.values(filter).some((value) => value !== "");
  return (
    <search>
      <form class="filters" aria-label="Filter the rows" onSubmit={(event) => event.preventDefault()}>
        <label>
          Affiliate
          <select value={filter.affiliate} onChange={(event) => set({ affiliate: event.currentTarget.value })}>
            <option value="">all</option>
            {state.fixture.affiliates.map(({ affiliate_id, affiliate_name }) => (
              <option key={affiliate_id} value={String(affiliate_id)}>
                {affiliate_name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Offer
          <select value={filter.offer} onChange={(event) => set({ offer: event.currentTarget.value })}>
            <option value="">all</option>
            {state.fixture.offers.map(({ offer_id, offer_name }) => (
              <option key={offer_id} value={String(offer_id)}>
                {offer_name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Status
          <select value={filter.status} onChange={(event) => set({ status: event.currentTarget.value })}>
            <option value="">all</option>
            {state.status_moves.map(({ conversion_status }) => (
              <option key={conversion_status}>{conversion_status}</option>
            ))}
          </select>
        </label>
        <label class="wide">
          Click id, unique id or s1
          <input type="search" value={filter.text} onInput={(event) => set({ text: event.currentTarget.value })} />
        </label>
        <button type="button" disabled={!isFiltered} onClick={() => onFilter(NO_FILTER)}>
          Show all
        </button>
      </form>
    </search>
  );
}
