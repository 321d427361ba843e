/** A table in a scrollable box. The box takes the focus, so that the keyboard can scroll it. */
import type { ComponentChildren } from "preact";

interface ScrollProps {
  readonly name: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Scroll({ name, class: more = "", children }: ScrollProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without focus, the keyboard cannot scroll it
    <section class={`scroll ${more}`} aria-label={name} tabIndex={0}>
      {children}
    </section>
  );
}
