import { align, distribute, shifted, type Boxes, type Side } from "../arrange/align";
import { layeredAt } from "../canvas/autoplace";
import { around } from "../canvas/boxes";
import { contentsOf, frameAround, framed, moveBoxes, nodeBoxes, selectedBoxes, selectedItems } from "../canvas/chosen";
import { trying } from "../actions";
import { all, moveGroup, type Command as Change, type Point } from "../document/commands";
import type { Id } from "../document/document";
import { isPinned, resetSize, resize } from "../document/looks";
import { run, selectedNodes, useEditor, workflow } from "../editor";
import { changeSettings, useSettings } from "../settings";
import { C } from "../texts-canvas";
import type { Command } from "./command";

const area = "arrange";
const GRID = 10;
const FAR = 100;
const STEP = 20;
const hasSome = (count: number) => (): boolean => useEditor.getState().selection.size >= count;
const snapOf = (): number => useSettings.getState().values.snap;
const hasNodes = (): boolean => selectedNodes().length > 0;
const hasGroups = (): boolean => selectedItems("groups").length > 0;

/** Arranges the selected nodes where they are, or all. Groups are fitted anew to what they held. */
function tidy(): void {
  const now = workflow();
  const chosen = selectedNodes();
  const ids = (chosen.length > 1 ? chosen : [...now.nodes.keys()]).filter((id) => !isPinned(now.nodes.get(id)?.extra ?? new Map()));
  const box = around(nodeBoxes(ids).values());
  if (!box) return;
  const places = layeredAt(now, useEditor.getState().types, ids, [Math.round(box.x / GRID) * GRID, Math.round(box.y / GRID) * GRID]);
  const flows = new Map([...places].map(([id, place]) => [`n/${id}`, place]));
  run(all(moveBoxes(flows), ...now.groups.map((_, index) => refitted(index, places))));
}

/** A group fitted to what it held, of which some has moved. */
function refitted(index: number, places: ReadonlyMap<Id, Point>): Change {
  const inside = contentsOf(index);
  const boxes = [...nodeBoxes(inside)].map(([id, box]) => ({ ...box, x: places.get(id)?.[0] ?? box.x, y: places.get(id)?.[1] ?? box.y }));
  const frame = inside.some((id) => places.has(id)) ? framed(boxes) : undefined;
  return frame ? moveGroup(index, frame, new Map()) : all();
}

function fitGroups(): void {
  run(
    all(
      ...selectedItems("groups").map((index) => {
        const frame = frameAround(contentsOf(index));
        return frame ? moveGroup(index, frame, new Map()) : all();
      }),
    ),
  );
}

function moving(places: (boxes: Boxes) => ReadonlyMap<string, Point>, gesture = ""): void {
  run(moveBoxes(places(selectedBoxes())), gesture && `${gesture} ${[...useEditor.getState().selection].join()}`);
}

/** The arrow keys: a step of the grid, or a point without one. */
function nudge(x: number, y: number, isFar = false): void {
  const by = isFar ? FAR : snapOf() || 1;
  moving((boxes) => shifted(boxes, [x * by, y * by]), "nudge");
}

function stretch(width: number, height: number): void {
  const ids = selectedNodes();
  const steps = [...nodeBoxes(ids)].map(([id, box]) => resize(id, { ...box, width: box.width + width, height: box.height + height }));
  run(all(...steps), `stretch ${ids.join()}`);
}

const aligned = (id: string, title: string, side: Side): Command => ({
  id,
  title,
  area,
  isReady: hasSome(2),
  run: () => {
    moving((boxes) => align(boxes, side));
  },
});

const spaced = (id: string, title: string, way: "across" | "down"): Command => ({
  id,
  title,
  area,
  isReady: hasSome(3),
  run: () => {
    moving((boxes) => distribute(boxes, way));
  },
});

const moved = (id: string, title: string, key: string, x: number, y: number, isFar = false): Command => ({
  id,
  title,
  area,
  keys: [isFar ? `Shift+${key}` : key],
  isReady: hasSome(1),
  run: () => {
    nudge(x, y, isFar);
  },
});

const stretched = (id: string, title: string, key: string, width: number, height: number): Command => ({
  id,
  title,
  area,
  keys: [key],
  isReady: hasNodes,
  run: () => {
    stretch(width, height);
  },
});

export const ARRANGING: readonly Command[] = [
  { id: "arrange.tidy", title: C.commands.tidy, area, keys: ["A"], words: C.words["tidy"] ?? "", isReady: () => workflow().nodes.size > 0, run: tidy },
  aligned("arrange.left", C.commands.alignLeft, "left"),
  aligned("arrange.centre", C.commands.alignCentre, "centre"),
  aligned("arrange.right", C.commands.alignRight, "right"),
  aligned("arrange.top", C.commands.alignTop, "top"),
  aligned("arrange.middle", C.commands.alignMiddle, "middle"),
  aligned("arrange.bottom", C.commands.alignBottom, "bottom"),
  spaced("arrange.across", C.commands.spaceAcross, "across"),
  spaced("arrange.down", C.commands.spaceDown, "down"),
  moved("move.left", C.commands.moveLeft, "ArrowLeft", -1, 0),
  moved("move.right", C.commands.moveRight, "ArrowRight", 1, 0),
  moved("move.up", C.commands.moveUp, "ArrowUp", 0, -1),
  moved("move.down", C.commands.moveDown, "ArrowDown", 0, 1),
  moved("move.farLeft", C.commands.moveFarLeft, "ArrowLeft", -1, 0, true),
  moved("move.farRight", C.commands.moveFarRight, "ArrowRight", 1, 0, true),
  moved("move.farUp", C.commands.moveFarUp, "ArrowUp", 0, -1, true),
  moved("move.farDown", C.commands.moveFarDown, "ArrowDown", 0, 1, true),
  stretched("size.wider", C.commands.wider, "Alt+Shift+ArrowRight", STEP, 0),
  stretched("size.narrower", C.commands.narrower, "Alt+Shift+ArrowLeft", -STEP, 0),
  stretched("size.taller", C.commands.taller, "Alt+Shift+ArrowDown", 0, STEP),
  stretched("size.shorter", C.commands.shorter, "Alt+Shift+ArrowUp", 0, -STEP),
  { id: "size.reset", title: C.commands.resetSize, area, isReady: hasNodes, run: () => run(resetSize(selectedNodes())) },
  { id: "group.fit", title: C.commands.fitGroup, area, isReady: hasGroups, run: fitGroups },
  {
    id: "arrange.snap",
    title: C.commands.snap,
    area,
    words: C.words["snap"] ?? "",
    isOn: () => snapOf() > 0,
    run: () => trying(() => changeSettings({ snap: snapOf() > 0 ? 0 : GRID })),
  },
];
