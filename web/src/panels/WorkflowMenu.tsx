import { useRef, useState } from "react";
import { keysOf, shownKeys } from "../commands/keys";
import type { Command } from "../commands/command";
import { commandOf } from "../commands/table";
import { lacking, useMe } from "../me";
import { T } from "../texts";
import { Icon } from "./Icon";

/** The commands about whole workflows, in groups. */
const GROUPS: readonly (readonly string[])[] = [
  ["workflow.new", "workflow.open", "workflow.templates", "tab.reopen"],
  ["workflow.save", "workflow.saveAs", "workflow.versions"],
  ["workflow.import", "workflow.export", "workflow.exportApi", "workflow.exportEditor", "workflow.call"],
  ["workflow.missing", "view.form", "view.settings", "view.about"],
  ["workflow.clear"],
];

/** The menu of the bar: commands of the table, with their keys. */
export function WorkflowMenu() {
  const details = useRef<HTMLDetailsElement>(null);
  const [isOpen, setOpen] = useState(false);
  const close = (): void => {
    if (details.current) details.current.open = false;
  };
  return (
    <details
      ref={details}
      className="menu"
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        event.preventDefault();
        close();
        details.current?.querySelector("summary")?.focus();
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.open = false;
      }}
    >
      <summary aria-label={T.bar.workflow}>
        {T.bar.workflow} <Icon name="down" />
      </summary>
      {isOpen && (
        <div role="menu" aria-label={T.bar.workflow}>
          {GROUPS.map((ids, index) => (
            <div key={index} role="group">
              {ids.map((id) => {
                const command = commandOf(id);
                return command && <MenuItem key={id} command={command} close={close} />;
              })}
            </div>
          ))}
        </div>
      )}
    </details>
  );
}

function MenuItem({ command, close }: { readonly command: Command; readonly close: () => void }) {
  const refused = useMe(lacking(command.needs));
  const [keys] = keysOf(command);
  return (
    <button
      type="button"
      role="menuitem"
      disabled={refused !== "" || command.isReady?.() === false}
      title={refused || undefined}
      aria-keyshortcuts={keys}
      onClick={() => {
        close();
        command.run();
      }}
    >
      {command.title}
      {keys && <kbd aria-hidden>{shownKeys(keys)}</kbd>}
    </button>
  );
}
