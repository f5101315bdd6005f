import { useState } from "react";
import { trying } from "../actions";
import type { MissingFile, MissingType } from "../api/files";
import { goTo } from "../canvas/view";
import { titleOfRan } from "../editor";
import { compareContents, putMatches, useFiles } from "../files";
import { T } from "../texts";
import { close, Frame } from "./Frame";

const keyOf = ({ node, input }: MissingFile): string => `${node} ${input}`;

/** What a workflow needs that is not here, and what could take its place. Nothing is replaced unasked. */
export default function MissingDialog() {
  const missing = useFiles((state) => state.missing);
  const [chosen, setChosen] = useState<ReadonlyMap<string, string>>(new Map());
  const [done, setDone] = useState<ReadonlySet<string>>(new Set());
  const [isComparing, setComparing] = useState(false);
  if (!missing) return null;
  const chosenOf = (file: MissingFile): string => chosen.get(keyOf(file)) ?? file.matches[0]?.name ?? "";
  const use = (files: readonly MissingFile[]): void => {
    putMatches(files.map((file) => ({ file, name: chosenOf(file) })));
    setDone(new Set([...done, ...files.map(keyOf)]));
  };
  const left = missing.files.filter((file) => file.matches.length && !done.has(keyOf(file)));
  const unlooked = missing.files.some((file) => file.hash && file.pending);
  return (
    <Frame title={T.missing.title} wide>
      <div className="dialog-body missing-things">
        <p>{T.missing.text}</p>
        {missing.types.length > 0 && <h3>{T.missing.types}</h3>}
        <ul>
          {missing.types.map((type) => (
            <TypeLine key={type.type} type={type} />
          ))}
        </ul>
        {missing.files.length > 0 && <h3>{T.missing.files}</h3>}
        <ul>
          {missing.files.map((file) => (
            <FileLine
              key={keyOf(file)}
              file={file}
              chosen={chosenOf(file)}
              isDone={done.has(keyOf(file))}
              choose={(name) => setChosen(new Map(chosen).set(keyOf(file), name))}
              use={() => use([file])}
            />
          ))}
        </ul>
        <footer>
          {unlooked && (
            <button
              type="button"
              className="quiet"
              disabled={isComparing}
              onClick={() =>
                trying(async () => {
                  setComparing(true);
                  await compareContents().finally(() => setComparing(false));
                })
              }
            >
              {isComparing ? T.missing.comparing : T.missing.compare}
            </button>
          )}
          <span className="space" />
          <button type="button" className="quiet" onClick={close}>
            {left.length ? T.missing.later : T.panel.close}
          </button>
          {left.length > 0 && (
            <button
              type="button"
              className="run"
              onClick={() => {
                use(left);
                if (!missing.types.length && left.length === missing.files.length - done.size) close();
              }}
            >
              {T.missing.useAll(left.length)}
            </button>
          )}
        </footer>
      </div>
    </Frame>
  );
}

function TypeLine({ type: { type, nodes, pack, url } }: { readonly type: MissingType }) {
  return (
    <li>
      <div>
        <b>{type}</b> <small>{T.missing.nodes(nodes.length)}</small>
        <p>
          {pack ? T.missing.pack(pack) : T.missing.noPack}{" "}
          {url && (
            <a href={url} target="_blank" rel="noreferrer">
              {url}
            </a>
          )}
        </p>
      </div>
      <button
        type="button"
        className="quiet"
        onClick={() => {
          close();
          goTo(nodes[0] ?? "");
        }}
      >
        {T.panel.goTo}
      </button>
    </li>
  );
}

interface LineProps {
  readonly file: MissingFile;
  readonly chosen: string;
  readonly isDone: boolean;
  readonly choose: (name: string) => void;
  readonly use: () => void;
}

function FileLine({ file, chosen, isDone, choose, use }: LineProps) {
  const match = file.matches.find(({ name }) => name === chosen);
  return (
    <li className={isDone ? "done" : ""}>
      <div>
        <b>{file.name}</b> <small>{T.missing.of(titleOfRan(file.node), file.kind)}</small>
        {match && (
          <div className="match">
            <select aria-label={T.missing.instead(file.name)} value={chosen} disabled={isDone} onChange={(event) => choose(event.target.value)}>
              {file.matches.map(({ name, family }) => (
                <option key={name} value={name}>
                  {family ? `${name} (${family})` : name}
                </option>
              ))}
            </select>
            <small className={`why ${match.why}`}>{T.missing.why[match.why]}</small>
          </div>
        )}
        {!match && <p>{T.missing.nothing(file.kind)}</p>}
        {file.url && (
          <a href={file.url} target="_blank" rel="noreferrer">
            {T.missing.get}
          </a>
        )}
      </div>
      {match && (
        <button type="button" className="quiet" disabled={isDone} onClick={use}>
          {isDone ? T.missing.used : T.missing.use}
        </button>
      )}
    </li>
  );
}
