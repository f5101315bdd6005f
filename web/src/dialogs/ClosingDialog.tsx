import { trying } from "../actions";
import { activate, closeTab, labelOf, showDialog, tabOf } from "../editor";
import { saveTab, useFiles } from "../files";
import { T } from "../texts";
import { close, Frame } from "./Frame";

/** Asks what becomes of unsaved work in a tab that is to be closed. */
export default function ClosingDialog() {
  const key = useFiles((state) => state.closing);
  const tab = key === null ? undefined : tabOf(key);
  if (!tab) return null;
  const save = (): void => {
    close();
    if (!tab.name) {
      activate(tab.key);
      showDialog("saveAs");
      return;
    }
    trying(async () => {
      if (await saveTab(tab.key, tab.name, tab.etag)) closeTab(tab.key);
    });
  };
  return (
    <Frame title={T.files.closeTitle(labelOf(tab))}>
      <div className="dialog-body">
        <p>{T.files.closeText}</p>
        <footer>
          <button
            type="button"
            className="quiet"
            onClick={() => {
              close();
              closeTab(tab.key);
            }}
          >
            {T.files.discard}
          </button>
          <span className="space" />
          <button type="button" className="quiet" onClick={close}>
            {T.dialog.cancel}
          </button>
          <button type="button" className="run" autoFocus onClick={save}>
            {T.dialog.save}
          </button>
        </footer>
      </div>
    </Frame>
  );
}
