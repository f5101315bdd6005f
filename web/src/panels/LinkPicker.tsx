import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { refusal } from "../canvas/connect";
import { colourOf } from "../canvas/flow";
import { focusNode } from "../canvas/keyboard";
import { wantedOf } from "../canvas/linking";
import { partnersOf, type Partner } from "../canvas/partners";
import { elementOf, searchAt } from "../canvas/view";
import { pick, useOpen, type Socket } from "../commands/open";
import { connect } from "../document/commands";
import { flowId, run, tell, titleOf, useEditor, workflow } from "../editor";
import { closeness, scoreOf } from "../search/closeness";
import { C } from "../texts-canvas";

const MOST_SHOWN = 100;
const WIDTH = 320;

/** Links a socket from the keyboard: a list of the sockets that fit, and of new nodes. */
export function LinkPicker() {
  const picking = useOpen((state) => state.picking);
  return picking && <Picker key={`${picking.node} ${picking.socket}`} socket={picking} />;
}

function Picker({ socket }: { readonly socket: Socket }) {
  const types = useEditor((state) => state.types);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const all = useMemo(() => partnersOf(workflow(), types, socket), [types, socket]);
  const found = all.filter((item) => !words || scoreOf(words, (needle) => closeness(`${item.title} ${item.socket}`, needle)) > 0).slice(0, MOST_SHOWN);
  const place = useMemo(() => placeBy(socket), [socket]);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const leave = (): void => {
    pick(null);
    focusNode(socket.node, { name: socket.socket, isOutput: socket.isOutput });
  };
  const choose = (partner: Partner | undefined): void => {
    if (partner) link(socket, partner);
    if (partner) leave();
    else addFor(socket, place);
  };
  const onKey = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setAt((old) => Math.min(Math.max(old + by, 0), found.length));
    if (event.key === "Enter") choose(found[at]);
    if (event.key === "Escape" || event.key === "Tab") leave();
    if (by || ["Enter", "Escape", "Tab"].includes(event.key)) event.preventDefault();
    event.stopPropagation();
  };
  const label = C.keyboard.linkFrom(socket.socket, titleOf(socket.node));
  return (
    <div className="popup-back" onPointerDown={leave}>
      <div
        className="popup search"
        role="dialog"
        aria-label={label}
        style={{ width: WIDTH, ...place }}
        onPointerDown={(event) => {
          event.stopPropagation();
        }}
        onKeyDown={onKey}
      >
        <p className="wanted">{label}</p>
        <input
          autoFocus
          type="search"
          role="combobox"
          aria-expanded
          aria-controls="partners-found"
          aria-activedescendant={`partner-${at}`}
          aria-label={C.keyboard.linkWith}
          placeholder={C.keyboard.linkWith}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setAt(0);
          }}
        />
        <ul ref={list} id="partners-found" role="listbox" aria-label={C.keyboard.linkWith}>
          {found.map((item, index) => (
            <li
              key={`${item.node} ${item.socket}`}
              id={`partner-${index}`}
              role="option"
              aria-selected={index === at}
              className={index === at ? "at" : ""}
              onPointerMove={() => {
                setAt(index);
              }}
              onClick={() => choose(item)}
            >
              <div className="found-line">
                <span className="dots">
                  <i className={`type-${colourOf(item.types[0])}`} />
                </span>
                <b>{item.socket}</b>
                <small>{item.from ? `${item.title} · ${item.from}` : item.title}</small>
              </div>
            </li>
          ))}
          <li
            id={`partner-${found.length}`}
            role="option"
            aria-selected={at === found.length}
            className={at === found.length ? "at" : ""}
            onPointerMove={() => {
              setAt(found.length);
            }}
            onClick={() => choose(undefined)}
          >
            {C.keyboard.newNode}
          </li>
        </ul>
      </div>
    </div>
  );
}

function link({ node, socket, isOutput }: Socket, partner: Partner): void {
  const [source, output, target, input] = isOutput ? [node, socket, partner.node, partner.socket] : [partner.node, partner.socket, node, socket];
  const why = refusal({ source: flowId(source), sourceHandle: output, target: flowId(target), targetHandle: input });
  if (!why) run(connect(source, output, target, input));
  tell(why || C.keyboard.linked(`${titleOf(source)} ${output}`, `${titleOf(target)} ${input}`));
}

/** Searches for a node to add beside the socket's node. */
function addFor(socket: Socket, { left, top }: { left: number; top: number }): void {
  pick(null);
  const beside = elementOf(flowId(socket.node))?.getBoundingClientRect();
  const screen = beside ? ([socket.isOutput ? beside.right + 80 : beside.left - 320, beside.top + 20] as const) : ([left, top] as const);
  searchAt(screen, wantedOf(socket), socket);
}

function placeBy({ node, socket, isOutput }: Socket): { left: number; top: number } {
  const side = isOutput ? "source" : "target";
  const element = elementOf(flowId(node))?.querySelector(`.socket.${side}[data-handleid="${CSS.escape(socket)}"]`);
  const box = element?.getBoundingClientRect() ?? new DOMRect(innerWidth / 2, innerHeight / 3);
  const left = isOutput ? box.right + 12 : box.left - WIDTH - 12;
  return { left: Math.max(Math.min(left, innerWidth - WIDTH - 12), 8), top: Math.max(Math.min(box.top - 12, innerHeight - 360), 8) };
}
