import { useRef, useState, type ReactNode } from "react";
import { trying } from "../actions";
import { tell } from "../editor";
import { download } from "../files";
import { CommandKeys } from "../panels/ShortcutList";
import { changeSettings, FIRST, useSettings, valuesIn, type Values } from "../settings";
import { T } from "../texts";
import { Frame } from "./Frame";

const SECTIONS = ["appearance", "canvas", "work", "keys"] as const;
type Section = (typeof SECTIONS)[number];

/** What "as at first" resets: everything but what the editor keeps for itself, such as stars. */
const CHOSEN = Object.keys(FIRST).filter((name) => name !== "extra");

const change = (changes: Partial<Values>): void => trying(() => changeSettings(changes));

/** What people can choose, each with a sentence; changed at once, everywhere. */
export default function SettingsDialog() {
  const [section, setSection] = useState<Section>("appearance");
  return (
    <Frame title={T.settings.title} wide>
      <div className="open-dialog">
        <nav aria-label={T.settings.sections}>
          {SECTIONS.map((name) => (
            <button key={name} type="button" aria-current={section === name} onClick={() => setSection(name)}>
              {T.settings.names[name]}
            </button>
          ))}
        </nav>
        <div className="open-main settings">
          <div className="settings-list">{PAGES[section]()}</div>
          <Tools />
        </div>
      </div>
    </Frame>
  );
}

const PAGES: Readonly<Record<Section, () => ReactNode>> = {
  appearance: () => (
    <>
      <Choice name="theme" options={["system", "dark", "light"]} />
      <Choice name="motion" options={["system", "reduced"]} />
      <Choice name="links" options={["curved", "straight", "stepped"]} />
    </>
  ),
  canvas: () => (
    <>
      <Amount name="snap" min={0} max={200} />
      <Toggle name="minimap" />
      <Toggle name="shapes" />
    </>
  ),
  work: () => (
    <>
      <Amount name="autosave" min={0} max={3600} />
      <Toggle name="check" />
      <Toggle name="previews" />
    </>
  ),
  keys: () => <CommandKeys />,
};

type NameOf<Kind> = { [Name in keyof Values]: Values[Name] extends Kind ? Name : never }[keyof Values];
type Named = keyof typeof T.settings.labels;

function Setting({ name, children }: { readonly name: Named; readonly children: ReactNode }) {
  return (
    <label className="setting">
      <span>
        <b>{T.settings.labels[name]}</b>
        <small>{T.settings.hints[name]}</small>
      </span>
      {children}
    </label>
  );
}

function Choice({ name, options }: { readonly name: "theme" | "motion" | "links"; readonly options: readonly string[] }) {
  const value = useSettings((state) => state.values[name]);
  return (
    <Setting name={name}>
      <select value={value} onChange={(event) => change({ [name]: event.target.value })}>
        {options.map((option) => (
          <option key={option} value={option}>
            {T.settings.options[option] ?? option}
          </option>
        ))}
      </select>
    </Setting>
  );
}

function Toggle({ name }: { readonly name: NameOf<boolean> & Named }) {
  const value = useSettings((state) => state.values[name]);
  return (
    <Setting name={name}>
      <input type="checkbox" role="switch" checked={value} onChange={(event) => change({ [name]: event.target.checked })} />
    </Setting>
  );
}

function Amount({ name, min, max }: { readonly name: NameOf<number> & Named; readonly min: number; readonly max: number }) {
  const value = useSettings((state) => state.values[name]);
  return (
    <Setting name={name}>
      <input
        type="number"
        min={min}
        max={max}
        value={value}
        onChange={(event) => {
          const given = event.target.valueAsNumber;
          if (given >= min && given <= max) change({ [name]: given });
        }}
      />
    </Setting>
  );
}

/** Taking settings elsewhere, bringing them back, and all as at first. */
function Tools() {
  const file = useRef<HTMLInputElement>(null);
  const bring = async (chosen: File): Promise<void> => {
    let found: unknown;
    try {
      found = JSON.parse(await chosen.text());
    } catch {
      throw new Error(T.settings.noSettings(chosen.name));
    }
    await changeSettings(valuesIn(found));
    tell(T.settings.brought);
  };
  return (
    <footer>
      <button type="button" className="quiet" onClick={() => download("darkroom-settings.json", JSON.stringify(useSettings.getState().values, null, 2))}>
        {T.settings.export}
      </button>
      <button type="button" className="quiet" onClick={() => file.current?.click()}>
        {T.settings.import}
      </button>
      <span className="space" />
      <button type="button" className="quiet" onClick={() => trying(() => changeSettings(Object.fromEntries(CHOSEN.map((name) => [name, null]))))}>
        {T.settings.reset}
      </button>
      <input
        ref={file}
        hidden
        type="file"
        accept=".json"
        aria-label={T.settings.import}
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen) trying(() => bring(chosen));
          event.target.value = "";
        }}
      />
    </footer>
  );
}
