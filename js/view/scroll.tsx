import type { ComponentChildren } from "preact";

interface ScrollProps {
  readonly name: string;
  readonly isTall?: boolean;
  readonly children: ComponentChildren;
}

/** A table in a scrollable box. The box takes the focus, so that the keyboard can scroll it. */
export function Scroll({ name, isTall = false, children }: ScrollProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without focus, the keyboard cannot scroll it
    <div class={isTall ? "scroll tall" : "scroll"} role="group" aria-label={`${name}, table`} tabIndex={0}>
      {children}
    </div>
  );
}
