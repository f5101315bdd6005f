import { memo, useRef } from "react";
import { setValue } from "../document/commands";
import { Link, type Id, type Value } from "../document/document";
import { asText, type Json } from "../document/json";
import type { Input } from "../document/schema";
import { run, titleOf } from "../editor";
import { T } from "../texts";
import { ChoiceWidget } from "./ChoiceWidget";
import { ImageWidget } from "./ImageWidget";
import { NumberWidget } from "./NumberWidget";
import { SeedWidget } from "./SeedWidget";
import { TextWidget } from "./TextWidget";
import { ToggleWidget } from "./ToggleWidget";

export interface WidgetProps<Kind> {
  readonly name: string;
  readonly widget: Kind;
  readonly value: Json | undefined;
  /** Sets the value; changes with the same gesture undo together. */
  readonly set: (value: Json, gesture?: string) => void;
}

interface Props {
  readonly id: Id;
  readonly input: Input;
  readonly value: Value | undefined;
  readonly control: string;
}

/** The control that edits an input, or where its link comes from. */
export const Widget = memo(function Widget({ id, input, value, control }: Props) {
  const gestures = useRef(0);
  const { widget, label: name } = input;
  if (!widget) return null;
  if (value instanceof Link)
    return (
      <div className="field linked">
        <span className="field-name">{name}</span>
        <span className="field-value">{T.canvas.from(titleOf(value.node))}</span>
      </div>
    );
  const set = (next: Json, gesture = ""): void => {
    if (!gesture) gestures.current += 1;
    run(setValue(id, input.name, next), gesture && `${id} ${input.name} ${gesture} ${gestures.current}`);
  };
  const given = value ?? input.initial;
  switch (widget.kind) {
    case "number":
      return <NumberWidget name={name} widget={widget} value={given} set={set} />;
    case "seed":
      return <SeedWidget name={name} widget={widget} value={given} set={set} id={id} input={input.name} control={control} />;
    case "text":
      return <TextWidget name={name} widget={widget} value={given} set={set} />;
    case "toggle":
      return <ToggleWidget name={name} widget={widget} value={given} set={set} />;
    case "image":
      return <ImageWidget name={name} widget={widget} value={asText(given)} set={set} />;
    default:
      return <ChoiceWidget name={name} widget={widget} value={given} set={set} />;
  }
});
