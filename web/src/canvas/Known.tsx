import type { Facts } from "../api/client";
import type { Id } from "../document/document";
import type { Output } from "../document/schema";
import { useEditor } from "../editor";
import { useSettings } from "../settings";
import { known } from "../document/facts";
import { C } from "../texts-canvas";
import "./known.css";

const NOTHING: Facts = {};

/** An output's name, and beside its socket what is known of it: a size, a family. */
export function OutputName({ id, output }: { readonly id: Id; readonly output: Output }) {
  const facts = useEditor((state) => state.facts[id]?.[output.name] ?? NOTHING);
  const isAlways = useSettings((state) => state.values.shapes);
  const text = known(output.types[0] ?? "", facts);
  const tip = [output.types.join(" | "), text && C.known.before(text), output.tooltip].filter(Boolean).join(". ");
  return (
    <span title={tip}>
      {output.name}
      {text && <small className={`known${isAlways ? " always" : ""}`}>{text}</small>}
    </span>
  );
}
