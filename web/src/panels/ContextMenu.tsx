import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { aimedLink, linkEnds } from "../canvas/aimed";
import { fieldUnder, flowUnder, linkUnder } from "../canvas/under";
import { onCanvas } from "../canvas/view";
import { refusalOf, type Command } from "../commands/command";
import { keysOf, shownKeys } from "../commands/keys";
import { menuPlace, MENUS, type Entry } from "../commands/menus";
import { showMenu, useOpen, type OpenMenu } from "../commands/open";
import { commandOf } from "../commands/table";
import type { Point } from "../document/commands";
import { COLOURS, tintOf } from "../document/looks";
import { select, selectedNodes, useEditor, workflow } from "../editor";
import { C } from "../texts-canvas";
import { Icon } from "./Icon";
import "./context-menu.css";

const LONG_PRESS = 550;
const STILL = 8;

/** The menu of the canvas and of what lies on it: by right click, long press or the menu key. */
export function ContextMenu() {
  const menu = useOpen((state) => state.menu);
  useEffect(() => {
    document.addEventListener("contextmenu", onContextMenu);
    document.addEventListener("pointerdown", onPointerDown);
    return () => {
      document.removeEventListener("contextmenu", onContextMenu);
      document.removeEventListener("pointerdown", onPointerDown);
    };
  }, []);
  return menu && <Menu key={menu.screen.join()} menu={menu} />;
}

function onContextMenu(event: MouseEvent): void {
  const target = event.target as Element;
  if (!target.closest("main.canvas") || target.closest("input, textarea, [contenteditable]")) return;
  event.preventDefault();
  if (!useOpen.getState().menu) openAt([event.clientX, event.clientY], target);
}

/** A finger that rests opens the menu, as a right click does. */
function onPointerDown(down: PointerEvent): void {
  const target = down.target as Element;
  if (down.pointerType !== "touch" || !target.closest("main.canvas") || target.closest("input, textarea, button")) return;
  const stop = new AbortController();
  const timer = setTimeout(() => {
    stop.abort();
    if (!useOpen.getState().menu) openAt([down.clientX, down.clientY], target);
  }, LONG_PRESS);
  const end = (): void => {
    clearTimeout(timer);
    stop.abort();
  };
  const { signal } = stop;
  document.addEventListener("pointerup", end, { signal });
  document.addEventListener("pointercancel", end, { signal });
  document.addEventListener(
    "pointermove",
    (move) => {
      if (Math.hypot(move.clientX - down.clientX, move.clientY - down.clientY) > STILL) end();
    },
    { signal },
  );
}

function openAt(screen: Point, target: Element): void {
  const flow = flowUnder(target);
  const aim = flow === undefined ? (linkUnder(target) ?? null) : null;
  const { selection } = useEditor.getState();
  if (flow === undefined ? !aim : !selection.has(flow)) select(flow === undefined ? [] : [flow]);
  const place = aim ? "link" : menuPlace(useEditor.getState().selection);
  showMenu({ place, screen }, { aim, at: onCanvas(screen), field: fieldUnder(target) });
}

function close(): void {
  showMenu(null, { at: null });
}

function Menu({ menu }: { readonly menu: OpenMenu }) {
  const box = useRef<HTMLDivElement>(null);
  const before = useRef<Element | null>(null);
  useLayoutEffect(() => {
    before.current = document.activeElement;
    if (box.current) place(box.current, menu.screen);
    box.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus({ preventScroll: true });
  }, [menu]);
  useEffect(() => {
    // A finger takes the focus out of the menu that it opened.
    const onEscape = (event: globalThis.KeyboardEvent): void => {
      if (event.key === "Escape" && !box.current?.contains(document.activeElement)) close();
    };
    document.addEventListener("keydown", onEscape);
    return () => {
      document.removeEventListener("keydown", onEscape);
    };
  }, []);
  const leave = (): void => {
    const old = before.current;
    if (old instanceof HTMLElement && old.isConnected && old !== document.body) old.focus({ preventScroll: true });
    else document.querySelector<HTMLElement>("main.canvas")?.focus({ preventScroll: true });
  };
  const run = (command: Command): void => {
    leave();
    command.run();
    close();
  };
  const onKey = (event: KeyboardEvent<HTMLDivElement>): void => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      leave();
      close();
    } else if (moveFocus(event.key)) event.preventDefault();
  };
  return (
    <div
      className="menu-back"
      onPointerDown={(event) => {
        if (event.target !== event.currentTarget) return;
        leave();
        close();
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        if (event.target !== event.currentTarget) return;
        leave();
        close();
      }}
    >
      <div ref={box} className="context-menu" role="menu" aria-label={labelOf(menu)} onKeyDown={onKey}>
        {menu.place === "link" && <LinkInfo />}
        {tidied(MENUS[menu.place]).map((entry, index) => (
          <EntryView key={index} entry={entry} run={run} />
        ))}
      </div>
    </div>
  );
}

function labelOf({ place }: OpenMenu): string {
  return C.menu.labels[place] ?? C.menu.label;
}

function LinkInfo() {
  const aimed = aimedLink();
  if (!aimed) return null;
  const { from, to } = linkEnds(aimed);
  return (
    <p className="menu-info" role="presentation">
      {C.menu.linkInfo(from, to)}
    </p>
  );
}

/** The entries there is something to do for, with single lines between. */
function tidied(entries: readonly Entry[]): Entry[] {
  const ready = entries.filter((entry) => typeof entry !== "string" || entry === "colours" || commandOf(entry)?.isReady?.() !== false);
  const known = ready.filter((entry) => typeof entry !== "string" || entry === "colours" || commandOf(entry));
  return known.filter((entry, index) => entry !== null || (index > 0 && index < known.length - 1 && known[index - 1] !== null));
}

function EntryView({ entry, run }: { readonly entry: Entry; readonly run: (command: Command) => void }): ReactNode {
  if (entry === null) return <hr role="separator" />;
  if (entry === "colours") return <Colours run={run} />;
  if (typeof entry !== "string") return <More title={entry.title} ids={entry.ids} run={run} />;
  const command = commandOf(entry);
  return command && <ItemView command={command} run={run} />;
}

function ItemView({ command, run }: { readonly command: Command; readonly run: (command: Command) => void }) {
  const isOn = command.isOn?.();
  const [keys] = keysOf(command);
  const refused = refusalOf(command);
  return (
    <button
      type="button"
      aria-disabled={refused ? true : undefined}
      title={refused || undefined}
      tabIndex={-1}
      role={isOn === undefined ? "menuitem" : "menuitemcheckbox"}
      aria-checked={isOn}
      aria-keyshortcuts={keys}
      onPointerEnter={(event) => {
        event.currentTarget.focus({ preventScroll: true });
      }}
      onClick={() => {
        if (!refused) run(command);
      }}
    >
      <span className="mark">{isOn && <Icon name="check" />}</span>
      <span>{command.title}</span>
      {keys && <kbd aria-hidden>{shownKeys(keys)}</kbd>}
    </button>
  );
}

/** A menu in the menu: opens under the pointer, by Enter or the arrow to the right. */
function More({ title, ids, run }: { readonly title: string; readonly ids: readonly (string | null)[]; readonly run: (command: Command) => void }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (isOpen && box.current && inner.current) placeBeside(inner.current, box.current);
  }, [isOpen]);
  const enter = (): void => {
    setOpen(true);
    requestAnimationFrame(() => inner.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus({ preventScroll: true }));
  };
  return (
    <div
      ref={box}
      role="presentation"
      className="more"
      onPointerEnter={() => {
        setOpen(true);
      }}
      onPointerLeave={() => {
        setOpen(false);
      }}
      onKeyDown={(event) => {
        if (event.key === "ArrowRight" && !isOpen) enter();
        if (event.key !== "ArrowLeft" || !isOpen) return;
        event.stopPropagation();
        setOpen(false);
        box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
      }}
    >
      <button
        type="button"
        tabIndex={-1}
        role="menuitem"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onPointerEnter={(event) => {
          event.currentTarget.focus({ preventScroll: true });
        }}
        onClick={enter}
      >
        <span className="mark" />
        <span>{title}</span>
        <Icon name="right" />
      </button>
      {isOpen && (
        <div ref={inner} role="menu" aria-label={title} className="context-menu inner">
          {tidied(ids).map((entry, index) => (
            <EntryView key={index} entry={entry} run={run} />
          ))}
        </div>
      )}
    </div>
  );
}

function Colours({ run }: { readonly run: (command: Command) => void }) {
  const now = chosenTint();
  const choices = [{ name: "none", bgcolor: "" }, ...COLOURS];
  return (
    <div role="group" aria-label={C.menu.colour} className="colours">
      {choices.map(({ name, bgcolor }) => {
        const command = commandOf(`colour.${name}`);
        const text = C.colours[name] ?? C.commands.noColour;
        return (
          command && (
            <button
              key={name}
              type="button"
              tabIndex={-1}
              role="menuitemradio"
              aria-checked={now === bgcolor}
              aria-label={text}
              title={text}
              style={{ "--tint": bgcolor || "transparent" } as object}
              onClick={() => {
                run(command);
              }}
            />
          )
        );
      })}
    </div>
  );
}

/** The colour of the first node that is selected. */
function chosenTint(): string {
  const [id] = selectedNodes();
  const node = id === undefined ? undefined : workflow().nodes.get(id);
  return node ? tintOf(node.extra) : "none chosen";
}

function place(menu: HTMLElement, [x, y]: Point): void {
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(Math.min(x, innerWidth - width - 8), 8)}px`;
  menu.style.top = `${Math.max(Math.min(y, innerHeight - height - 8), 8)}px`;
}

function placeBeside(inner: HTMLElement, box: HTMLElement): void {
  const [beside, { width, height }] = [box.getBoundingClientRect(), inner.getBoundingClientRect()];
  inner.style.left = beside.right + width + 8 > innerWidth ? `${-width}px` : "100%";
  inner.style.top = `${Math.min(-6, innerHeight - beside.top - height - 8)}px`;
}

/** Moves the focus within the open menu; a letter goes to the next entry that starts with it. */
function moveFocus(key: string): boolean {
  const at = document.activeElement as HTMLElement | null;
  const menu = at?.closest<HTMLElement>("[role=menu]");
  if (!at || !menu) return false;
  const items = [...menu.querySelectorAll<HTMLElement>("[role^=menuitem]")].filter((item) => item.closest("[role=menu]") === menu);
  const now = items.indexOf(at);
  const isColour = at.closest(".colours") !== null;
  const colours = items.filter((item) => item.closest(".colours"));
  const below = isColour ? items.indexOf(colours.at(-1) as HTMLElement) + 1 : now + 1;
  const above = isColour ? items.indexOf(colours[0] as HTMLElement) - 1 : now - 1;
  const next =
    { ArrowDown: below, ArrowUp: above, Home: 0, End: items.length - 1, ...(isColour ? { ArrowRight: now + 1, ArrowLeft: now - 1 } : {}) }[key] ??
    (key.length === 1 ? startingWith(items, key, now) : undefined);
  if (next === undefined) return false;
  items.at(next % items.length)?.focus({ preventScroll: true });
  return true;
}

function startingWith(items: readonly HTMLElement[], letter: string, now: number): number | undefined {
  const order = [...items.keys()].map((index) => (index + now + 1) % items.length);
  return order.find((index) => (items[index]?.textContent ?? "").trim().toLowerCase().startsWith(letter.toLowerCase()));
}
