import { cancelRuns, runWorkflow, trying } from "../actions";
import { ranId, selectedNodes, tell, useEditor, workflowIn } from "../editor";
import { cancelCurrent, runFirst } from "../jobs/actions";
import { MOST_TIMES, setTimes, toggleOnChange, toggleTells, useRunning, useRunOnChange } from "../jobs/running";
import { lacking, useMe } from "../me";
import { activeJobs, useRuns } from "../runs";
import { isLoading, useSystem } from "../system";
import { T } from "../texts";
import { R } from "../texts-runs";
import { ActionMenu, type Item } from "./ActionMenu";
import { Icon } from "./Icon";
import "./running.css";

/** Runs the workflow, in more ways than one, and stops what runs. */
export function RunButton() {
  useRunOnChange();
  const { times, isOnChange } = useRunning();
  const active = useRuns((state) => activeJobs(state).length);
  const waits = useSystem(isLoading);
  const refused = useMe(lacking("runner"));
  return (
    <div className="running">
      {active > 1 && (
        <button type="button" className="cancel" onClick={() => trying(cancelRuns)}>
          {R.bar.cancelAll}
        </button>
      )}
      {active > 0 && (
        <button type="button" className="cancel" onClick={() => trying(cancelCurrent)}>
          {T.bar.cancel}
        </button>
      )}
      <input
        type="number"
        aria-label={T.bar.batch}
        title={T.bar.batch}
        min={1}
        max={MOST_TIMES}
        value={times}
        onChange={(event) => {
          setTimes(Number(event.target.value));
        }}
      />
      <span className={`run-pair${isOnChange ? " on-change" : ""}`}>
        <button
          type="button"
          className="run"
          disabled={refused !== ""}
          title={refused ? refused : waits ? R.bar.waiting : isOnChange ? R.bar.onChangeOn : undefined}
          onClick={() => trying(() => runWorkflow(times))}
        >
          <Icon name={isOnChange ? "retry" : "play"} /> {T.bar.run}
        </button>
        <RunMenu />
      </span>
    </div>
  );
}

function RunMenu() {
  const { times, isOnChange, tells } = useRunning();
  const hasSelection = useEditor((state) => [...state.selection].some((id) => id.startsWith("n/")));
  const isEmpty = useEditor((state) => workflowIn(state).nodes.size === 0);
  const why = useMe(lacking("runner"));
  const run = (text: string, isOff: boolean, start: () => Promise<unknown>): Item => ({ text, isOff, why, run: () => trying(start) });
  return (
    <ActionMenu
      label={R.bar.runMenu}
      className="run run-more"
      groups={[
        [
          run(R.bar.toSelected, !hasSelection, () => runWorkflow(1, selectedNodes().map((id) => ranId(id)))),
          run(R.bar.first, isEmpty, () => runFirst(times)),
          run(R.bar.keepSeeds, isEmpty, () => runWorkflow(times, undefined, true)),
        ],
        [
          { text: R.bar.onChange, isOn: isOnChange, why, run: toggleOnChange },
          { text: R.bar.notify, isOn: tells, run: () => trying(switchTelling) },
        ],
      ]}
    >
      <Icon name="down" />
    </ActionMenu>
  );
}

async function switchTelling(): Promise<void> {
  if (!(await toggleTells())) tell(R.bar.notifyOff);
}
