import { useEffect, useRef, useState } from "react";
import { trying } from "../actions";
import { workflowOf } from "../api/jobs";
import { Link, readWorkflow, type Id } from "../document/document";
import { printJson, type Json } from "../document/json";
import { tell } from "../editor";
import { Icon } from "../panels/Icon";
import { useRuns } from "../runs";
import { Popover } from "./Popover";
import { W } from "./texts";
import { moveFocus } from "./WidgetMenu";

interface Used {
  readonly seed: Json;
  readonly title: string;
  readonly picture: string;
}

interface Props {
  readonly box: DOMRect;
  readonly id: Id;
  readonly input: string;
  readonly use: (seed: Json) => void;
  readonly close: () => void;
}

const MOST = 12;

/** The seeds that the last runs used, the newest first: to use again or to copy. */
export function SeedHistory({ box, id, input, use, close }: Props) {
  const [seeds, setSeeds] = useState<readonly Used[] | null>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    trying(async () => {
      setSeeds(await usedSeeds(id, input));
    });
  }, [id, input]);
  useEffect(() => {
    list.current?.querySelector("button")?.focus();
  }, [seeds]);
  const copy = (seed: string): void => trying(() => navigator.clipboard.writeText(seed).then(() => tell(W.copied(seed))));
  return (
    <Popover box={box} close={close} className="seeds" width={260} onKeyDown={(event) => moveFocus(event, list.current)}>
      <div ref={list} role="dialog" aria-label={W.lastSeeds}>
        {seeds?.[0] && (
          <button type="button" className="last-seed" onClick={() => use((seeds[0] as Used).seed)}>
            {W.lastSeed}
          </button>
        )}
        {seeds?.map(({ seed, title, picture }) => {
          const text = printJson(seed);
          return (
            <div key={text} className="used-seed">
              <button type="button" aria-label={W.takeSeed(text)} title={W.takeSeed(text)} onClick={() => use(seed)}>
                {picture && <img src={picture} alt="" />}
                <b>{text}</b>
                <small>{title}</small>
              </button>
              <button type="button" className="icon-button" aria-label={W.copySeed(text)} title={W.copySeed(text)} onClick={() => copy(text)}>
                <Icon name="copy" />
              </button>
            </div>
          );
        })}
        {seeds?.length === 0 && <p className="nothing">{W.noSeeds}</p>}
      </div>
    </Popover>
  );
}

/** What an input was in the workflows of the last runs, each value once. */
async function usedSeeds(id: Id, input: string): Promise<readonly Used[]> {
  const { jobs, results } = useRuns.getState();
  const last = [...jobs.values()].reverse().slice(0, MOST);
  const asked = last.map(async ({ job }) => {
    const seed = readWorkflow(await workflowOf(job.id)).nodes.get(id)?.inputs.get(input);
    const picture = results.findLast((result) => result.job === job.id)?.picture.url ?? "";
    return seed === undefined || seed === null || seed instanceof Link ? [] : [{ seed, title: job.title, picture }];
  });
  const found = await Promise.all(asked.map((used) => used.catch(() => []))); // a run that is deleted by now
  const each = new Map(found.flat().reverse().map((used) => [printJson(used.seed), used]));
  return [...each.values()].reverse();
}
