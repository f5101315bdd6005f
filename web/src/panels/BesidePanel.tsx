import type { ReactNode } from "react";
import { togglePanel, useOpen } from "../commands/open";
import { T } from "../texts";
import { C } from "../texts-canvas";
import { Icon } from "./Icon";
import { Library } from "./Library";
import { Outline } from "./Outline";
import "./beside.css";

/** The panel that floats at the left of the canvas: the node library or the outline. */
export function BesidePanel() {
  const panel = useOpen((state) => state.panel);
  if (!panel) return null;
  const title = panel === "library" ? C.commands.library : C.commands.outline;
  return (
    <Frame
      title={title}
      close={() => {
        togglePanel(panel);
      }}
    >
      {panel === "library" ? <Library /> : <Outline />}
    </Frame>
  );
}

function Frame({ title, close, children }: { readonly title: string; readonly close: () => void; readonly children: ReactNode }) {
  return (
    <aside
      className="beside"
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        close();
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" className="icon-button" aria-label={T.panel.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  );
}
