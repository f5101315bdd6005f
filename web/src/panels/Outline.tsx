import { memo, useMemo, useState } from "react";
import { focusNode } from "../canvas/keyboard";
import { Link, type Id, type Node } from "../document/document";
import { flowOrder } from "../document/neighbours";
import { flowId, titleOf, useEditor, workflowIn } from "../editor";
import { closeness, scoreOf } from "../search/closeness";
import { C } from "../texts-canvas";
import { moveFocus } from "./Library";

/** The workflow as a list: each node in the order of the links, with where its inputs come from. */
export function Outline() {
  const nodes = useEditor((state) => workflowIn(state).nodes);
  const types = useEditor((state) => state.types);
  const [words, setWords] = useState("");
  const order = useMemo(() => flowOrder({ nodes }), [nodes]);
  const found = order.filter((id) => {
    const node = nodes.get(id);
    return node && (!words || scoreOf(words, (needle) => closeness(`${node.title} ${types.get(node.type)?.title ?? ""} ${node.type}`, needle)) > 0);
  });
  return (
    <>
      <input
        autoFocus
        type="search"
        aria-label={C.outline.filter}
        placeholder={C.outline.filter}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
        }}
      />
      <div className="beside-body" onKeyDown={moveFocus}>
        {!order.length && <p className="nothing">{C.outline.empty}</p>}
        <ol className="outline" aria-label={C.outline.nodes(order.length)}>
          {found.map((id) => (
            <Entry key={id} id={id} node={nodes.get(id) as Node} />
          ))}
        </ol>
      </div>
    </>
  );
}

const Entry = memo(function Entry({ id, node }: { readonly id: Id; readonly node: Node }) {
  const isSelected = useEditor((state) => state.selection.has(flowId(id)));
  const type = useEditor((state) => state.types.get(node.type)?.title ?? node.type);
  const title = node.title || type;
  const links = [...node.inputs].flatMap(([input, value]) => (value instanceof Link ? [{ input, value }] : []));
  return (
    <li className={`${isSelected ? "at" : ""} mode-${node.mode}`}>
      <button type="button" aria-current={isSelected} onClick={() => focusNode(id)}>
        <b>{title}</b>
        {node.title && <small>{type}</small>}
      </button>
      {links.length > 0 && (
        <ul>
          {links.map(({ input, value }) => (
            <li key={input}>
              <button type="button" onClick={() => focusNode(value.node)}>
                <span>{input}</span> <small>{C.outline.from(titleOf(value.node), value.output)}</small>
              </button>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
});
