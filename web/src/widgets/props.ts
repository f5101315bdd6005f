import type { Id } from "../document/document";
import type { Json } from "../document/json";
import type { Input } from "../document/schema";
import type { Widget } from "../document/widgets";

/** What every widget gets. */
export interface WidgetProps<Kind extends Widget = Widget> {
  /** What people see in front of it. */
  readonly name: string;
  readonly widget: Kind;
  readonly value: Json | undefined;
  /** Sets the value; changes with the same gesture undo together. */
  readonly set: (value: Json, gesture?: string) => void;
  /** Sets the default again; undefined where there is none. */
  readonly reset: (() => void) | undefined;
  readonly id: Id;
  readonly input: Input;
  /** What a seed does before a run. */
  readonly control: string;
}
