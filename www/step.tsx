/** The frame of a step. */
import type { ComponentChildren } from "preact";

interface StepProps {
  readonly number: number;
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  readonly children: ComponentChildren;
}

export function Step({ number, id, title, lead, children }: StepProps) {
  return (
    <section class="step" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>
        <span class="ordinal" aria-hidden="true">
          {number}
        </span>
        {title}
      </h2>
      <p class="lead">{lead}</p>
      {children}
    </section>
  );
}
