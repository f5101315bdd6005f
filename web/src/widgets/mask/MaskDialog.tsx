import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { readFiles, trying } from "../../actions";
import { keepMask } from "../../api/options";
import { setValue } from "../../document/commands";
import { run, tell } from "../../editor";
import { Icon } from "../../panels/Icon";
import { M } from "../texts";
import { coveredPart, invert } from "./buffer";
import { feather, grow } from "./feather";
import { MaskStage, type StageHandle } from "./MaskStage";
import { MaskTools, type Change } from "./MaskTools";
import { MASKABLE, stopPainting, type Painting } from "./painting";
import { pngOf } from "./png";
import { changeAll, redoStep, undoStep, type Session } from "./session";
import { moved, resized, setTools, useTools, type Tool } from "./tools";
import { useMask } from "./useMask";
import "./mask.css";

/** Paints the mask of a picture, and gives the node the picture with that mask. */
export default function MaskDialog({ painting }: { readonly painting: Painting }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { loaded, trouble } = useMask(painting);
  const title = M.title(painting.picture);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="mask-dialog" aria-label={title} onClose={stopPainting}>
      {loaded ? (
        <Painter painting={painting} title={title} session={loaded.session} url={loaded.url} />
      ) : (
        <p className="nothing" role="status">
          {trouble || M.loading}
          {trouble && (
            <button type="button" className="link-button" onClick={stopPainting}>
              {M.cancel}
            </button>
          )}
        </p>
      )}
    </dialog>
  );
}

const TOOL_KEYS: Readonly<Record<string, Tool>> = { b: "brush", e: "eraser", g: "fill", r: "rectangle", l: "lasso", p: "polygon" };

interface Props {
  readonly painting: Painting;
  readonly title: string;
  readonly session: Session;
  readonly url: string;
}

function Painter({ painting, title, session, url }: Props) {
  const stage = useRef<StageHandle>(null);
  const [steps, setSteps] = useState({ back: 0, forth: 0 });
  const [covered, setCovered] = useState(() => coveredPart(session.mask));
  const [isAsking, setAsking] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const painted = (): void => {
    setSteps({ back: session.past.length, forth: session.future.length });
    setCovered(coveredPart(session.mask));
  };
  const changes: Readonly<Record<Change, () => void>> = {
    invert: () => stage.current?.show(changeAll(session, invert)),
    clear: () => stage.current?.show(changeAll(session, ({ data }) => void data.fill(0))),
    fillAll: () => stage.current?.show(changeAll(session, ({ data }) => void data.fill(255))),
    feather: () => stage.current?.show(changeAll(session, (mask) => feather(mask, useTools.getState().radius))),
    grow: () => stage.current?.show(changeAll(session, (mask) => grow(mask, useTools.getState().radius))),
    shrink: () => stage.current?.show(changeAll(session, (mask) => grow(mask, -useTools.getState().radius))),
    undo: () => stage.current?.show(undoStep(session)),
    redo: () => stage.current?.show(redoStep(session)),
  };
  const change = (name: Change): void => {
    changes[name]();
    painted();
  };
  const save = (): void => {
    setSaving(true);
    trying(async () => {
      try {
        await keep(painting, session);
      } catch (error) {
        setSaving(false);
        throw new Error(M.failed(error instanceof Error ? error.message : String(error)), { cause: error });
      }
    });
  };
  const leave = (): void => {
    if (session.past.length && !isAsking) setAsking(true);
    else stopPainting();
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && isAsking) setAsking(false);
    else if (event.key === "Escape") leave();
    else if ((event.ctrlKey || event.metaKey) && event.key === "Enter") save();
    else if (!doKey(event, change, stage.current)) return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="mask-painter" onKeyDown={onKey}>
      <header>
        <h2>{title}</h2>
        <small role="status">{M.covered((covered * 100).toFixed(1))}</small>
        <span className="space" />
        {isAsking ? (
          <div role="alertdialog" aria-label={M.discard} className="mask-ask">
            <span>{M.discard}</span>
            <button type="button" onClick={stopPainting}>
              {M.discardYes}
            </button>
            <button type="button" autoFocus onClick={() => setAsking(false)}>
              {M.discardNo}
            </button>
          </div>
        ) : (
          <>
            <button type="button" className="icon-button" aria-label={M.undo} title={M.undo} disabled={!steps.back} onClick={() => change("undo")}>
              <Icon name="undo" />
            </button>
            <button type="button" className="icon-button" aria-label={M.redo} title={M.redo} disabled={!steps.forth} onClick={() => change("redo")}>
              <Icon name="redo" />
            </button>
            <button type="button" className="cancel" onClick={leave}>
              {M.cancel}
            </button>
            <button type="button" className="run" disabled={isSaving} onClick={save}>
              {isSaving ? M.saving : M.save}
            </button>
          </>
        )}
      </header>
      <MaskTools change={change} zoom={(factor) => stage.current?.zoom(factor)} fit={() => stage.current?.fit()} />
      <MaskStage session={session} url={url} onPainted={painted} handle={stage} />
      <footer>{M.help}</footer>
    </div>
  );
}

async function keep({ id, input, kind, picture }: Painting, { mask }: Session): Promise<void> {
  const name = await keepMask(kind, picture, await pngOf(mask));
  await readFiles(MASKABLE);
  run(setValue(id, input, name));
  stopPainting();
  tell(M.saved);
}

/** Does what a key stands for; tells whether it stands for anything. */
function doKey(event: KeyboardEvent, change: (name: Change) => void, stage: StageHandle | null): boolean {
  const key = event.key.toLowerCase();
  const { size, hardness } = useTools.getState();
  const isControl = event.ctrlKey || event.metaKey;
  const tool = isControl ? undefined : TOOL_KEYS[key];
  const actions: Readonly<Record<string, () => void>> = isControl
    ? { z: () => change(event.shiftKey ? "redo" : "undo"), y: () => change("redo"), i: () => change("invert"), a: () => change("fillAll") }
    : {
        "[": () => setTools({ size: resized(size, -1) }),
        "]": () => setTools({ size: resized(size, 1) }),
        "{": () => setTools({ hardness: moved(hardness, -1) }),
        "}": () => setTools({ hardness: moved(hardness, 1) }),
        "+": () => stage?.zoom(1.25),
        "=": () => stage?.zoom(1.25),
        "-": () => stage?.zoom(0.8),
        "0": () => stage?.fit(),
        i: () => change("invert"),
        delete: () => change("clear"),
        backspace: () => change("clear"),
      };
  const action = tool ? () => setTools({ tool }) : actions[key];
  action?.();
  return action !== undefined;
}
