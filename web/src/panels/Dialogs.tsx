import { useEffect, useRef, useState, type ReactNode } from "react";
import { openSaved, openTemplate, save, trying } from "../actions";
import { templates, workflowNames, type Template } from "../api/client";
import { currentTab, showDialog, useEditor } from "../editor";
import { GESTURES, SHORTCUTS } from "../shortcuts";
import { Icon } from "./Icon";
import { T } from "../texts";

const DIALOGS = { open: OpenDialog, templates: TemplatesDialog, saveAs: SaveDialog, shortcuts: ShortcutsDialog };

export function Dialogs() {
  const dialog = useEditor((state) => state.dialog);
  if (!dialog) return null;
  const Shown = DIALOGS[dialog];
  return <Shown />;
}

const close = (): void => {
  showDialog(null);
};

function Frame({ title, children, wide }: { readonly title: string; readonly children: ReactNode; readonly wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog${wide ? " wide" : ""}`}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === event.currentTarget) close();
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" className="icon-button" aria-label={T.panel.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

function OpenDialog() {
  const [names, setNames] = useState<readonly string[] | null>(null);
  const [words, setWords] = useState("");
  useEffect(() => {
    trying(async () => {
      setNames(await workflowNames());
    });
  }, []);
  const found = (names ?? []).filter((name) => name.toLowerCase().includes(words.toLowerCase()));
  const choose = (name: string): void => {
    close();
    trying(() => openSaved(name));
  };
  return (
    <Frame title={T.dialog.open}>
      <input
        type="search"
        autoFocus
        aria-label={T.dialog.filter}
        placeholder={T.dialog.filter}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
        }}
      />
      {names && !names.length && <p className="nothing">{T.dialog.noWorkflows}</p>}
      <ul className="names">
        {found.map((name) => (
          <li key={name}>
            <button type="button" onClick={() => choose(name)}>
              {name}
            </button>
          </li>
        ))}
      </ul>
    </Frame>
  );
}

function TemplatesDialog() {
  const [found, setFound] = useState<readonly Template[]>([]);
  useEffect(() => {
    trying(async () => {
      setFound(await templates());
    });
  }, []);
  const choose = (name: string): void => {
    close();
    trying(() => openTemplate(name));
  };
  return (
    <Frame title={T.dialog.templates} wide>
      <ul className="templates">
        {found.map((template) => (
          <li key={template.name}>
            <button type="button" onClick={() => choose(template.name)}>
              <b>{template.title}</b>
              <span>{template.notes[0]}</span>
            </button>
          </li>
        ))}
      </ul>
    </Frame>
  );
}

function SaveDialog() {
  const [name, setName] = useState(currentTab().name);
  return (
    <Frame title={T.dialog.saveAs}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!name.trim()) return;
          close();
          trying(() => save(name.trim()));
        }}
      >
        <label>
          {T.dialog.name}
          <input
            autoFocus
            value={name}
            onChange={(event) => {
              setName(event.target.value);
            }}
          />
        </label>
        <footer>
          <button type="button" onClick={close}>
            {T.dialog.cancel}
          </button>
          <button type="submit" className="run" disabled={!name.trim()}>
            {T.dialog.save}
          </button>
        </footer>
      </form>
    </Frame>
  );
}

function ShortcutsDialog() {
  const lines = [...SHORTCUTS.map((shortcut) => [shortcut.keys.join("  or  "), shortcut.text] as const), ...GESTURES];
  return (
    <Frame title={T.dialog.shortcuts} wide>
      <dl className="shortcuts">
        {lines.map(([keys, text]) => (
          <div key={text}>
            <dt>{text}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Frame>
  );
}
