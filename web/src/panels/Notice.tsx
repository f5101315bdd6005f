import { useEffect } from "react";
import { useEditor } from "../editor";

/** In ms: a short text, one more letter, and one with a button at least. */
const SHOWN = { least: 5000, letter: 60, button: 12_000 };

/** What was told last, for as long as it takes to read, with a button where something can be done about it. */
export function Notice() {
  const notice = useEditor((state) => state.notice);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(hide, Math.max(SHOWN.least, notice.text.length * SHOWN.letter, notice.action ? SHOWN.button : 0));
    return () => {
      clearTimeout(timer);
    };
  }, [notice]);
  return (
    <div className="notice" role="status" aria-live="polite">
      {notice && (
        <p key={notice.key}>
          {notice.text}
          {notice.action && (
            <button
              type="button"
              onClick={() => {
                hide();
                notice.action?.run();
              }}
            >
              {notice.action.text}
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function hide(): void {
  useEditor.setState({ notice: null });
}
