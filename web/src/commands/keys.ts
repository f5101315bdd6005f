/** Keys: how they are written, which command has which, and what a press does. */

import { trying } from "../actions";
import { holdSpace } from "../canvas/spacePan";
import { search, select, tell, useEditor } from "../editor";
import { changeSettings, useSettings } from "../settings";
import { canRun, refusalOf, type Command } from "./command";
import { useOpen } from "./open";

/** The keys of a command: those that people chose, else the usual ones. */
export function keysOf(command: Command): readonly string[] {
  return useSettings.getState().values.keys[command.id] ?? command.keys ?? [];
}

/** Gives commands other keys, by their ids; what is not named has its usual ones. */
export function setKeys(keys: Readonly<Record<string, readonly string[]>>): void {
  trying(() => changeSettings({ keys }));
}

export function changeKeys(id: string, keys: readonly string[] | null): void {
  const others = Object.entries(useSettings.getState().values.keys).filter(([other]) => other !== id);
  setKeys(Object.fromEntries(keys ? [...others, [id, keys]] : others));
}

export function commandWith(commands: readonly Command[], keys: string): Command | undefined {
  return commands.find((command) => keysOf(command).includes(keys));
}

const NAMES: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ContextMenu: "Menu",
  Delete: "Del",
  Escape: "Esc",
  Backspace: "⌫",
};

/** Keys as they stand in menus. */
export const shownKeys = (keys: string): string => keys.replace(/[^+]+$/, (key) => NAMES[key] ?? key);

interface Press {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const MODIFIERS = ["Control", "Shift", "Alt", "Meta", "AltGraph"];

/** A press as keys are written: "Ctrl+Shift+Z". "" for a modifier alone. Shift is left out where it makes another sign. */
export function pressed({ key, ctrlKey, metaKey, altKey, shiftKey }: Press): string {
  if (MODIFIERS.includes(key)) return "";
  const name = key === " " ? "Space" : key.length === 1 ? key.toUpperCase() : key;
  const makesSign = name.length === 1 && !/[A-Z]/.test(name);
  return [ctrlKey || metaKey ? "Ctrl" : "", altKey ? "Alt" : "", shiftKey && !makesSign ? "Shift" : "", name].filter(Boolean).join("+");
}

const WRITES = "input:not([type=checkbox], [type=radio], [type=button], [type=color], [type=range]), textarea, select, [contenteditable]";
const OF_CONTROLS = ["Space", "Enter", "Delete", "Backspace", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const CONTROLS = "button, a, summary, [role=tab], [role=slider], [role=switch], input";

/** Does what the keys stand for, unless a text is written, a control wants them, or something is open over the canvas. */
export function onKeyOf(commands: readonly Command[]): (event: KeyboardEvent) => void {
  return (event) => {
    const target = event.target as Element | null;
    const isWriting = Boolean(target?.closest(WRITES));
    if (event.key === "Escape" && !isWriting && !event.defaultPrevented) leave();
    const { dialog, searching } = useEditor.getState();
    const { isPalette, menu, picking } = useOpen.getState();
    if (dialog || searching || isPalette || menu || picking || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const keys = pressed(event);
    const found = keys && commandWith(commands, keys);
    if (!found || (isWriting && !found.always) || (OF_CONTROLS.includes(keys) && target?.closest(CONTROLS))) return;
    if (found.byBrowser === keys) return;
    event.preventDefault();
    const refused = refusalOf(found);
    if (refused) tell(refused);
    else if (!canRun(found)) return;
    else if (keys !== "Space") found.run();
    else if (!event.repeat) holdSpace(found.run);
  };
}

function leave(): void {
  if (useEditor.getState().searching) search(null);
  else if (useOpen.getState().isFocused) useOpen.setState({ isFocused: false });
  else select([]);
}
