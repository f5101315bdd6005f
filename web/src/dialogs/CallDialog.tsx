import { useState } from "react";
import { commandLine, curlCode, pythonCode, settable, type Call } from "../document/callcode";
import { writeWorkflow } from "../document/document";
import { useWhole } from "../editor";
import { download, fileName } from "../files";
import { useMe } from "../me";
import { copyText } from "../copying";
import { T } from "../texts";
import { Frame } from "./Frame";

const LANGUAGES = { python: pythonCode, curl: curlCode, command: commandLine };
type Language = keyof typeof LANGUAGES;

/** The code that runs this workflow from elsewhere, to be copied. */
export default function CallDialog() {
  const workflow = useWhole();
  const token = useMe((me) => me.token);
  const [language, setLanguage] = useState<Language>("python");
  const sets = settable(workflow);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const file = `${fileName()}.json`;
  const chosen = new Map([...sets].filter(([name]) => !left.has(name)));
  const call: Call = { server: location.origin, file, sets: chosen, token };
  const code = LANGUAGES[language](call);
  return (
    <Frame title={T.call.title} wide>
      <div className="dialog-body">
        <p>{T.call.text(file)}</p>
        <div className="choices" role="tablist" aria-label={T.call.languages}>
          {(Object.keys(LANGUAGES) as Language[]).map((name) => (
            <button key={name} type="button" role="tab" aria-selected={language === name} onClick={() => setLanguage(name)}>
              {T.call.names[name]}
            </button>
          ))}
        </div>
        {sets.size > 0 && (
          <fieldset className="sets">
            <legend>{T.call.sets}</legend>
            {[...sets.keys()].map((name) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={!left.has(name)}
                  onChange={() => setLeft(new Set(left.has(name) ? [...left].filter((other) => other !== name) : [...left, name]))}
                />
                {name}
              </label>
            ))}
          </fieldset>
        )}
        <pre className="code" tabIndex={0} aria-label={T.call.code}>
          {code}
        </pre>
        <footer>
          <button type="button" className="quiet" onClick={() => download(file, writeWorkflow(workflow))}>
            {T.call.download(file)}
          </button>
          <button type="button" className="run" onClick={() => void copyText(code)}>
            {T.call.copy}
          </button>
        </footer>
      </div>
    </Frame>
  );
}
