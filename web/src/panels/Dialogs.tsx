/** The dialog that is open. Each is loaded when it is first wanted, and all of them once the page is at rest. */

import { useEffect, useState, type ComponentType } from "react";
import { showDialog, tell, useEditor, type Dialog } from "../editor";
import { T } from "../texts";

type Loader = () => Promise<{ readonly default: ComponentType }>;

const DIALOGS: Readonly<Record<Dialog, Loader>> = {
  open: () => import("../dialogs/OpenDialog"),
  templates: () => import("../dialogs/TemplatesDialog"),
  saveAs: () => import("../dialogs/SaveDialog"),
  shortcuts: () => import("../dialogs/ShortcutsDialog"),
  closing: () => import("../dialogs/ClosingDialog"),
  conflict: () => import("../dialogs/ConflictDialog"),
  versions: () => import("../dialogs/VersionsDialog"),
  missing: () => import("../dialogs/MissingDialog"),
  call: () => import("../dialogs/CallDialog"),
  settings: () => import("../dialogs/SettingsDialog"),
  about: () => import("../dialogs/AboutDialog"),
};

const AT_REST = 2500;

export function Dialogs() {
  const dialog = useEditor((state) => state.dialog);
  const [loaded, setLoaded] = useState<{ readonly name: Dialog; readonly Shown: ComponentType } | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => void Promise.allSettled(Object.values(DIALOGS).map((load) => load())), AT_REST);
    return () => {
      clearTimeout(timer);
    };
  }, []);
  useEffect(() => {
    if (!dialog) return;
    DIALOGS[dialog]().then(
      ({ default: Shown }) => {
        setLoaded({ name: dialog, Shown });
      },
      () => {
        showDialog(null);
        tell(T.told.noServer);
      },
    );
  }, [dialog]);
  return dialog && loaded?.name === dialog ? <loaded.Shown /> : null;
}
