import { useEffect, useRef, useState } from "react";
import { fromPlain, plain, printJson, type Json } from "../document/json";
import { workflow } from "../editor";
import { JsonWidget } from "./JsonWidget";
import { useModules, type Mounted } from "./modules";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";
import { W } from "./texts";

/** A widget that a plugin's module draws into an element of its own; where it fails, its value is shown as JSON. */
export function PluginWidget(props: WidgetProps<WidgetOf<"custom">>) {
  const { name, widget, value, set, id, input } = props;
  const mount = useModules((state) => state.mounts.get(widget.name));
  const [trouble, setTrouble] = useState("");
  const element = useRef<HTMLDivElement>(null);
  const mounted = useRef<Mounted | undefined>(undefined);
  const last = useRef({ value, set });
  useEffect(() => {
    last.current = { value, set };
  });
  useEffect(() => {
    const place = element.current;
    if (!place || !mount) return;
    const given = {
      value: plainValue(last.current.value),
      set: (next: unknown) => last.current.set(likeBefore(next, last.current.value)),
      options: input.options,
      node: { id, type: workflow().nodes.get(id)?.type ?? "" },
      input: { name: input.name, label: input.label, types: input.types },
    };
    attempt(setTrouble, widget.name, () => {
      mounted.current = mount(place, given) ?? undefined;
    });
    return () => {
      attempt(setTrouble, widget.name, () => mounted.current?.unmount?.());
      mounted.current = undefined;
      place.replaceChildren();
    };
  }, [mount, id, input, widget.name]);
  useEffect(() => {
    attempt(setTrouble, widget.name, () => mounted.current?.update?.(plainValue(value)));
  }, [value, widget.name]);
  if (trouble) return <JsonWidget {...props} trouble={trouble} />;
  return <div ref={element} className="plugin-widget nodrag nowheel" role="group" aria-label={name} />;
}

const plainValue = (value: Json | undefined): unknown => (value === undefined ? undefined : plain(value));

/** Plain data as a value; a number that stands there already keeps its digits. */
function likeBefore(next: unknown, before: Json | undefined): Json {
  const value = fromPlain(next);
  return before !== undefined && printJson(value) === printJson(fromPlain(plain(before))) ? before : value;
}

function attempt(told: (trouble: string) => void, name: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    told(W.broken(name, error instanceof Error ? error.message : String(error)));
  }
}
