import * as actions from "../actions";
import { runFirst } from "../jobs/actions";
import { useRunning } from "../jobs/running";
import { ranId, selectedNodes, workflow } from "../editor";
import { activeJobs, useRuns } from "../runs";
import { C } from "../texts-canvas";
import type { Command } from "./command";

const [area, needs] = ["run", "runner"] as const;

export const RUNNING: readonly Command[] = [
  {
    id: "run.start",
    title: C.commands.run,
    area,
    needs,
    keys: ["Ctrl+Enter"],
    words: C.words["run"] ?? "",
    always: true,
    isReady: () => workflow().nodes.size > 0,
    run: () => actions.trying(() => actions.runWorkflow(useRunning.getState().times)),
  },
  {
    id: "run.first",
    title: C.commands.runFirst,
    area,
    keys: ["Alt+Shift+Enter"],
    needs,
    words: C.words["runFirst"] ?? "",
    always: true,
    isReady: () => workflow().nodes.size > 0,
    run: () => actions.trying(() => runFirst(useRunning.getState().times)),
  },
  {
    id: "run.keepSeeds",
    title: C.commands.keepSeeds,
    area,
    needs,
    keys: ["Alt+Enter"],
    always: true,
    isReady: () => workflow().nodes.size > 0,
    run: () => actions.trying(() => actions.runWorkflow(1, undefined, true)),
  },
  {
    id: "run.to",
    title: C.commands.runTo,
    area,
    needs,
    keys: ["Ctrl+Shift+Enter"],
    words: C.words["runTo"] ?? "",
    isReady: () => selectedNodes().length > 0,
    run: () => actions.trying(() => actions.runWorkflow(1, selectedNodes().map((id) => ranId(id)))),
  },
  {
    id: "run.cancel",
    title: C.commands.cancel,
    area,
    needs,
    keys: ["Ctrl+Alt+Enter"],
    always: true,
    isReady: () => activeJobs(useRuns.getState()).length > 0,
    run: () => actions.trying(actions.cancelRuns),
  },
];
