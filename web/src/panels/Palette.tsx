import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { trying } from "../actions";
import { openSaved, openTemplate } from "../files";
import { savedWorkflows, templates } from "../api/files";
import { focusNode } from "../canvas/keyboard";
import { keysOf, shownKeys } from "../commands/keys";
import { showPalette, useOpen } from "../commands/open";
import { COMMANDS } from "../commands/table";
import { activate, labelOf, useEditor, workflow } from "../editor";
import { found, itemOf, type Item } from "../search/palette";
import { remember, useRecent } from "../taste";
import { C } from "../texts-canvas";
import { Icon } from "./Icon";
import "./palette.css";

/** One field for everything: commands, the nodes of the workflow, tabs, saved workflows, templates. */
export function Palette() {
  const isOpen = useOpen((state) => state.isPalette);
  return isOpen && <PaletteBox />;
}

const plain = (kind: Item["kind"], key: string, title: string, hint: string, run: () => void): Item => ({
  kind,
  key: `${kind} ${key}`,
  title,
  hint,
  keys: [],
  words: key,
  isOff: false,
  isOn: false,
  run,
});

function commandItems(): Item[] {
  return COMMANDS.filter((command) => command.id !== "view.palette").map((command) => itemOf(command, C.areas[command.area] ?? "", keysOf(command)));
}

function nodeItems(): Item[] {
  const { types } = useEditor.getState();
  return [...workflow().nodes].map(([id, node]) => {
    const type = types.get(node.type)?.title ?? node.type;
    return plain("node", id, node.title || type, node.title ? type : id, () => focusNode(id));
  });
}

function tabItems(): Item[] {
  const { tabs, active } = useEditor.getState();
  return tabs.filter((tab) => tab.key !== active).map((tab) => plain("tab", tab.key, labelOf(tab), "", () => activate(tab.key)));
}

async function keptItems(): Promise<Item[]> {
  const [names, shipped] = await Promise.all([savedWorkflows(), templates()]);
  return [
    ...names.map(({ name }) => plain("saved", name, name, "", () => trying(() => openSaved(name)))),
    ...shipped.map(({ name, title, notes }) => plain("template", name, title, notes[0] ?? "", () => trying(() => openTemplate(name)))),
  ];
}

function PaletteBox() {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const [kept, setKept] = useState<readonly Item[]>([]);
  const recent = useRecent((state) => state.commands);
  const here = useMemo(() => [...commandItems(), ...nodeItems(), ...tabItems()], []);
  const items = useMemo(() => found([...here, ...kept], words, recent), [here, kept, words, recent]);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
    keptItems().then(setKept, () => undefined);
  }, []);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, items]);
  const run = (item: Item | undefined): void => {
    if (!item || item.isOff) return;
    if (item.kind === "command") remember("commands", item.key);
    dialog.current?.close(); // gives the focus back
    item.run();
  };
  const onKey = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (by) setAt((place) => Math.min(Math.max(place + by, 0), items.length - 1));
    if (event.key === "Enter") run(items[at]);
    if (event.key === "Escape") dialog.current?.close();
    if (by || ["Enter", "Escape"].includes(event.key)) event.preventDefault();
  };
  const chosen = items[at];
  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label={C.palette.label}
      onClose={() => {
        showPalette(false);
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) dialog.current?.close();
      }}
    >
      <input
        autoFocus
        type="search"
        role="combobox"
        aria-expanded
        aria-controls="palette-found"
        aria-activedescendant={chosen ? `palette-${at}` : undefined}
        aria-label={C.palette.label}
        placeholder={C.palette.placeholder}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ul ref={list} id="palette-found" role="listbox" aria-label={C.palette.results}>
        {items.map((item, index) => (
          <Line key={item.key} item={item} index={index} isAt={index === at} isFirst={items[index - 1]?.kind !== item.kind} at={setAt} run={run} />
        ))}
        {!items.length && <li className="nothing">{C.palette.nothing}</li>}
      </ul>
      <footer aria-hidden>{C.palette.hints}</footer>
    </dialog>
  );
}

interface LineProps {
  readonly item: Item;
  readonly index: number;
  readonly isAt: boolean;
  readonly isFirst: boolean;
  readonly at: (index: number) => void;
  readonly run: (item: Item) => void;
}

function Line({ item, index, isAt, isFirst, at, run }: LineProps) {
  return (
    <>
      {isFirst && (
        <li role="presentation" className="kind">
          {C.palette.kinds[item.kind]}
        </li>
      )}
      <li
        id={`palette-${index}`}
        role="option"
        aria-selected={isAt}
        aria-disabled={item.isOff}
        className={isAt ? "at" : ""}
        onPointerMove={() => {
          at(index);
        }}
        onClick={() => {
          run(item);
        }}
      >
        <span className="palette-title">
          {item.title}
          {item.isOn && <Icon name="check" />}
        </span>
        <small>{item.hint}</small>
        <span className="palette-keys">
          {item.keys.slice(0, 1).map((keys) => (
            <kbd key={keys}>{shownKeys(keys)}</kbd>
          ))}
        </span>
      </li>
    </>
  );
}
