/** Says so where a run made nothing new, and offers the way out: other seeds. */

import { runWorkflow, SEED_KEY, trying } from "../actions";
import { all, setExtra, type Command } from "../document/commands";
import { Link, type Workflow } from "../document/document";
import { isObject, type JsonObject } from "../document/json";
import { insideSubgraph } from "../document/subgraphs";
import { runWhole, tell, useEditor, whole } from "../editor";
import { useRuns } from "../runs";
import { R } from "../texts-runs";
import { isOver, type JobRun } from "./state";

const KEPT = ["memory", "cached", "disk"];

/** Whether every node of a job that is done was kept from before. */
export function isUnchanged({ job, nodes }: JobRun): boolean {
  return job.state === "done" && nodes.size > 0 && [...nodes.values()].every(({ verdict }) => KEPT.includes(verdict));
}

/** Waits for the end of a job. */
export function tellIfUnchanged(id: string, times: number): void {
  const look = (state: { readonly jobs: ReadonlyMap<string, JobRun> }): void => {
    const run = state.jobs.get(id);
    if (run && !isOver(run.job)) return;
    stop();
    if (run && isUnchanged(run)) say(times);
  };
  const stop = useRuns.subscribe(look);
  look(useRuns.getState());
}

function say(times: number): void {
  const seeds = randomSeeds();
  if (!seeds.length) tell(R.unchanged.text);
  else
    tell(R.unchanged.text, {
      text: R.unchanged.seeds,
      run: () => {
        runWhole(all(...seeds));
        trying(() => runWorkflow(times));
      },
    });
}

/** Commands that make the seeds of the workflow random ones, where they have values of their own. */
function randomSeeds(): Command[] {
  const { nodes, subgraphs } = whole();
  return [...seedsIn(nodes), ...[...subgraphs].flatMap(([id, inner]) => seedsIn(inner.nodes).map((command) => insideSubgraph(id, command)))];
}

function seedsIn(nodes: Workflow["nodes"]): Command[] {
  const { known } = useEditor.getState();
  return [...nodes].flatMap(([id, node]) => {
    const seeds = (known.get(node.type)?.inputs ?? []).filter(({ name, widget }) => widget?.kind === "seed" && !(node.inputs.get(name) instanceof Link));
    const old = node.extra.get(SEED_KEY);
    const controls: JsonObject = new Map([...(isObject(old) ? old : []), ...seeds.map(({ name }) => [name, "random"] as const)]);
    return seeds.length ? [setExtra([id], SEED_KEY, controls)] : [];
  });
}
