import { GESTURES, SHORTCUTS } from "../shortcuts";
import { T } from "../texts";
import { Frame } from "./Frame";

export default function ShortcutsDialog() {
  const lines = [...SHORTCUTS.map((shortcut) => [shortcut.keys.join("  or  "), shortcut.text] as const), ...GESTURES];
  return (
    <Frame title={T.dialog.shortcuts} wide>
      <dl className="shortcuts">
        {lines.map(([keys, text]) => (
          <div key={text}>
            <dt>{text}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Frame>
  );
}
