/** A little drawing of a workflow: boxes and lines in a frame, made without knowing node types. */

import { linksOf, placeIn, type Workflow } from "./document";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly type: string;
}

export interface Sketch {
  readonly boxes: readonly Box[];
  readonly lines: readonly (readonly [x1: number, y1: number, x2: number, y2: number])[];
  /** The part of the plane they lie in: x, y, width, height. */
  readonly frame: readonly [number, number, number, number];
}

const [WIDTH, HEIGHT, COLUMNS, MOST] = [240, 110, 6, 400];

export function sketchOf(workflow: Workflow): Sketch {
  const ids = [...workflow.nodes.keys()].slice(0, MOST);
  const boxes = new Map(ids.map((id, index) => [id, boxOf(workflow, id, index)]));
  const lines = [...linksOf(workflow)].flatMap(({ id, link }) => {
    const [from, to] = [boxes.get(link.node), boxes.get(id)];
    return from && to ? [[from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2] as const] : [];
  });
  return { boxes: [...boxes.values()], lines, frame: frameOf([...boxes.values()]) };
}

function boxOf(workflow: Workflow, id: string, index: number): Box {
  const place = placeIn(workflow.layout.get(id));
  const [x, y] = place ? [place.x, place.y] : [(index % COLUMNS) * WIDTH * 1.4, Math.floor(index / COLUMNS) * HEIGHT * 1.6];
  return { x, y, width: place?.width ?? WIDTH, height: place?.height ?? HEIGHT, type: workflow.nodes.get(id)?.type ?? "" };
}

function frameOf(boxes: readonly Box[]): Sketch["frame"] {
  if (!boxes.length) return [0, 0, WIDTH, HEIGHT];
  const [left, top] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
  const [right, bottom] = [Math.max(...boxes.map((box) => box.x + box.width)), Math.max(...boxes.map((box) => box.y + box.height))];
  return [left - 40, top - 40, right - left + 80, bottom - top + 80];
}
