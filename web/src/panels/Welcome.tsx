import { useEffect, useState } from "react";
import { runWorkflow, trying } from "../actions";
import { templates, type Template } from "../api/files";
import { showDialog, useEditor, useWhole } from "../editor";
import { openTemplate } from "../files";
import { lacking, useMe } from "../me";
import { useRuns } from "../runs";
import { T } from "../texts";
import "./welcome.css";

/** The templates that show best what can be made. */
const FIRST = ["txt2img", "lora", "sdxl-base", "controlnet"];

/** What an empty canvas says: start from a picture, or add a node. */
export function Welcome() {
  const now = useWhole();
  const isSearching = useEditor((state) => state.searching !== null);
  if (now.nodes.size || now.notes.length || now.groups.length || isSearching) return null;
  return (
    <section className="welcome">
      <h1>{T.canvas.emptyTitle}</h1>
      <p>{T.canvas.emptyText}</p>
      <Pictures />
      <button
        type="button"
        className="run"
        onClick={() => {
          showDialog("templates");
        }}
      >
        {T.dialog.templates}
      </button>
      <p>
        <small>{T.canvas.emptyHint}</small>
      </p>
    </section>
  );
}

function Pictures() {
  const [found, setFound] = useState<readonly Template[]>([]);
  const refused = useMe(lacking("runner"));
  const isConnected = useRuns((state) => state.isConnected);
  useEffect(() => {
    if (isConnected) templates().then(setFound, () => undefined); // without them the sentence above is enough
  }, [isConnected]);
  const shown = FIRST.flatMap((name) => found.find((template) => template.name === name && template.picture) ?? []);
  if (!shown.length) return null;
  return (
    <ul className="welcome-pictures" aria-label={T.templates.first}>
      {shown.map(({ name, title, picture }) => (
        <li key={name}>
          <button type="button" title={title} aria-label={T.templates.open(title)} onClick={() => trying(() => openTemplate(name))}>
            <img src={`${picture}?size=320`} alt="" />
            <span>{title.split(":")[0]}</span>
          </button>
          <button
            type="button"
            className="quiet"
            aria-label={T.templates.runIt(title)}
            disabled={refused !== ""}
            title={refused || undefined}
            onClick={() =>
              trying(async () => {
                await openTemplate(name);
                await runWorkflow();
              })
            }
          >
            {T.templates.run}
          </button>
        </li>
      ))}
    </ul>
  );
}
