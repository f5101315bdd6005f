import { useEffect, useState } from "react";
import { cancelRuns, runWorkflow, trying } from "../actions";
import { inputUrl } from "../api/client";
import { asText, isObject } from "../document/json";
import { addPort, inputPorts, movePort, possiblePorts, removePort, renamePort, type Port } from "../document/ports";
import { currentTab, labelOf, run, showPath, titleOf, typeOf, useEditor, useWorkflow } from "../editor";
import { copyText } from "../copying";
import { formAddress, useFiles } from "../files";
import { may, useMe } from "../me";
import { activeJobs, useRuns } from "../runs";
import { T } from "../texts";
import { W } from "../widgets/texts";
import { Widget } from "../widgets/Widget";
import { Icon } from "./Icon";
import { viewPicture } from "./viewing";
import "./form.css";

/** A workflow without its graph: its ports as fields, a button, and what comes of it. */
export function FormPage() {
  const workflow = useWorkflow();
  const title = useEditor((state) => labelOf(currentTab(state)));
  const saved = useEditor((state) => (currentTab(state).etag === null ? "" : currentTab(state).name));
  const [isChoosing, setChoosing] = useState(false);
  useEffect(() => {
    showPath([]); // a form is of the whole workflow
  }, []);
  const ports = inputPorts(workflow);
  const choosing = isChoosing || !ports.length;
  return (
    <section className="form-page" aria-label={T.form.label}>
      <form
        className="form-fields"
        onSubmit={(event) => {
          event.preventDefault();
          trying(() => runWorkflow());
        }}
      >
        <header>
          <h1>{title}</h1>
          <button type="button" className="quiet" aria-pressed={choosing} onClick={() => setChoosing(!choosing)}>
            {choosing && ports.length ? T.form.done : T.form.choose}
          </button>
        </header>
        {!ports.length && <p className="nothing">{T.form.empty}</p>}
        {ports.map((port, place) => (
          <Field key={`${port.node} ${port.input}`} port={port} isChoosing={choosing} isFirst={place === 0} isLast={place === ports.length - 1} />
        ))}
        {choosing && <MorePorts />}
        <RunButton />
        <div className="form-run">
          <button type="button" className="link-button" onClick={() => useFiles.setState({ isForm: false })}>
            {T.form.showGraph}
          </button>
          {saved && (
            <button type="button" className="link-button" onClick={() => void copyText(formAddress(saved))}>
              {T.form.copyLink}
            </button>
          )}
        </div>
      </form>
      <Outcome />
    </section>
  );
}

interface FieldProps {
  readonly port: Port;
  readonly isChoosing: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function Field({ port, isChoosing, isFirst, isLast }: FieldProps) {
  const node = useWorkflow().nodes.get(port.node);
  const type = useEditor((state) => node && typeOf(port.node, node, state));
  const input = type?.inputs.find((item) => item.name === port.input);
  if (!node || !input?.widget) return isChoosing ? <FieldTools port={port} isFirst={isFirst} isLast={isLast} /> : null;
  const control = node.extra.get("seed_control");
  const picture = input.widget.kind === "image" ? asText(node.inputs.get(port.input) as string) : "";
  const label = labelText(port.name);
  return (
    <div className={`form-field is-${input.widget.kind}`}>
      {isChoosing ? <FieldTools port={port} isFirst={isFirst} isLast={isLast} /> : input.widget.kind === "prompt" && <h2>{label}</h2>}
      <Widget id={port.node} input={{ ...input, label }} value={node.inputs.get(port.input)} control={isObject(control) ? asText(control.get(port.input)) : ""} />
      {picture && <img src={inputUrl(picture)} alt={picture} />}
      {input.tooltip && !isChoosing && <small>{input.tooltip}</small>}
    </div>
  );
}

/** A port's name as people read it: "negative_prompt" is "Negative prompt". */
export function labelText(name: string): string {
  const words = name.replaceAll(/[_.]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function FieldTools({ port, isFirst, isLast }: Omit<FieldProps, "isChoosing">) {
  const [name, setName] = useState(port.name);
  return (
    <div className="form-tools">
      <input
        aria-label={T.form.nameOf(port.name)}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onBlur={() => run(renamePort(port.name, name.trim()))}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          run(renamePort(port.name, name.trim()));
        }}
      />
      <small>
        {titleOf(port.node)} · {port.input}
      </small>
      <span className="space" />
      <button type="button" className="icon-button" aria-label={T.form.up(port.name)} disabled={isFirst} onClick={() => run(movePort(port.name, -1))}>
        ↑
      </button>
      <button type="button" className="icon-button" aria-label={T.form.down(port.name)} disabled={isLast} onClick={() => run(movePort(port.name, 1))}>
        ↓
      </button>
      <button type="button" className="icon-button" aria-label={T.form.remove(port.name)} onClick={() => run(removePort(port.name))}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function MorePorts() {
  const workflow = useWorkflow();
  const possible = possiblePorts(workflow);
  return (
    <label className="more-ports">
      {T.form.add}
      <select
        value=""
        onChange={(event) => {
          const chosen = possible[Number(event.target.value)];
          if (chosen) run(addPort(chosen.node, chosen.input));
        }}
      >
        <option value="">{W.choose}</option>
        {possible.map(({ node, input }, index) => (
          <option key={`${node} ${input}`} value={index}>
            {titleOf(node)} · {input}
          </option>
        ))}
      </select>
    </label>
  );
}

function RunButton() {
  const isBusy = useRuns((state) => activeJobs(state).length > 0);
  const canRun = useMe(may("runner"));
  return (
    <div className="form-run">
      <button type="submit" className="run" disabled={!canRun} title={canRun ? undefined : T.me.needs("runner")}>
        <Icon name="play" /> {T.form.make}
      </button>
      {isBusy && (
        <button type="button" className="cancel" onClick={() => trying(cancelRuns)}>
          {T.bar.cancel}
        </button>
      )}
    </div>
  );
}

/** The picture that is being made, or the last one that was. */
function Outcome() {
  const job = useRuns((state) => state.jobs.get(state.shown));
  const last = useRuns((state) => state.results.at(-1));
  const nodes = [...(job?.nodes.values() ?? [])];
  const preview = useRuns((state) => [...state.previews].findLast(([key]) => key.startsWith(`${state.shown} `))?.[1]);
  const running = nodes.find((node) => node.state === "running" && node.total > 0);
  const trouble = job?.job.error?.message;
  return (
    <div className="form-outcome">
      {preview && <img src={preview} alt={T.run.preview} />}
      {!preview && last && (
        <button type="button" aria-label={T.panel.fullView} onClick={() => viewPicture(last.picture.url)}>
          <img src={last.picture.url} alt={last.picture.name} />
        </button>
      )}
      {!preview && !last && <p className="nothing">{T.form.noResult}</p>}
      {running && <progress aria-label={T.form.progress} max={running.total} value={running.done} />}
      {trouble && <p className="trouble">{trouble}</p>}
    </div>
  );
}
