import { useEffect, useMemo, useState, type DragEvent } from "react";
import { trying } from "../actions";
import { deleteWorkflow, lastPictures, renameWorkflow, savedWorkflows, versionsOf, type Entry } from "../api/files";
import { showDialog } from "../editor";
import { duplicateSaved, openSaved, openVersion, uploadWorkflows, useFiles } from "../files";
import { may, useMe } from "../me";
import { Icon } from "../panels/Icon";
import { recentNames } from "../recent";
import { T } from "../texts";
import { close, Frame } from "./Frame";
import { ALL, DELETED, folderOf, listed, RECENT, type Sort } from "./listing";
import { Thumbnail } from "./Thumbnail";

export default function OpenDialog() {
  const [entries, setEntries] = useState<readonly Entry[] | null>(null);
  const [deleted, setDeleted] = useState<readonly Entry[]>([]);
  const [pictures, setPictures] = useState<ReadonlyMap<string, string>>(new Map());
  const [place, setPlace] = useState(ALL);
  const [words, setWords] = useState("");
  const [sort, setSort] = useState<Sort>("newest");
  const [isDropping, setDropping] = useState(false);
  const read = (): void => {
    trying(async () => {
      setEntries(await savedWorkflows());
      setDeleted(await savedWorkflows(true));
    });
  };
  useEffect(() => {
    read();
    trying(async () => {
      setPictures(await lastPictures());
    });
  }, []);
  const folders = useMemo(() => [...new Set((entries ?? []).map(({ name }) => folderOf(name)).filter(Boolean))].sort(), [entries]);
  const recent = recentNames();
  const found = listed(place === DELETED ? deleted : (entries ?? []), place, words, sort, recent);
  const places = [[ALL, T.files.all], ...(recent.length ? [[RECENT, T.files.recent]] : []), ...folders.map((name) => [name, name]), ...(deleted.length ? [[DELETED, T.files.deleted]] : [])];
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    setDropping(false);
    const files = [...event.dataTransfer.files];
    trying(async () => {
      await uploadWorkflows(files);
      read();
    });
  };
  return (
    <Frame title={T.dialog.open} wide>
      <div
        className={`open-dialog${isDropping ? " dropping-here" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setDropping(true);
        }}
        onDragLeave={() => {
          setDropping(false);
        }}
        onDrop={onDrop}
      >
        <nav aria-label={T.files.folders}>
          {places.map(([id = "", label]) => (
            <button key={id} type="button" aria-current={place === id} onClick={() => setPlace(id)}>
              {label}
            </button>
          ))}
        </nav>
        <div className="open-main">
          <div className="open-tools">
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
            <select aria-label={T.files.sort} value={sort} onChange={(event) => setSort(event.target.value as Sort)}>
              <option value="newest">{T.files.newest}</option>
              <option value="name">{T.files.byName}</option>
            </select>
          </div>
          {entries && !entries.length && place !== DELETED && <p className="nothing">{T.dialog.noWorkflows}</p>}
          <ul className="cards" aria-label={T.files.list}>
            {found.map((entry) =>
              place === DELETED ? <DeletedCard key={entry.name} entry={entry} /> : <Card key={entry.name} entry={entry} picture={pictures.get(entry.name)} changed={read} />,
            )}
          </ul>
          <small>{T.files.dropHint}</small>
        </div>
      </div>
    </Frame>
  );
}

function Card({ entry: { name, modified }, picture, changed }: { readonly entry: Entry; readonly picture: string | undefined; readonly changed: () => void }) {
  const [isNaming, setNaming] = useState(false);
  const [isSure, setSure] = useState(false);
  const canEdit = useMe(may("editor"));
  const doing = (action: () => Promise<unknown>) => () => {
    trying(async () => {
      await action();
      changed();
    });
  };
  if (isNaming) return <Naming name={name} end={() => setNaming(false)} changed={changed} />;
  return (
    <li className="file-card">
      <button
        type="button"
        className="file-open"
        onClick={() => {
          close();
          trying(() => openSaved(name));
        }}
      >
        <Thumbnail name={name} picture={picture} />
        <b>{name.split("/").at(-1)}</b>
        <small>{T.files.when(modified)}</small>
      </button>
      <div className="file-tools">
        <Tool text={T.files.versionsOf(name)} icon="history" onClick={() => {
          useFiles.setState({ versionsOf: name });
          showDialog("versions");
        }} />
        <Tool text={T.files.rename(name)} icon="pen" disabled={!canEdit} onClick={() => setNaming(true)} />
        <Tool text={T.files.duplicate(name)} icon="copy" disabled={!canEdit} onClick={doing(() => duplicateSaved(name))} />
        {isSure ? (
          <button type="button" className="sure" autoFocus onBlur={() => setSure(false)} onClick={doing(() => deleteWorkflow(name))}>
            {T.files.reallyDelete}
          </button>
        ) : (
          <Tool text={T.files.delete(name)} icon="bin" disabled={!canEdit} onClick={() => setSure(true)} />
        )}
      </div>
    </li>
  );
}

interface ToolProps {
  readonly text: string;
  readonly icon: "history" | "pen" | "copy" | "bin";
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

function Tool({ text, icon, disabled = false, onClick }: ToolProps) {
  return (
    <button type="button" className="icon-button" aria-label={text} title={disabled ? T.me.needs("editor") : text} disabled={disabled} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function Naming({ name, end, changed }: { readonly name: string; readonly end: () => void; readonly changed: () => void }) {
  const [to, setTo] = useState(name);
  return (
    <li className="file-card">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          end();
          if (to.trim() && to.trim() !== name)
            trying(async () => {
              await renameWorkflow(name, to.trim());
              changed();
            });
        }}
      >
        <label>
          {T.dialog.name}
          <input autoFocus value={to} onChange={(event) => setTo(event.target.value)} onFocus={(event) => event.target.select()} />
        </label>
        <div className="file-tools">
          <button type="button" className="quiet" onClick={end}>
            {T.dialog.cancel}
          </button>
          <button type="submit" className="run">
            {T.files.renameDone}
          </button>
        </div>
      </form>
    </li>
  );
}

/** A workflow that was deleted: its last version can be opened. */
function DeletedCard({ entry: { name, modified } }: { readonly entry: Entry }) {
  return (
    <li className="file-card">
      <button
        type="button"
        className="file-open"
        onClick={() => {
          close();
          trying(async () => {
            const [last] = await versionsOf(name);
            if (last) await openVersion(name, last.id);
          });
        }}
      >
        <b>{name}</b>
        <small>{T.files.when(modified)}</small>
        <small>{T.files.bringBack}</small>
      </button>
    </li>
  );
}
