import { useEffect, useRef, type KeyboardEvent, type ReactNode } from "react";
import { createPortal } from "react-dom";

interface Props {
  /** What it opens from, on the screen. */
  readonly box: DOMRect;
  readonly close: () => void;
  readonly children: ReactNode;
  readonly className?: string;
  readonly width?: number;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
}

const ROOM = 360;

/** A box above the page beside what it was opened from; Escape or a click elsewhere closes it, and the focus goes back. */
export function Popover({ box, close, children, className = "", width = 220, onKeyDown }: Props) {
  const opener = useRef(document.activeElement);
  useEffect(() => {
    const from = opener.current;
    return () => {
      if (from instanceof HTMLElement && from.isConnected) from.focus({ preventScroll: true });
    };
  }, []);
  const below = innerHeight - box.bottom > ROOM || box.top < ROOM;
  const place = below ? { top: Math.min(box.bottom + 4, Math.max(innerHeight - ROOM, 8)) } : { bottom: innerHeight - box.top + 4 };
  return createPortal(
    <div className="popup-back nodrag nowheel" onPointerDown={close} onContextMenu={(event) => event.preventDefault()}>
      <div
        className={`popup ${className}`}
        style={{ left: Math.max(Math.min(box.left, innerWidth - Math.max(box.width, width) - 12), 8), minWidth: Math.max(box.width, width), ...place }}
        onPointerDown={(event) => {
          event.stopPropagation();
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
          onKeyDown?.(event);
          event.stopPropagation();
        }}
      >
        {children}
      </div>
    </div>,
    document.body,
  );
}
