import type { HTMLAttributes } from "react";

interface Props extends HTMLAttributes<HTMLSpanElement> {
  readonly name: string;
  readonly reset: (() => void) | undefined;
}

/** The name in front of a widget; a double click sets its default again. */
export function FieldName({ name, reset, className = "", ...more }: Props) {
  return (
    <span {...more} className={`field-name ${className}`} onDoubleClick={reset}>
      {name}
    </span>
  );
}
