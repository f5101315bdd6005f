import { memo, useEffect, useRef, useState, type KeyboardEvent } from "react";
import { trying } from "../actions";
import { activate, isChanged, labelOf, moveTab, openEmpty, useEditor, type Tab } from "../editor";
import { closeTab, renameTab } from "../files";
import { T } from "../texts";
import { Icon } from "./Icon";
import "./tabs.css";

/** Open workflows. Drag or Ctrl+Shift+arrow moves a tab, double-click or F2 renames it, a middle click closes it. */
export function Tabs() {
  const tabs = useTabs();
  const active = useEditor((state) => state.active);
  const list = useRef<HTMLDivElement>(null);
  const [isWide, setWide] = useState(false);
  useEffect(() => {
    const { current } = list;
    if (!current) return;
    const look = new ResizeObserver(() => {
      setWide(current.scrollWidth > current.clientWidth + 1);
      current.querySelector(".active")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    look.observe(current);
    for (const child of current.children) look.observe(child);
    return () => {
      look.disconnect();
    };
  }, [tabs, active]);
  return (
    <div className="tabs">
      <div
        ref={list}
        className="tab-list"
        role="tablist"
        aria-label={T.bar.tabs}
        onWheel={(event) => {
          event.currentTarget.scrollLeft += event.deltaY + event.deltaX;
        }}
      >
        {tabs.map((tab, place) => (
          <TabItem key={tab.id} {...tab} place={place} isActive={tab.id === active} isOnly={tabs.length === 1} />
        ))}
      </div>
      {isWide && (
        <select className="all-tabs" aria-label={T.bar.allTabs} title={T.bar.allTabs} value={active} onChange={(event) => activate(event.target.value)}>
          {tabs.map((tab) => (
            <option key={tab.id} value={tab.id}>
              {tab.label}
            </option>
          ))}
        </select>
      )}
      <button type="button" className="icon-button" aria-label={T.bar.newTab} title={T.bar.newTab} onClick={openEmpty}>
        <Icon name="plus" />
      </button>
    </div>
  );
}

/** What is shown of a tab. */
interface Shown {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly isUnsaved: boolean;
}

const shownOf = (tab: Tab): Shown => ({ id: tab.key, name: tab.name, label: labelOf(tab), isUnsaved: isChanged(tab) });

/** What is shown of all tabs: the same list while a change shows in none of them, as most do. */
function useTabs(): readonly Shown[] {
  const known = useRef<readonly Shown[]>([]);
  return useEditor(({ tabs }) => {
    const shown = tabs.map(shownOf);
    if (JSON.stringify(shown) !== JSON.stringify(known.current)) known.current = shown;
    return known.current;
  });
}

interface Props extends Shown {
  readonly place: number;
  readonly isActive: boolean;
  readonly isOnly: boolean;
}

const dragged = { key: "" };

const TabItem = memo(function TabItem({ id, name, label, isUnsaved, place, isActive, isOnly }: Props) {
  const [isNaming, setNaming] = useState(false);
  if (isNaming) return <TabName id={id} name={name} label={label} end={() => setNaming(false)} />;
  return (
    <span
      role="presentation"
      className={`tab${isActive ? " active" : ""}`}
      draggable
      onDragStart={(event) => {
        dragged.key = id;
        event.dataTransfer.effectAllowed = "move";
      }}
      onDragOver={(event) => {
        if (!dragged.key) return;
        event.preventDefault();
        if (dragged.key !== id) moveTab(dragged.key, place);
      }}
      onDragEnd={() => {
        dragged.key = "";
      }}
      onAuxClick={(event) => {
        if (event.button === 1) closeTab(id);
      }}
    >
      <button
        type="button"
        role="tab"
        aria-selected={isActive}
        tabIndex={isActive ? 0 : -1}
        aria-keyshortcuts={T.bar.closeTabKey}
        onClick={() => {
          activate(id);
        }}
        onDoubleClick={() => {
          setNaming(true);
        }}
        onKeyDown={(event) => {
          onKey(event, id, place, () => setNaming(true));
        }}
      >
        {label}
        {isUnsaved && <i className="changed" role="img" title={T.bar.unsaved} aria-label={T.bar.unsaved} />}
      </button>
      {!isOnly && (
        <button
          type="button"
          className="close"
          tabIndex={-1}
          aria-hidden
          title={T.bar.closeTab(label)}
          onClick={() => {
            closeTab(id);
          }}
        >
          <Icon name="close" />
        </button>
      )}
    </span>
  );
});

function onKey(event: KeyboardEvent<HTMLElement>, key: string, place: number, rename: () => void): void {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "Delete") closeTab(key);
  else if (event.key === "F2") rename();
  else if (by && event.ctrlKey && event.shiftKey) moveTab(key, place + by);
  else if (by) focusTab(event.currentTarget, by);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function focusTab(from: HTMLElement, by: number): void {
  const tabs = [...(from.closest("[role=tablist]")?.querySelectorAll<HTMLElement>("[role=tab]") ?? [])];
  const next = tabs[(tabs.indexOf(from) + by + tabs.length) % tabs.length];
  next?.focus();
  next?.click();
}

function TabName({ id, name: old, label, end }: Pick<Shown, "id" | "name" | "label"> & { readonly end: () => void }) {
  const [name, setName] = useState(old || label);
  const finish = (): void => {
    end();
    trying(() => renameTab(id, name.trim()));
  };
  return (
    <input
      className="tab-name"
      autoFocus
      aria-label={T.bar.renameTab(label)}
      value={name}
      size={Math.max(name.length, 8)}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setName(event.target.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") finish();
        if (event.key === "Escape") end();
      }}
    />
  );
}
