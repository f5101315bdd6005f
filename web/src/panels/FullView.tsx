import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { trying } from "../actions";
import { deleteAsset } from "../api/assets";
import { tell } from "../editor";
import { openJob } from "../files";
import { copyPicture, openPicture, seedsOf } from "../jobs/pictureActions";
import { forgetResult, useRuns } from "../runs";
import { T } from "../texts";
import { R } from "../texts-runs";
import { FullInfo } from "./FullInfo";
import { Icon } from "./Icon";
import { Stage, type Comparison } from "./Stage";
import { shotOf } from "./Strip";
import { comparePictures, endComparison, shotAt, useViewing, viewNext, viewPicture, type Shot } from "./viewing";
import "./full.css";

const close = (): void => {
  viewPicture(null);
};

/** One picture as large as the page, or two that are compared; the arrow keys go to the next. */
export function FullView() {
  const { picture: url, among, compared } = useViewing();
  const results = useRuns((state) => state.results);
  const dialog = useRef<HTMLDialogElement>(null);
  const [hasInfo, setInfo] = useState(false);
  const [comparison, setComparison] = useState<Comparison>("slider");
  const isOpen = url !== null;
  useEffect(() => {
    if (isOpen && !dialog.current?.open) dialog.current?.showModal();
  }, [isOpen]);
  if (url === null) return null;
  const list = among ?? results.map(shotOf).reverse();
  const place = list.findIndex((shot) => shot.url === url);
  const shot = list[place] ?? shotAt(url);
  const other = compared === null ? null : (list.find((item) => item.url === compared) ?? shotAt(compared));
  const step = (by: number): void => {
    const next = place < 0 ? undefined : list[place + by];
    if (next) viewNext(next.url);
  };
  const previous = place < 0 ? undefined : list[place + 1];
  const toggleComparison = (): void => {
    if (other) endComparison();
    else if (previous) comparePictures(previous.url, url, among);
  };
  const onKey = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const does: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      i: () => setInfo(!hasInfo),
      c: toggleComparison,
    };
    does[event.key]?.();
  };
  return (
    <dialog ref={dialog} className="full-view" aria-label={T.panel.fullView} onKeyDown={onKey} onClose={close}>
      <header>
        <b>{other ? `${other.name} | ${shot.name}` : shot.name}</b>
        {place >= 0 && <span>{R.full.position(place + 1, list.length)}</span>}
        <span className="space" />
        {other && <Modes comparison={comparison} choose={setComparison} />}
        <button type="button" aria-label={T.panel.close} title={T.panel.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div className={`full-middle${hasInfo ? " with-info" : ""}`}>
        <Stage shot={shot} other={other} comparison={comparison} />
        {hasInfo && <FullInfo key={shot.url} shot={shot} />}
      </div>
      <footer>
        <button type="button" aria-label={T.panel.previous} disabled={place <= 0} onClick={() => step(-1)}>
          <Icon name="left" />
        </button>
        <button type="button" aria-label={T.panel.next} disabled={place < 0 || place >= list.length - 1} onClick={() => step(1)}>
          <Icon name="right" />
        </button>
        <button type="button" disabled={!other && !previous} aria-pressed={other !== null} onClick={toggleComparison}>
          {other ? R.full.endCompare : R.full.comparePrevious}
        </button>
        <Doing shot={shot} />
        <button type="button" onClick={() => trying(() => remove(shot, list[place + 1] ?? list[place - 1]))}>
          {R.full.delete}
        </button>
        <button type="button" aria-pressed={hasInfo} onClick={() => setInfo(!hasInfo)}>
          {R.full.info}
        </button>
      </footer>
    </dialog>
  );
}

/** Deletes a picture for good, and shows the one beside it. */
async function remove(shot: Shot, next: Shot | undefined): Promise<void> {
  if (!confirm(R.full.deleteSure(1))) return;
  await deleteAsset(shot.kind, shot.name);
  forgetResult(shot.url);
  const { among } = useViewing.getState();
  viewPicture(next?.url ?? null, among?.filter(({ url }) => url !== shot.url) ?? null);
  tell(R.full.deleted(1));
}

function Modes({ comparison, choose }: { readonly comparison: Comparison; readonly choose: (mode: Comparison) => void }) {
  const modes = { slider: R.full.slider, sides: R.full.sideBySide, difference: R.full.difference };
  return (
    <div className="modes" role="radiogroup" aria-label={R.full.compare}>
      {(Object.keys(modes) as Comparison[]).map((mode) => (
        <button key={mode} type="button" role="radio" aria-checked={mode === comparison} onClick={() => choose(mode)}>
          {modes[mode]}
        </button>
      ))}
    </div>
  );
}

/** What can be done with a picture. */
function Doing({ shot }: { readonly shot: Shot }) {
  const leave = (action: () => Promise<unknown>): void => {
    close();
    trying(action);
  };
  return (
    <>
      <button type="button" onClick={() => leave(() => (shot.job ? openJob(shot.job) : openPicture(shot)))}>
        {T.panel.openWorkflow}
      </button>
      <button type="button" onClick={() => leave(() => seedsOf(shot))}>
        {R.full.useSeed}
      </button>
      <button type="button" onClick={() => trying(() => copyPicture(shot))}>
        {R.full.copy}
      </button>
      <a className="button" href={shot.url} download={shot.name.split("/").at(-1)}>
        {T.panel.download}
      </a>
    </>
  );
}
