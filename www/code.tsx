/** The code of a step for each runtime; the code that ran is marked. */
import { useId, useRef, useState } from "preact/hooks";

export interface Sample {
  /** The runtime. */
  readonly place: string;
  /** The file in the repository. */
  readonly file?: string;
  readonly text: string;
  readonly html?: string;
  /** The statement that this file ran, and where. */
  readonly ran?: string;
}

export function Code({ title, samples }: { readonly title: string; readonly samples: readonly Sample[] }) {
  const id = useId();
  const [chosen, choose] = useState(0);
  const tabs = useRef<HTMLDivElement>(null);
  const sample = samples[chosen];
  if (sample === undefined) return null;

  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = (chosen + step + samples.length) % samples.length;
    choose(next);
    tabs.current?.querySelectorAll<HTMLButtonElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="code">
      <div class="code-bar">
        <div role="tablist" aria-label={title} ref={tabs} onKeyDown={move}>
          {samples.map(({ place, ran }, index) => (
            <button
              key={place}
              type="button"
              role="tab"
              id={`${id}-tab-${index}`}
              aria-selected={index === chosen}
              aria-controls={`${id}-panel`}
              tabIndex={index === chosen ? 0 : -1}
              onClick={() => choose(index)}
            >
              {place}
              {ran !== undefined && <span class="ran">ran</span>}
            </button>
          ))}
        </div>
        <Copy text={sample.text} what={`the code for ${sample.place}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without focus, the keyboard cannot scroll it */}
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-tab-${chosen}`} tabIndex={0}>
        <pre>
          {sample.html === undefined ? (
            <code>{sample.text}</code>
          ) : (
            <code dangerouslySetInnerHTML={{ __html: sample.html }} />
          )}
        </pre>
      </div>
      <p class="code-foot">
        {sample.ran ?? "Type-checked and run by the tests."}
        {sample.file !== undefined && <span class="file">{sample.file}</span>}
      </p>
    </div>
  );
}

/** A button that copies a text and confirms it. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed">();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const copy = async () => {
    // The clipboard needs a secure origin.
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setOutcome(done ? "copied" : "failed");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setOutcome(undefined), 2_000);
  };
  const words = outcome === "copied" ? "Copied" : outcome === "failed" ? "Not allowed" : "Copy";
  return (
    <button type="button" class="quiet" aria-label={outcome === undefined ? `Copy ${what}` : words} onClick={copy}>
      <span aria-live="polite">{words}</span>
    </button>
  );
}
