import { memo, useRef, useState, type MouseEvent } from "react";
import { setValue } from "../document/commands";
import { Link, type Id, type Value } from "../document/document";
import type { Json } from "../document/json";
import type { Input } from "../document/schema";
import { run } from "../editor";
import { LinkedWidget } from "./LinkedWidget";
import { drawnBy } from "./registry";
import { WidgetMenu } from "./WidgetMenu";
import "./widgets.css";

interface Props {
  readonly id: Id;
  readonly input: Input;
  readonly value: Value | undefined;
  readonly control: string;
}

/** The control that edits an input, or where its link comes from. It is drawn again only when its own value changes. */
export const Widget = memo(function Widget({ id, input, value, control }: Props) {
  const gestures = useRef(0);
  const [menu, setMenu] = useState<DOMRect | null>(null);
  const { widget, label: name, initial } = input;
  if (!widget) return null;
  if (value instanceof Link) return <LinkedWidget id={id} input={input.name} name={name} link={value} />;
  const set = (next: Json, gesture = ""): void => {
    if (!gesture) gestures.current += 1;
    run(setValue(id, input.name, next), gesture && `${id} ${input.name} ${gesture} ${gestures.current}`);
  };
  const reset = initial === undefined ? undefined : () => set(initial);
  const Shown = drawnBy(widget.kind);
  return (
    <div
      className="widget-frame"
      onContextMenu={(event) => {
        if (isWriting(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setMenu(menuPlace(event));
      }}
    >
      <Shown name={name} widget={widget} value={value ?? initial} set={set} reset={reset} id={id} input={input} control={control} />
      {menu && <WidgetMenu box={menu} id={id} input={input} value={value ?? initial} set={set} reset={reset} close={() => setMenu(null)} />}
    </div>
  );
});

/** Where text is written the browser's own menu opens. */
function isWriting({ target }: MouseEvent): boolean {
  return target === document.activeElement && target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea");
}

function menuPlace({ clientX, clientY, currentTarget }: MouseEvent): DOMRect {
  const byKeyboard = clientX === 0 && clientY === 0;
  return byKeyboard ? currentTarget.getBoundingClientRect() : new DOMRect(clientX, clientY, 0, 0);
}
