import { useStoreApi } from "@xyflow/react";
import { useEffect, useMemo, useRef } from "react";
import type { Id } from "../document/document";
import { ranId, useEditor } from "../editor";
import { useSettings, useTheme } from "../settings";
import { useRuns, type NodeRun } from "../runs";
import type { View } from "./boxes";
import { NO_ELEMENTS, paintedOf } from "./elements";
import type { Scene } from "./flow";
import type { Near } from "./near";
import type { Look } from "./paint";
import { createPainter, type Painter } from "./painter";
import { readPalette } from "./palette";

const NO_RUNS: ReadonlyMap<Id, NodeRun> = new Map();

/** One picture of all nodes and links that are no elements of the page. */
export function Painted({ scene, near }: { readonly scene: Scene; readonly near: Near }) {
  const store = useStoreApi();
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<Painter | null>(null);
  const selection = useEditor((state) => state.selection);
  const problems = useEditor((state) => state.problemsOf);
  const theme = useTheme();
  const style = useSettings((state) => state.values.links);
  const states = useStates();
  const palette = useMemo(() => ({ theme, ...readPalette() }), [theme]);
  const old = useRef(NO_ELEMENTS);
  const shown = useRef(0);
  const painted = useMemo(() => (old.current = paintedOf(scene, near, old.current)), [scene, near]);

  useEffect(() => {
    if (!canvas.current) return undefined;
    const made = createPainter(canvas.current, (): View => store.getState());
    painter.current = made;
    const stop = store.subscribe((now, before) => {
      if (now.transform !== before.transform || now.width !== before.width || now.height !== before.height) made.moved();
    });
    return () => {
      stop();
      made.stop();
    };
  }, [store]);
  useEffect(() => {
    const lookOf = (flow: string, id: Id): Look => ({
      isSelected: selection.has(flow),
      state: states.get(id) ?? "",
      hasProblem: problems.get(id)?.some((problem) => problem.severity === "error") ?? false,
    });
    const isMore = painted.nodes.length > shown.current;
    shown.current = painted.nodes.length;
    painter.current?.show({ ...painted, lookOf, palette, style }, isMore);
  }, [painted, selection, problems, states, palette, style]);
  return <canvas ref={canvas} className="painted" aria-hidden />;
}

/** The states of the nodes in the run that is shown, by the ids they have on the canvas: the same map until one of them changes. */
function useStates(): ReadonlyMap<Id, string> {
  const known = useRef<ReadonlyMap<Id, string>>(new Map());
  return useRuns((state) => {
    const [nodes, prefix] = [state.jobs.get(state.shown)?.nodes ?? NO_RUNS, ranId("")];
    if (!areStates(known.current, nodes, prefix)) known.current = statesOn(nodes, prefix);
    return known.current;
  });
}

/** Whether these are the states on a canvas whose nodes run under a prefix: asked at each event, so nothing is made for it. */
function areStates(known: ReadonlyMap<Id, string>, nodes: ReadonlyMap<Id, NodeRun>, prefix: string): boolean {
  let [count, isSame] = [0, true];
  nodes.forEach((run, id) => {
    if (!isSame || !id.startsWith(prefix)) return;
    isSame = known.get(prefix ? id.slice(prefix.length) : id) === run.state;
    count += 1;
  });
  return isSame && count === known.size;
}

function statesOn(nodes: ReadonlyMap<Id, NodeRun>, prefix: string): ReadonlyMap<Id, string> {
  const found = new Map<Id, string>();
  for (const [id, run] of nodes) if (id.startsWith(prefix)) found.set(id.slice(prefix.length), run.state);
  return found;
}
