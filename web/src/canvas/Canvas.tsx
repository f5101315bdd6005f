import { ReactFlow, useReactFlow, useStoreApi, ViewportPortal, type Edge, type NodeChange } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState, type DragEvent, type MouseEvent, type PointerEvent } from "react";
import { flushSync } from "react-dom";
import { nodeId, ranId, select, useEditor, useWorkflow, workflow } from "../editor";
import { assetIn, carriesAsset, dropAsset } from "../jobs/dragging";
import { useSettings } from "../settings";
import { rerouteLink } from "../subgraphActions";
import { T } from "../texts";
import { dropFiles } from "../widgets/dropping";
import { nodeAt } from "./boxes";
import { refusal, type Ends } from "./connect";
import { Bends, BentLink } from "./Bends";
import { BoundaryCard } from "./BoundaryCard";
import { onCanvasFocus, onCanvasKey } from "./keyboard";
import { dropNode } from "./library";
import { dropInLink } from "./dropping";
import { Dots } from "./Dots";
import { elementsOf, NO_ELEMENTS } from "./elements";
import { NO_SCENE, sceneOf, type AnyNode, type Scene } from "./flow";
import { GroupFrame, NoteCard } from "./items";
import { useCopyDrag } from "./copyDrag";
import { connect, disconnect, endConnection, endReconnection, reconnect } from "./linking";
import { MapOfAll } from "./Map";
import { Marquee, useMarquee } from "./Marquee";
import { changeNodes, endDrag } from "./moving";
import type { Near } from "./near";
import { NodeCard } from "./NodeCard";
import { Painted } from "./Painted";
import { Refusal } from "./Refusal";
import { RerouteCard } from "./RerouteCard";
import { SubgraphBar } from "./SubgraphBar";
import { useNear } from "./useNear";
import { fit, onCanvas, rememberPointer, searchAt, setView } from "./view";

/** What React Flow calls the ways of drawing a link. */
const EDGES = { curved: { type: "default" }, straight: { type: "straight" }, stepped: { type: "smoothstep" } };
const NODE_TYPES = { card: NodeCard, boundary: BoundaryCard, reroute: RerouteCard, note: NoteCard, group: GroupFrame };
const EDGE_TYPES = { bent: BentLink };
const ADDING_KEYS = ["Shift", "Control", "Meta"];
const isAllowed = (ends: Ends): boolean => refusal(ends) === "";

/** The scene of the workflow that is open; empty while it is not known what nodes look like. */
function useScene(): Scene {
  const now = useWorkflow();
  const types = useEditor((state) => state.types);
  const old = useRef({ types, scene: NO_SCENE });
  return useMemo(() => {
    if (!types.size) return NO_SCENE;
    const scene = sceneOf(now, types, old.current.types === types ? old.current.scene : NO_SCENE);
    old.current = { types, scene };
    return scene;
  }, [now, types]);
}

export function Canvas() {
  const scene = useScene();
  const seen = useEditor((state) => `${state.active} ${ranId("", state)}`);
  const hasTypes = useEditor((state) => state.types.size > 0);
  const flow = useReactFlow();
  useEffect(() => {
    setView(flow, scene);
  }, [flow, scene]);
  useEffect(() => {
    if (workflow().nodes.size) fit(0);
  }, [seen, hasTypes]);
  const near = useNear(scene, seen);
  const marquee = useMarquee(scene);
  const copying = useCopyDrag();
  const [isDropping, setDropping] = useState(false);
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setDropping(false);
    const [asset, at] = [assetIn(event.dataTransfer), onCanvas([event.clientX, event.clientY])];
    if (asset) dropAsset(asset, nodeAt(scene, at)?.id, at);
    else dropFiles([...event.dataTransfer.files], at);
    dropNode(event);
  };
  const onPointerMove = (event: PointerEvent): void => {
    const point = [event.clientX, event.clientY] as const;
    rememberPointer(point);
    if (!event.buttons) flushSync(() => { near.hold(nodeAt(scene, onCanvas(point))?.id); });
  };
  const hasMap = useSettings((state) => state.values.minimap);
  return (
    <main
      className="canvas"
      aria-label={T.canvas.label}
      tabIndex={0}
      onKeyDown={onCanvasKey}
      onFocus={onCanvasFocus}
      {...both(marquee.handlers, copying)}
      onPointerMove={onPointerMove}
      onPointerLeave={() => {
        rememberPointer(null);
      }}
      onDoubleClick={(event) => {
        if (isEmptyPlace(event.target)) searchAt([event.clientX, event.clientY]);
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(event.dataTransfer.types.includes("Files") && !carriesAsset(event.dataTransfer));
      }}
      onDragLeave={() => {
        setDropping(false);
      }}
      onDrop={onDrop}
    >
      <SubgraphBar />
      <Flow scene={scene} near={near.now} />
      {hasMap && <MapOfAll scene={scene} />}
      <Marquee box={marquee.box} />
      {isDropping && <div className="dropping">{T.canvas.dropHere}</div>}
    </main>
  );
}

/** React Flow with the nodes that are elements, over the picture of all others. */
function Flow({ scene, near }: { readonly scene: Scene; readonly near: Near }) {
  const store = useStoreApi();
  const selection = useEditor((state) => state.selection);
  const snap = useSettings((state) => state.values.snap);
  const drawn = EDGES[useSettings((state) => state.values.links)];
  const grid = useMemo<[number, number]>(() => [snap || 1, snap || 1], [snap]);
  const old = useRef(NO_ELEMENTS);
  const { nodes, links } = useMemo(() => (old.current = elementsOf(scene, near, selection, old.current)), [scene, near, selection]);
  const onNodesChange = useCallback(
    (changes: NodeChange<AnyNode>[]) => {
      changeNodes(changes, store.getState().multiSelectionActive);
    },
    [store],
  );
  return (
    <ReactFlow
      nodes={nodes}
      edges={links}
      defaultEdgeOptions={drawn}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={onNodesChange}
      onNodeDragStop={endDragging}
      onConnect={connect}
      onConnectEnd={endConnection}
      onReconnect={reconnect}
      onReconnectEnd={endReconnection}
      isValidConnection={isAllowed}
      onEdgeDoubleClick={cut}
      onPaneClick={chooseNothing}
      onNodeClick={chooseOne}
      elevateNodesOnSelect
      connectionRadius={26}
      snapToGrid={snap > 0}
      snapGrid={grid}
      nodesFocusable={false}
      disableKeyboardA11y
      minZoom={0.02}
      maxZoom={3}
      zoomOnDoubleClick={false}
      deleteKeyCode={null}
      panActivationKeyCode={null}
      selectionKeyCode={null}
      multiSelectionKeyCode={ADDING_KEYS}
      proOptions={{ hideAttribution: true }}
    >
      <ViewportPortal>
        <Dots />
        <Painted scene={scene} near={near} />
        <Bends />
      </ViewportPortal>
      <Refusal />
    </ReactFlow>
  );
}

type Handlers = Readonly<Record<string, (event: never) => void>>;

/** The handlers of two gestures, which never begin together. */
function both<First extends Handlers, Second extends Handlers>(first: First, second: Second): First & Second {
  const shared = Object.keys(first).filter((name) => name in second);
  const joined = shared.map((name) => [name, (event: never) => { first[name]?.(event); second[name]?.(event); }] as const);
  return { ...first, ...second, ...Object.fromEntries(joined) };
}

const isEmptyPlace = (target: EventTarget): boolean => target instanceof Element && target.classList.contains("react-flow__pane");

const cut = (event: MouseEvent, edge: Edge): void => {
  if (event.altKey && edge.targetHandle) rerouteLink(nodeId(edge.target), edge.targetHandle, onCanvas([event.clientX, event.clientY]));
  else disconnect(edge);
};

const endDragging = (_: unknown, node: AnyNode, nodes: readonly AnyNode[]): void => {
  endDrag();
  if (nodes.length === 1) dropInLink(node.id);
};

/** A plain click on one of several that are selected leaves it alone selected. */
const chooseOne = (event: MouseEvent, { id }: AnyNode): void => {
  const { selection } = useEditor.getState();
  if (selection.size > 1 && selection.has(id) && !event.shiftKey && !event.ctrlKey && !event.metaKey) select([id]);
};

const chooseNothing = (): void => {
  select([]);
};
