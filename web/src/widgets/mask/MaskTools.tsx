import { Icon, type IconName } from "../../panels/Icon";
import { M } from "../texts";
import { LARGEST, setTools, TOOLS, useTools, type Tool } from "./tools";

export type Change = "invert" | "clear" | "fillAll" | "feather" | "grow" | "shrink" | "undo" | "redo";

interface Props {
  readonly change: (name: Change) => void;
  readonly zoom: (factor: number) => void;
  readonly fit: () => void;
}

const ICONS: Readonly<Record<Tool, IconName>> = { brush: "brush", eraser: "eraser", fill: "bucket", rectangle: "rectangle", lasso: "lasso", polygon: "polygon" };

/** The tools of the painter, and what changes the whole mask. */
export function MaskTools({ change, zoom, fit }: Props) {
  const { tool, size, hardness, opacity, colour, shown, radius } = useTools();
  return (
    <aside className="mask-tools" aria-label={M.tools}>
      <div role="radiogroup" aria-label={M.tools} className="mask-choices">
        {TOOLS.map((name) => (
          <label key={name} className={name === tool ? "chosen" : ""} title={M.toolNames[name]}>
            <input type="radio" name="mask-tool" aria-label={M.toolNames[name]} checked={name === tool} onChange={() => setTools({ tool: name })} />
            <Icon name={ICONS[name]} />
          </label>
        ))}
      </div>
      <Range name={M.size} value={size} min={1} max={LARGEST} shown={`${size} px`} set={(value) => setTools({ size: value })} />
      <Range name={M.hardness} value={hardness} min={0} max={1} step={0.01} shown={percent(hardness)} set={(value) => setTools({ hardness: value })} />
      <Range name={M.opacity} value={opacity} min={0.01} max={1} step={0.01} shown={percent(opacity)} set={(value) => setTools({ opacity: value })} />
      <hr />
      <div className="mask-actions">
        <Action name="invert" text={M.invert} change={change} />
        <Action name="clear" text={M.clear} change={change} />
        <Action name="fillAll" text={M.fillAll} change={change} />
      </div>
      <Range name={M.featherBy} value={radius} min={1} max={200} shown={`${radius} px`} set={(value) => setTools({ radius: value })} />
      <div className="mask-actions">
        <Action name="feather" text={M.feather} change={change} />
        <Action name="grow" text={M.grow} change={change} />
        <Action name="shrink" text={M.shrink} change={change} />
      </div>
      <hr />
      <Range name={M.opacityShown} value={shown} min={0.1} max={1} step={0.01} shown={percent(shown)} set={(value) => setTools({ shown: value })} />
      <label className="mask-colour">
        {M.colour}
        <input type="color" className="swatch" value={colour} onChange={(event) => setTools({ colour: event.target.value })} />
      </label>
      <div className="mask-actions">
        <button type="button" aria-label={M.zoomOut} title={M.zoomOut} onClick={() => zoom(0.8)}>
          −
        </button>
        <button type="button" onClick={fit}>
          {M.fit}
        </button>
        <button type="button" aria-label={M.zoomIn} title={M.zoomIn} onClick={() => zoom(1.25)}>
          +
        </button>
      </div>
    </aside>
  );
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

function Action({ name, text, change }: { readonly name: Change; readonly text: string; readonly change: (name: Change) => void }) {
  return (
    <button type="button" onClick={() => change(name)}>
      {text}
    </button>
  );
}

interface RangeProps {
  readonly name: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly shown: string;
  readonly set: (value: number) => void;
}

function Range({ name, value, min, max, step = 1, shown, set }: RangeProps) {
  return (
    <label className="mask-range">
      <span>{name}</span>
      <output>{shown}</output>
      <input type="range" aria-label={name} value={value} min={min} max={max} step={step} onChange={(event) => set(Number(event.target.value))} />
    </label>
  );
}
