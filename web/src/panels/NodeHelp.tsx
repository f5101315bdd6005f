import { useEffect, useRef } from "react";
import { colourOf } from "../canvas/flow";
import { showHelp, useOpen } from "../commands/open";
import type { Input, NodeType, Output } from "../document/schema";
import { useEditor } from "../editor";
import { T } from "../texts";
import { C } from "../texts-canvas";
import { Icon } from "./Icon";
import { Markdown } from "./Markdown";
import "./help.css";

/** What a node type is for, and what its sockets take and give. */
export function NodeHelp() {
  const id = useOpen((state) => state.help);
  const type = useEditor((state) => (id === null ? undefined : state.types.get(id)));
  return type && <Help key={type.id} type={type} />;
}

function Help({ type }: { readonly type: NodeType }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog help"
      aria-label={C.help.label(type.title)}
      onClose={() => {
        showHelp(null);
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) dialog.current?.close();
      }}
    >
      <header>
        <h2>{type.title}</h2>
        <button type="button" className="icon-button" aria-label={T.panel.close} onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      <p className="help-where">
        {type.category} · <code>{type.id}</code>
      </p>
      {type.isDeprecated && <p className="help-old">{C.help.deprecated}</p>}
      <Markdown text={type.description || C.help.none} />
      <h3>{C.help.inputs}</h3>
      <Sockets sockets={type.inputs} nothing={C.help.noInputs} />
      <h3>{C.help.outputs}</h3>
      <Sockets sockets={type.outputs} nothing={C.help.noOutputs} />
    </dialog>
  );
}

function Sockets({ sockets, nothing }: { readonly sockets: readonly (Input | Output)[]; readonly nothing: string }) {
  if (!sockets.length) return <p className="help-nothing">{nothing}</p>;
  return (
    <dl className="help-sockets">
      {sockets.map((socket) => (
        <div key={socket.name}>
          <dt>
            <i className={`type-${colourOf(socket.types[0])}`} /> {socket.name}
          </dt>
          <dd>
            <small>
              {socket.types.join(" | ")}
              {"required" in socket && !socket.required && `, ${C.help.optional}`}
            </small>
            {socket.tooltip && <p>{socket.tooltip}</p>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
