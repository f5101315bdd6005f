import { useEffect, useState } from "react";
import { trying } from "../actions";
import { loadWorkflow, versionsOf, type Version } from "../api/files";
import { readWorkflow, type Workflow } from "../document/document";
import { currentTab, runWhole, useWhole } from "../editor";
import { openVersion, useFiles } from "../files";
import { T } from "../texts";
import { DifferenceList } from "./Difference";
import { Drawing } from "./Drawing";
import { close, Frame } from "./Frame";

/** What a workflow was at each save: looked at beside what is open, opened, or put back. */
export default function VersionsDialog() {
  const name = useFiles((state) => state.versionsOf);
  const now = useWhole();
  const [versions, setVersions] = useState<readonly Version[] | null>(null);
  const [chosen, setChosen] = useState<Version | null>(null);
  const [then, setThen] = useState<Workflow | null>(null);
  useEffect(() => {
    trying(async () => {
      const found = await versionsOf(name);
      setVersions(found);
      setChosen(found[0] ?? null);
    });
  }, [name]);
  useEffect(() => {
    setThen(null);
    if (chosen) trying(async () => setThen(readWorkflow((await loadWorkflow(name, chosen.id)).text)));
  }, [name, chosen]);
  const isOpen = currentTab().name === name;
  return (
    <Frame title={T.files.versionsTitle(name)} wide>
      <div className="versions">
        {versions && !versions.length && <p className="nothing">{T.files.noVersions}</p>}
        <ul aria-label={T.files.versions}>
          {versions?.map((version) => (
            <li key={version.id}>
              <button type="button" aria-pressed={version === chosen} onClick={() => setChosen(version)}>
                <b>{T.files.when(version.saved)}</b>
                <small>{version.auto ? T.files.automatic : T.files.byHand}</small>
              </button>
            </li>
          ))}
        </ul>
        {chosen && then && (
          <section aria-label={T.files.preview}>
            <Drawing workflow={then} />
            {isOpen && <h3>{T.files.sinceThen}</h3>}
            {isOpen && <DifferenceList before={then} after={now} />}
            <footer>
              <button
                type="button"
                className="quiet"
                onClick={() => {
                  close();
                  trying(() => openVersion(name, chosen.id));
                }}
              >
                {T.files.openVersion}
              </button>
              {isOpen && (
                <button
                  type="button"
                  className="run"
                  onClick={() => {
                    runWhole(() => then);
                    close();
                  }}
                >
                  {T.files.restoreVersion}
                </button>
              )}
            </footer>
          </section>
        )}
      </div>
    </Frame>
  );
}
