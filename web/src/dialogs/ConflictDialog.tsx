import { useState } from "react";
import { trying } from "../actions";
import { tabOf } from "../editor";
import { keepMineAs, overwriteTheirs, takeTheirs, useFiles } from "../files";
import { T } from "../texts";
import { DifferenceList } from "./Difference";
import { Frame } from "./Frame";

/** Asks what stays where somebody else has saved under the same name. */
export default function ConflictDialog() {
  const conflict = useFiles((state) => state.conflict);
  const [name, setName] = useState(conflict ? T.files.mine(conflict.name) : "");
  const tab = conflict && tabOf(conflict.tab);
  if (!conflict || !tab) return null;
  const mine = tab.history.now;
  const isTaken = tab.etag === null || tab.name !== conflict.name;
  return (
    <Frame title={isTaken ? T.files.takenTitle(conflict.name) : T.files.conflictTitle(conflict.name)} wide>
      <div className="dialog-body">
        <p>{isTaken ? T.files.takenText : T.files.conflictText}</p>
        <h3>{T.files.conflictDiff}</h3>
        <DifferenceList before={conflict.theirs} after={mine} />
        <form
          className="row-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) trying(() => keepMineAs(conflict, name.trim()));
          }}
        >
          <input
            aria-label={T.files.otherName}
            value={name}
            onChange={(event) => {
              setName(event.target.value);
            }}
          />
          <button type="submit" className="run" disabled={!name.trim()}>
            {T.files.keepMine}
          </button>
        </form>
        <footer>
          <button type="button" className="quiet" onClick={() => takeTheirs(conflict)}>
            {T.files.takeTheirs}
          </button>
          <button type="button" className="quiet danger" onClick={() => trying(() => overwriteTheirs(conflict))}>
            {T.files.overwrite}
          </button>
        </footer>
      </div>
    </Frame>
  );
}
