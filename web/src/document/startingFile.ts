/** The file that a newly added node begins with: one rule for all nodes that choose among files. */

import type { Id, Workflow } from "./document";
import type { NodeTypes } from "./schema";

export interface KnownFile {
  readonly name: string;
  /** "" where it is not known. */
  readonly family: string;
}

export interface Choosing {
  readonly files: readonly KnownFile[];
  /** Names that the workflow has at such a place already, the last one first. */
  readonly used: readonly string[];
  /** Names that were run with lately, the last one first. */
  readonly recent: readonly string[];
  /** The family that the rest of the workflow has, or "". */
  readonly family: string;
}

/** Plain families, from the one that the sizes of new nodes suit. */
const PLAIN: readonly string[] = ["sd1", "sd2", "sdxl"];
/** What a name says of a model that is for something else than a first picture. */
const SPECIAL = /refiner|inpaint|pix2pix|instruct|[-_.]edit|depth2img|upscal/i;

/** What the workflow uses already, else what was used last, else a plain model: of those that fit the family, where some do. */
export function startingFile({ files, used, recent, family }: Choosing): string | undefined {
  const fitting = family ? files.filter((file) => file.family.split("-")[0] === family.split("-")[0]) : [];
  const offered = fitting.length ? fitting : files;
  const names = new Set(offered.map(({ name }) => name));
  const known = [...used, ...recent].find((name) => names.has(name));
  return known ?? offered.toSorted((a, b) => rank(a) - rank(b))[0]?.name;
}

/** The plainer the lower; the order of names decides among equals. */
function rank({ name, family }: KnownFile): number {
  if (SPECIAL.test(name)) return 3 * PLAIN.length;
  if (!family) return PLAIN.length;
  const place = PLAIN.indexOf(family);
  return place < 0 ? 2 * PLAIN.length : place;
}

/** The files of a folder that a workflow names, as the nodes that were added last do first. */
export function filesIn({ nodes }: Pick<Workflow, "nodes">, types: NodeTypes, folder: string): readonly string[] {
  return [...nodes.values()].toReversed().flatMap(({ type, inputs }) =>
    (types.get(type)?.inputs ?? []).flatMap(({ name, widget }) => {
      const value = inputs.get(name);
      return (widget?.kind === "file" || widget?.kind === "image") && widget.folder === folder && typeof value === "string" ? [value] : [];
    }),
  );
}

/** All files that a workflow names, by folder and name. */
export function allFilesIn(workflow: Workflow, types: NodeTypes): readonly (readonly [folder: Id, name: string])[] {
  const canvases = [workflow, ...workflow.subgraphs.values()];
  const folders = new Set([...types.values()].flatMap(({ inputs }) => inputs.flatMap(({ widget }) => (widget?.kind === "file" || widget?.kind === "image" ? [widget.folder] : []))));
  return [...folders].flatMap((folder) => canvases.flatMap((canvas) => filesIn(canvas, types, folder).map((name) => [folder, name] as const)));
}
