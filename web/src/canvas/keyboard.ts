/**
 * The canvas by keyboard. Tab goes from node to node in the order of the links, Enter goes into a node, the arrow keys go from
 * socket to socket, Enter on a socket links it, Delete takes the link of an input away, Escape leads out again.
 */

import type { FocusEvent, KeyboardEvent } from "react";
import { aimAt, pick, useOpen } from "../commands/open";
import { flowOrder } from "../document/neighbours";
import { flowId, nodeId, select, tell, useEditor, workflow } from "../editor";
import { C } from "../texts-canvas";
import { aimedLink, cutAimedLink } from "./aimed";
import { elementOf, reveal } from "./view";

const TABBABLE = "button:not([tabindex='-1'], :disabled), input:not(:disabled, [hidden]), textarea, select, a[href], [tabindex='0']";
const FRAMES = 90;

export function onCanvasKey(event: KeyboardEvent<HTMLElement>): void {
  const target = event.target as HTMLElement;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const card = target.closest<HTMLElement>("article.card");
  const isDone =
    target === event.currentTarget ? onMain(event) : !card ? false : target === card ? onCard(event, card) : target.closest(".socket") ? onSocket(event, card) : inCard(event, card);
  if (isDone) event.preventDefault();
}

const idOf = (card: Element): string => nodeId(card.closest<HTMLElement>(".react-flow__node")?.dataset["id"] ?? "n/");

function onMain(event: KeyboardEvent<HTMLElement>): boolean {
  if (event.key !== "Tab" || event.shiftKey) return false;
  const [selected] = [...useEditor.getState().selection].filter((flow) => flow.startsWith("n/"));
  const first = selected === undefined ? flowOrder(workflow())[0] : nodeId(selected);
  if (first === undefined) return leave(event.currentTarget, 1);
  focusNode(first);
  return true;
}

function onCard(event: KeyboardEvent<HTMLElement>, card: HTMLElement): boolean {
  if (event.key === "Tab") return step(event, idOf(card), event.shiftKey ? -1 : 1);
  if (event.key !== "Enter" || event.shiftKey) return false;
  const inside = card.querySelector<HTMLElement>(".socket") ?? card.querySelector<HTMLElement>(TABBABLE);
  inside?.focus({ preventScroll: true });
  return true;
}

/** From node to node; past the last and before the first out of the canvas. */
function step(event: KeyboardEvent<HTMLElement>, id: string, by: 1 | -1): boolean {
  const order = flowOrder(workflow());
  const next = order[order.indexOf(id) + by];
  if (next === undefined || (by < 0 && order.indexOf(id) === 0)) return leave(event.currentTarget, by);
  focusNode(next);
  return true;
}

/** Puts the focus at the edge of the canvas, so that the browser goes on from there. */
function leave(main: HTMLElement, by: 1 | -1): boolean {
  if (by < 0) {
    main.focus({ preventScroll: true });
    return true;
  }
  const edge = document.createElement("span");
  edge.tabIndex = -1;
  main.append(edge);
  edge.focus({ preventScroll: true });
  edge.addEventListener("blur", () => setTimeout(() => edge.remove()), { once: true });
  return false;
}

function inCard(event: KeyboardEvent<HTMLElement>, card: HTMLElement): boolean {
  const target = event.target as HTMLElement;
  if (event.key === "Escape") {
    card.focus({ preventScroll: true });
    return true;
  }
  if (event.key !== "Tab") return false;
  const controls = [...card.querySelectorAll<HTMLElement>(TABBABLE)];
  const isEdge = target === (event.shiftKey ? controls[0] : controls.at(-1));
  if (!isEdge) return false;
  if (event.shiftKey) card.focus({ preventScroll: true });
  else return step(event, idOf(card), 1);
  return true;
}

function onSocket(event: KeyboardEvent<HTMLElement>, card: HTMLElement): boolean {
  const socket = (event.target as HTMLElement).closest<HTMLElement>(".socket");
  if (!socket) return false;
  switch (event.key) {
    case "ArrowUp":
    case "ArrowDown":
      alongSide(card, socket, event.key === "ArrowDown" ? 1 : -1)?.focus({ preventScroll: true });
      return true;
    case "ArrowLeft":
    case "ArrowRight":
      across(card, socket, event.key === "ArrowRight")?.focus({ preventScroll: true });
      return true;
    case "Enter":
    case " ":
      pick({ node: idOf(card), socket: nameOf(socket), isOutput: isOutput(socket) });
      return true;
    case "Delete":
    case "Backspace":
      cutHere();
      return true;
    case "Escape":
      card.focus({ preventScroll: true });
      return true;
    default:
      return false;
  }
}

function cutHere(): void {
  const aimed = aimedLink();
  if (!aimed) return;
  cutAimedLink();
  aimAt({ node: aimed.node, input: aimed.input });
  tell(C.keyboard.cut(aimed.input));
}

const nameOf = (socket: HTMLElement): string => socket.dataset["handleid"] ?? "";
const isOutput = (socket: HTMLElement): boolean => socket.classList.contains("source");
const socketsOf = (card: HTMLElement, side: "source" | "target"): HTMLElement[] => [...card.querySelectorAll<HTMLElement>(`.socket.${side}`)];

function alongSide(card: HTMLElement, socket: HTMLElement, by: 1 | -1): HTMLElement | undefined {
  const side = socketsOf(card, isOutput(socket) ? "source" : "target");
  return side[Math.min(Math.max(side.indexOf(socket) + by, 0), side.length - 1)];
}

/** The socket on the other side at about the same height. */
function across(card: HTMLElement, socket: HTMLElement, toRight: boolean): HTMLElement | undefined {
  if (isOutput(socket) === toRight) return undefined;
  const height = socket.offsetTop;
  const others = socketsOf(card, toRight ? "source" : "target");
  return others.sort((a, b) => Math.abs(a.offsetTop - height) - Math.abs(b.offsetTop - height))[0];
}

/** What has the focus is what commands mean: a node is selected, an input is aimed at. */
export function onCanvasFocus(event: FocusEvent<HTMLElement>): void {
  const target = event.target as HTMLElement;
  const socket = target.closest<HTMLElement>(".socket.target");
  const card = target.closest<HTMLElement>("article.card");
  if (useOpen.getState().menu) return;
  aimAt(socket && card ? { node: idOf(card), input: nameOf(socket) } : null);
}

/** Brings a node into sight and gives it the focus once it is an element of the page. */
export function focusNode(id: string, socket?: { readonly name: string; readonly isOutput: boolean }): void {
  select([flowId(id)]);
  reveal(id);
  let left = FRAMES;
  const look = (): void => {
    const card = elementOf(flowId(id))?.querySelector<HTMLElement>("article.card");
    const side = socket?.isOutput ? "source" : "target";
    const found = socket && card ? socketsOf(card, side).find((item) => nameOf(item) === socket.name) : card;
    if (found) found.focus({ preventScroll: true });
    else if ((left -= 1) > 0) requestAnimationFrame(look);
  };
  look();
}
