import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import "./menu.css";

export interface Item {
  readonly text: string;
  readonly run: () => void;
  readonly isOff?: boolean;
  /** Why it is off, where that is worth a word. */
  readonly why?: string;
  /** Whether it is on, for items that switch something. */
  readonly isOn?: boolean;
  readonly isDangerous?: boolean;
}

interface Props {
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
  /** A line parts the groups. */
  readonly groups: readonly (readonly Item[])[];
}

/** A button that opens a menu above everything, moved through with the arrow keys. */
export function ActionMenu({ label, className = "icon-button", children, groups }: Props) {
  const id = useId();
  const [button, menu] = [useRef<HTMLButtonElement>(null), useRef<HTMLDivElement>(null)];
  const [isOpen, setOpen] = useState(false);
  useLayoutEffect(() => {
    if (!isOpen || !button.current || !menu.current) return;
    placeBelow(menu.current, button.current.getBoundingClientRect());
    itemsOf(menu.current)[0]?.focus();
  }, [isOpen, button, menu]);
  return (
    <>
      <button ref={button} type="button" className={className} aria-label={label} title={label} aria-haspopup="menu" popoverTarget={id}>
        {children}
      </button>
      <div ref={menu} id={id} popover="auto" role="menu" aria-label={label} className="action-menu" onToggle={(event) => {
          setOpen(event.newState === "open");
        }} onKeyDown={onKey}>
        {(isOpen ? groups : [])
          .filter((items) => items.length)
          .map((items, index) => (
            <div key={index} role="group">
              {items.map((item) => (
                <MenuItem
                  key={item.text}
                  item={item}
                  close={() => {
                    menu.current?.hidePopover();
                    button.current?.focus();
                  }}
                />
              ))}
            </div>
          ))}
      </div>
    </>
  );
}

function MenuItem({ item, close }: { readonly item: Item; readonly close: () => void }) {
  return (
    <button
      type="button"
      role={item.isOn === undefined ? "menuitem" : "menuitemcheckbox"}
      aria-checked={item.isOn}
      disabled={item.isOff === true || Boolean(item.why)}
      title={item.why || undefined}
      className={item.isDangerous ? "dangerous" : ""}
      onClick={() => {
        close();
        item.run();
      }}
    >
      {item.text}
    </button>
  );
}

const itemsOf = (menu: Element): HTMLElement[] => [...menu.querySelectorAll<HTMLElement>("button:not(:disabled)")];

function onKey(event: KeyboardEvent<HTMLDivElement>): void {
  const items = itemsOf(event.currentTarget);
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  event.stopPropagation();
  if (next === undefined) return;
  event.preventDefault();
  items.at(next % items.length)?.focus();
}

const GAP = 4;

/** Below the button and in line with it, or where there is room. */
export function placeBelow(menu: HTMLElement, anchor: DOMRect): void {
  const { width, height } = menu.getBoundingClientRect();
  const top = anchor.bottom + GAP + height > innerHeight ? anchor.top - GAP - height : anchor.bottom + GAP;
  menu.style.left = `${Math.max(Math.min(anchor.right - width, innerWidth - width - GAP), GAP)}px`;
  menu.style.top = `${Math.max(top, GAP)}px`;
}
