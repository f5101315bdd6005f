import {
  Background,
  BackgroundVariant,
  MiniMap,
  ReactFlow,
  useConnection,
  useReactFlow,
  type Connection,
  type Edge,
  type FinalConnectionState,
  type NodeChange,
} from "@xyflow/react";
import { useEffect, useMemo, useRef, useState, type DragEvent } from "react";
import { openFile, trying } from "../actions";
import * as commands from "../document/commands";
import { placeIn, type Workflow } from "../document/document";
import { isObject } from "../document/json";
import { fits } from "../document/schema";
import { nodeId, run, select, tell, typeOf, useEditor, useWorkflow, workflow, type Searching } from "../editor";
import { T } from "../texts";
import { refusal } from "./connect";
import { flowEdges, flowNodes, placesOf, type AnyNode } from "./flow";
import { GroupFrame, NoteCard } from "./items";
import { NodeCard } from "./NodeCard";
import { fit, rememberPointer, searchAt, setView } from "./view";

const NODE_TYPES = { card: NodeCard, note: NoteCard, group: GroupFrame };
const GRID: [number, number] = [10, 10];
/** Above so many nodes the map would cost a third of each frame while zooming. */
const MOST_MAPPED = 500;

export function Canvas() {
  const now = useWorkflow();
  const { nodes: linked } = now;
  const types = useEditor((state) => state.types);
  const selection = useEditor((state) => state.selection);
  const active = useEditor((state) => state.active);
  const flow = useReactFlow();
  const oldNodes = useRef<ReadonlyMap<string, AnyNode>>(new Map());
  const oldEdges = useRef<ReadonlyMap<string, Edge>>(new Map());
  const [isDropping, setDropping] = useState(false);
  const nodes = useMemo(() => {
    if (!types.size) return []; // what a node looks like is not known yet
    const made = flowNodes(now, types, selection, oldNodes.current);
    oldNodes.current = new Map(made.map((node) => [node.id, node]));
    return made;
  }, [now, types, selection]);
  const edges = useMemo(() => {
    if (!types.size) return [];
    const made = flowEdges(linked, types, oldEdges.current);
    oldEdges.current = new Map(made.map((edge) => [edge.id, edge]));
    return made;
  }, [linked, types]);
  const hasTypes = types.size > 0;
  useEffect(() => {
    setView(flow);
  }, [flow]);
  useEffect(() => {
    if (workflow().nodes.size) requestAnimationFrame(fit);
  }, [active, hasTypes]);

  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setDropping(false);
    for (const file of event.dataTransfer.files) trying(() => openFile(file));
  };
  return (
    <main
      className="canvas"
      aria-label={T.canvas.label}
      onPointerMove={(event) => {
        rememberPointer([event.clientX, event.clientY]);
      }}
      onPointerLeave={() => {
        rememberPointer(null);
      }}
      onDoubleClick={(event) => {
        if (isEmptyPlace(event.target)) searchAt([event.clientX, event.clientY]);
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(event.dataTransfer.types.includes("Files"));
      }}
      onDragLeave={() => {
        setDropping(false);
      }}
      onDrop={onDrop}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        onNodesChange={onNodesChange}
        onNodeDragStop={endDrag}
        onSelectionDragStop={endDrag}
        onConnect={connect}
        onConnectEnd={endConnection}
        onReconnect={reconnect}
        onReconnectEnd={endReconnection}
        isValidConnection={(ends) => refusal(ends) === ""}
        onEdgeDoubleClick={(_, edge) => {
          disconnect(edge);
        }}
        onlyRenderVisibleElements
        elevateNodesOnSelect
        connectionRadius={26}
        snapToGrid
        snapGrid={GRID}
        minZoom={0.05}
        maxZoom={3}
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        panActivationKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={["Shift", "Control", "Meta"]}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.4} />
        {now.nodes.size <= MOST_MAPPED && <MiniMap pannable zoomable ariaLabel={T.canvas.minimap} nodeClassName={(node) => `map-${node.type ?? ""}`} />}
        <Refusal />
      </ReactFlow>
      {isDropping && <div className="dropping">{T.canvas.dropHere}</div>}
    </main>
  );
}

const isEmptyPlace = (target: EventTarget): boolean => target instanceof Element && target.classList.contains("react-flow__pane");

// Moving and selecting

const drags = { count: 0 };

function endDrag(): void {
  drags.count += 1;
}

function onNodesChange(changes: NodeChange<AnyNode>[]): void {
  const chosen = changes.filter((change) => change.type === "select");
  if (chosen.length) {
    const next = new Set(useEditor.getState().selection);
    for (const { id, selected } of chosen) {
      if (selected) next.add(id);
      else next.delete(id);
    }
    select(next);
  }
  const moved = changes.flatMap((change) => (change.type === "position" && change.position ? [[change.id, change.position] as const] : []));
  if (moved.length) run(commands.all(...movesOf(new Map(moved), workflow())), `drag ${drags.count}`);
}

function movesOf(moved: ReadonlyMap<string, { x: number; y: number }>, now: Workflow): commands.Command[] {
  const places = new Map<string, commands.Point>();
  const steps: commands.Command[] = [];
  for (const [id, { x, y }] of moved) {
    const [list = "", index = ""] = id.split("/");
    if (list === "n") places.set(nodeId(id), [Math.round(x), Math.round(y)]);
    else steps.push(...itemMove(list as "groups" | "notes", Number(index), Math.round(x), Math.round(y), moved, now));
  }
  return [commands.move(places), ...steps];
}

function itemMove(
  list: "groups" | "notes",
  index: number,
  x: number,
  y: number,
  moved: ReadonlyMap<string, unknown>,
  now: Workflow,
): commands.Command[] {
  const key = list === "groups" ? "bounds" : "at";
  const item = now[list][index];
  const old = isObject(item) ? placeIn(item.get(key)) : undefined;
  if (!old) return [];
  const { width = 240, height = 120 } = old;
  if (list === "notes") return [commands.setItem(list, index, new Map([[key, [x, y, width, height]]]))];
  const inside = new Map<string, commands.Point>();
  for (const [id, [left, top]] of placesOf(now, useEditor.getState().types))
    if (!moved.has(`n/${id}`) && left >= old.x && left < old.x + width && top >= old.y && top < old.y + height)
      inside.set(id, [left + x - old.x, top + y - old.y]);
  return [commands.moveGroup(index, { x, y, width, height }, inside)];
}

// Links

function connect({ source, sourceHandle, target, targetHandle }: Connection): void {
  if (sourceHandle && targetHandle) run(commands.connect(nodeId(source), sourceHandle, nodeId(target), targetHandle));
}

function disconnect(edge: Edge): void {
  if (edge.targetHandle) run(commands.disconnect(nodeId(edge.target), edge.targetHandle));
}

function reconnect(old: Edge, ends: Connection): void {
  const { source, sourceHandle, target, targetHandle } = ends;
  if (!sourceHandle || !targetHandle || !old.targetHandle) return;
  run(
    commands.all(
      commands.disconnect(nodeId(old.target), old.targetHandle),
      commands.connect(nodeId(source), sourceHandle, nodeId(target), targetHandle),
    ),
  );
}

function endReconnection(_: unknown, edge: Edge, __: unknown, state: FinalConnectionState): void {
  if (!state.isValid && !state.toHandle) disconnect(edge);
}

/** A link that was dropped: on a refusing socket, on the body of a node, or on the empty canvas. */
function endConnection(event: MouseEvent | TouchEvent, state: FinalConnectionState): void {
  const { fromNode, fromHandle, toHandle, isValid } = state;
  if (isValid || !fromNode || !fromHandle?.id) return;
  const isOutput = fromHandle.type === "source";
  if (toHandle) {
    tell(refusal(endsOf(fromHandle, toHandle)));
    return;
  }
  const link = { node: nodeId(fromNode.id), socket: fromHandle.id, isOutput };
  const point = "changedTouches" in event ? event.changedTouches[0] : event;
  if (!point) return;
  const under = document.elementFromPoint(point.clientX, point.clientY)?.closest<HTMLElement>(".react-flow__node");
  const target = under?.dataset["id"];
  if (target?.startsWith("n/")) linkToNode(link, nodeId(target));
  else searchAt([point.clientX, point.clientY], wantedOf(link), link);
}

type Ends = { readonly nodeId: string; readonly id?: string | null; readonly type: string };

function endsOf(from: Ends, to: Ends): Connection {
  const [source, target] = from.type === "source" ? [from, to] : [to, from];
  return { source: source.nodeId, sourceHandle: source.id ?? null, target: target.nodeId, targetHandle: target.id ?? null };
}

function wantedOf(link: NonNullable<Searching["link"]>): Searching["wanted"] {
  const node = workflow().nodes.get(link.node);
  const type = node && typeOf(link.node, node);
  if (link.isOutput) return { takes: type?.outputs.find((output) => output.name === link.socket)?.types ?? ["*"] };
  return { gives: type?.inputs.find((input) => input.name === link.socket)?.types ?? ["*"] };
}

/** Links to the first socket of a node that fits. */
function linkToNode(link: NonNullable<Searching["link"]>, id: string): void {
  const node = workflow().nodes.get(id);
  if (!node) return;
  const [type, wanted] = [typeOf(id, node), wantedOf(link)];
  const input = type.inputs.find((item) => !item.widget && fits(item.types, wanted.takes ?? []));
  const output = type.outputs.find((item) => fits(wanted.gives ?? [], item.types));
  const ends = { nodeId: `n/${id}`, id: (link.isOutput ? input : output)?.name ?? null, type: link.isOutput ? "target" : "source" };
  if (!ends.id) return;
  const made = endsOf({ nodeId: `n/${link.node}`, id: link.socket, type: link.isOutput ? "source" : "target" }, ends);
  const why = refusal(made);
  if (why) tell(why);
  else connect(made);
}

/** Why the socket under the pointer refuses the link that is being drawn. */
function Refusal() {
  const reason = useConnection((state) =>
    state.inProgress && state.toHandle && state.isValid === false ? refusal(endsOf(state.fromHandle, state.toHandle)) : "",
  );
  const [x, y] = [useConnection((state) => state.pointer?.x ?? 0), useConnection((state) => state.pointer?.y ?? 0)];
  if (!reason) return null;
  return (
    <div className="refusal" role="status" style={{ left: x + 16, top: y + 16 }}>
      {reason}
    </div>
  );
}
