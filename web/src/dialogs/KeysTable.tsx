import { SHORTCUTS } from "../shortcuts";

/** The commands with their keys. */
export function KeysTable() {
  return (
    <dl className="shortcuts">
      {SHORTCUTS.map(({ keys, text }) => (
        <div key={text}>
          <dt>{text}</dt>
          <dd>
            <kbd>{keys.join("  or  ")}</kbd>
          </dd>
        </div>
      ))}
    </dl>
  );
}
