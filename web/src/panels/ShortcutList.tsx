import { useState, type KeyboardEvent } from "react";
import type { Area, Command } from "../commands/command";
import { changeKeys, commandWith, keysOf, pressed, shownKeys } from "../commands/keys";
import { COMMANDS } from "../commands/table";
import { useSettings } from "../settings";
import { T } from "../texts";
import { C } from "../texts-canvas";
import { Icon } from "./Icon";
import "./shortcuts.css";

/** What the mouse and the keys of the canvas do, for the list. */
const GESTURES: readonly (readonly [keys: string, text: string])[] = [
  [C.keys.go, C.keys.goText],
  [C.keys.enter, C.keys.enterText],
  [C.keys.sockets, C.keys.socketsText],
  [C.keys.link, C.keys.linkText],
  [C.keys.cut, C.keys.cutText],
  [C.keys.leave, C.keys.leaveText],
  [T.shortcuts.addClickKeys, T.shortcuts.addClick],
  [T.shortcuts.unlinkKeys, T.shortcuts.unlink],
  [T.subgraphs.rerouteKeys, T.subgraphs.rerouteLink],
  [T.shortcuts.panKeys, T.shortcuts.pan],
  [T.shortcuts.marqueeKeys, T.shortcuts.marquee],
  [T.shortcuts.copyDragKeys, T.shortcuts.copyDrag],
  [T.shortcuts.zoomKeys, T.shortcuts.zoom],
];

/** Every command by area; a click on its keys changes them. */
export function CommandKeys() {
  const areas = Object.keys(C.areas) as Area[];
  return areas.map((area) => (
    <section key={area} className="keys">
      <h3>{C.areas[area]}</h3>
      <dl>
        {COMMANDS.filter((command) => command.area === area).map((command) => (
          <Line key={command.id} command={command} />
        ))}
      </dl>
    </section>
  ));
}

/** The commands and what the mouse and the keys of the canvas do. */
export function ShortcutList() {
  return (
    <div className="shortcuts">
      <CommandKeys />
      <section className="keys">
        <h3>{C.keys.mouse}</h3>
        <dl>
          {GESTURES.map(([keys, text]) => (
            <div key={text}>
              <dt>{text}</dt>
              <dd>
                <kbd>{keys}</kbd>
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}

function Line({ command }: { readonly command: Command }) {
  const [isAsking, setAsking] = useState(false);
  const [taken, setTaken] = useState("");
  const own = useSettings((state) => state.values.keys[command.id]);
  const keys = own ?? keysOf(command);
  const take = (event: KeyboardEvent): void => {
    event.stopPropagation();
    const found = pressed(event);
    if (!found || found === "Tab" || found === "Shift+Tab") return;
    event.preventDefault();
    const other = commandWith(COMMANDS, found);
    if (other && other !== command && found !== "Escape") {
      setTaken(C.keys.taken(other.title));
      return;
    }
    if (found !== "Escape") changeKeys(command.id, found === "Backspace" || found === "Delete" ? [] : [found]);
    setAsking(false);
    setTaken("");
  };
  return (
    <div>
      <dt>{command.title}</dt>
      <dd>
        {taken && <small role="alert">{taken}</small>}
        <button
          type="button"
          className={isAsking ? "asking" : ""}
          aria-label={isAsking ? C.keys.press : C.keys.change(command.title, keys.map(shownKeys).join(" ") || C.keys.none)}
          onClick={() => {
            setAsking(true);
          }}
          onBlur={() => {
            setAsking(false);
            setTaken("");
          }}
          onKeyDown={isAsking ? take : undefined}
        >
          {isAsking ? <kbd>{C.keys.press}</kbd> : keys.map((item) => [<kbd key={item}>{shownKeys(item)}</kbd>, " "])}
          {!isAsking && !keys.length && <small>{C.keys.none}</small>}
        </button>
        {own && (
          <button type="button" className="icon-button" aria-label={C.keys.reset(command.title)} title={C.keys.reset(command.title)} onClick={() => changeKeys(command.id, null)}>
            <Icon name="undo" />
          </button>
        )}
      </dd>
    </div>
  );
}
