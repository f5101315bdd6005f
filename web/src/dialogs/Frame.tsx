import { useEffect, useRef, type ReactNode } from "react";
import { showDialog } from "../editor";
import { Icon } from "../panels/Icon";
import { T } from "../texts";
import "./dialogs.css";

/** Where the focus is at first: what is to be written, else what most people choose. */
const FIRST = "input:not([type=checkbox]), button.run";

export const close = (): void => {
  showDialog(null);
};

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  readonly wide?: boolean;
  /** What else happens when it is closed without a decision. */
  readonly onClose?: () => void;
}

/** What every dialog has: a title, a cross, and that Escape and a click beside it close it. */
export function Frame({ title, children, wide, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>(FIRST)?.focus();
  }, []);
  const leave = (): void => {
    onClose?.();
    close();
  };
  return (
    <dialog
      ref={dialog}
      className={`dialog${wide ? " wide" : ""}`}
      aria-label={title}
      onClose={leave}
      onClick={(event) => {
        if (event.target === event.currentTarget) leave();
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" className="icon-button" aria-label={T.panel.close} onClick={leave}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
