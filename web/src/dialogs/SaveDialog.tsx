import { useState } from "react";
import { trying } from "../actions";
import { currentTab, labelOf } from "../editor";
import { saveAs } from "../files";
import { T } from "../texts";
import { close, Frame } from "./Frame";

export default function SaveDialog() {
  const tab = currentTab();
  const label = labelOf(tab);
  const [name, setName] = useState(tab.name || (label === T.untitled ? "" : label.replace(/[/\\]+/g, "-")));
  return (
    <Frame title={T.dialog.saveAs}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!name.trim()) return;
          close();
          trying(() => saveAs(name.trim()));
        }}
      >
        <label>
          {T.dialog.name}
          <input
            autoFocus
            value={name}
            onFocus={(event) => {
              event.target.select();
            }}
            onChange={(event) => {
              setName(event.target.value);
            }}
          />
        </label>
        <small>{T.files.folderHint}</small>
        <footer>
          <button type="button" className="quiet" onClick={close}>
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
