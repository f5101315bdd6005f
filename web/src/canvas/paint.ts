/** Paints nodes and links that are no elements of the page: cards with their titles, groups, notes, and curves between them. */

import type { Edge } from "@xyflow/react";
import type { Bend } from "../document/bends";
import type { Id } from "../document/document";
import { isObject } from "../document/json";
import { tintOf } from "../document/looks";
import { boxOf, linkTouches, nodeTouches, type Box } from "./boxes";
import type { Elements } from "./elements";
import { piecesThrough } from "./bent";
import { isCard, pointsOf, titleIn, type AnyNode, type CardNode, type ItemNode, type Scene } from "./flow";
import { SIZES } from "./geometry";
import { FAR } from "./near";
import type { Palette } from "./palette";

/** What a card shows beside its title. */
export interface Look {
  readonly isSelected: boolean;
  readonly state: string;
  readonly hasProblem: boolean;
}

export interface Painting extends Elements {
  readonly lookOf: (flow: string, id: Id) => Look;
  readonly palette: Palette;
  readonly style: LinkStyle;
}

export type LinkStyle = "curved" | "straight" | "stepped";

/** Texts smaller than so many pixels are left out. */
const LEGIBLE = 4.5;
const TITLE = { far: 28, near: 13 };
const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** Paints what touches a box of the canvas; tells whether there was anything. */
export function paint(to: CanvasRenderingContext2D, painting: Painting, box: Box, zoom: number): boolean {
  const nodes = painting.nodes.filter((node) => nodeTouches(node, box));
  const curves = painting.links.flatMap((link) => curveOf(painting.scene, link, box) ?? []);
  const items = nodes.filter((node): node is ItemNode => !isCard(node));
  for (const item of items) paintItem(to, item, painting, zoom);
  paintCurves(to, curves, painting, zoom);
  for (const node of nodes) if (isCard(node)) paintCard(to, node, painting, zoom);
  return nodes.length + curves.length > 0;
}

// Links

interface Curve {
  readonly className: string;
  readonly ends: readonly [x1: number, y1: number, x2: number, y2: number];
  readonly points: readonly Bend[];
}

function curveOf(scene: Scene, link: Edge, box: Box): Curve | undefined {
  const [source, target] = [scene.nodes.get(link.source), scene.nodes.get(link.target)];
  if (!source || !target || !linkTouches(scene, link, box)) return undefined;
  const [y1, y2] = [socketOf(source, "source", link.sourceHandle), socketOf(target, "target", link.targetHandle)];
  return { className: link.className ?? "", ends: [source.position.x + (source.width ?? 0), y1, target.position.x, y2], points: pointsOf(link) };
}

function socketOf({ position, handles }: AnyNode, kind: "source" | "target", name: string | null | undefined): number {
  const found = handles?.find((handle) => handle.id === name && handle.type === kind);
  return position.y + (found ? found.y + (found.height ?? 0) / 2 : SIZES.header / 2);
}

function paintCurves(to: CanvasRenderingContext2D, curves: readonly Curve[], { palette, style }: Painting, zoom: number): void {
  to.lineWidth = Math.max(2, 1 / zoom);
  for (const { className, ends, points } of curves) {
    const isOff = className.includes("link-off");
    to.globalAlpha = isOff ? 0.4 : 0.75;
    to.strokeStyle = palette.link(className);
    to.beginPath();
    if (points.length) traceThrough(to, ends, points);
    else trace(to, ends, style, zoom);
    to.stroke();
  }
  to.globalAlpha = 1;
}

function traceThrough(to: CanvasRenderingContext2D, [x1, y1, x2, y2]: Curve["ends"], points: readonly Bend[]): void {
  to.moveTo(x1, y1);
  for (const piece of piecesThrough([x1, y1], points.map(({ at }) => at), [x2, y2])) to.bezierCurveTo(...piece);
}

/** The line that React Flow draws; a straight one where nobody could tell. */
function trace(to: CanvasRenderingContext2D, [x1, y1, x2, y2]: Curve["ends"], style: LinkStyle, zoom: number): void {
  const reach = x2 - x1;
  const bend = reach >= 0 ? reach / 2 : 6.25 * Math.sqrt(-reach);
  to.moveTo(x1, y1);
  if (style === "stepped") step(to, [x1, y1, x2, y2]);
  else if (style === "straight" || (reach > 0 && isFlat(reach, y2 - y1, zoom))) to.lineTo(x2, y2);
  else to.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
}

const isFlat = (reach: number, height: number, zoom: number): boolean => Math.abs(height) * zoom < 3 || (reach + Math.abs(height)) * zoom < 16;

const AWAY = 20;

/** Right angles: down the middle, or around where the target lies before the source. */
function step(to: CanvasRenderingContext2D, [x1, y1, x2, y2]: Curve["ends"]): void {
  const [turn, back] = x2 - x1 >= 2 * AWAY ? [(x1 + x2) / 2, (x1 + x2) / 2] : [x1 + AWAY, x2 - AWAY];
  const middle = (y1 + y2) / 2;
  to.lineTo(turn, y1);
  to.lineTo(turn, turn === back ? y2 : middle);
  if (turn !== back) to.lineTo(back, middle);
  to.lineTo(back, y2);
  to.lineTo(x2, y2);
}

// Nodes

function paintCard(to: CanvasRenderingContext2D, card: CardNode, { lookOf, palette }: Painting, zoom: number): void {
  const { x, y, width, height } = boxOf(card);
  const { id, node, type } = card.data;
  const look = lookOf(card.id, id);
  to.globalAlpha = node.mode === "run" ? 1 : 0.55;
  const tint = palette.tint(tintOf(node.extra));
  to.fillStyle = look.state === "running" ? palette.of("--busy") : (tint?.card ?? palette.of("--card"));
  to.fillRect(x, y, width, height);
  const category = palette.category(type.category.split("/")[0] ?? "");
  if (zoom >= FAR) {
    to.fillStyle = tint?.head ?? palette.of("--raised");
    to.fillRect(x, y, width, SIZES.header);
  }
  if (category) {
    to.fillStyle = category;
    to.fillRect(x, y, Math.max(3, 2 / zoom), zoom < FAR ? height : SIZES.header);
  }
  paintFrame(to, { x, y, width, height }, look, palette, zoom);
  paintTitle(to, node.title || type.title, { x, y, width, height }, palette, zoom);
  to.globalAlpha = 1;
}

function paintFrame(to: CanvasRenderingContext2D, { x, y, width, height }: Box, look: Look, palette: Palette, zoom: number): void {
  const isBad = look.hasProblem || look.state === "failed";
  const marked = isBad ? "--bad" : look.isSelected ? "--text" : look.state === "running" ? "--busy" : "";
  if (!marked && zoom < FAR / 4) return;
  to.lineWidth = marked ? Math.max(2, 1.5 / zoom) : 1;
  to.strokeStyle = palette.of(marked || "--line");
  to.strokeRect(x, y, width, height);
}

function paintTitle(to: CanvasRenderingContext2D, title: string, { x, y, width, height }: Box, palette: Palette, zoom: number): void {
  const size = zoom < FAR ? TITLE.far : TITLE.near;
  if (size * zoom < LEGIBLE) return;
  to.fillStyle = palette.of("--text");
  to.font = `600 ${size}px ${FAMILY}`;
  if (zoom >= FAR) {
    to.textAlign = "left";
    to.fillText(title, x + 28, y + SIZES.header / 2 + size * 0.36, width - 38);
    return;
  }
  to.textAlign = "center";
  const lines = linesOf(to, title, width - 20).slice(0, Math.max(1, Math.floor((height - 8) / (size * 1.15))));
  const top = y + height / 2 - ((lines.length - 1) * size * 1.15) / 2 + size * 0.36;
  lines.forEach((line, index) => {
    to.fillText(line, x + width / 2, top + index * size * 1.15, width - 12);
  });
}

/** A title in lines of at most this width; a single word is not broken. */
function linesOf(to: CanvasRenderingContext2D, title: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of title.split(" ")) {
    const longer = lines.length ? `${lines.at(-1) ?? ""} ${word}` : word;
    if (lines.length && to.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function paintItem(to: CanvasRenderingContext2D, item: ItemNode, { lookOf, palette }: Painting, zoom: number): void {
  const { x, y, width, height } = boxOf(item);
  const isGroup = item.type === "group";
  to.globalAlpha = isGroup ? 0.35 : 1;
  const tint = palette.tint(isObject(item.data.item) ? tintOf(item.data.item) : "");
  to.fillStyle = tint?.card ?? palette.of(isGroup ? "--raised" : "--note");
  to.fillRect(x, y, width, height);
  to.globalAlpha = 1;
  to.lineWidth = Math.max(1, 1 / zoom);
  to.strokeStyle = lookOf(item.id, "").isSelected ? palette.of("--text") : (tint?.line ?? palette.of(isGroup ? "--strong-line" : "--note-line"));
  to.strokeRect(x, y, width, height);
  const size = zoom < FAR ? Math.min(15 / zoom, height / 4) : TITLE.near;
  if (!isGroup || size * zoom < LEGIBLE) return;
  to.fillStyle = palette.of("--soft");
  to.font = `600 ${size}px ${FAMILY}`;
  to.textAlign = "left";
  to.fillText(titleIn(item.data.item), x + 12, y + size * 1.2, width - 24);
}
