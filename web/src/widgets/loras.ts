/** What choosing a LoRA in a prompt does: the words that were typed make room for a node. */

import { freePlace } from "../canvas/freePlace";
import { all, setValue } from "../document/commands";
import type { Id } from "../document/document";
import { loraInsertion } from "../document/loras";
import { flowId, run, select, tell, titleOf, useEditor, workflow } from "../editor";
import { W } from "./texts";

/** Gives the prompt at an input this text, and the links that lead to it a node that loads the file. Undo takes both back. */
export function takeLora(prompt: Id, input: string, text: string, file: string): void {
  const { types } = useEditor.getState();
  const placing = (now: ReturnType<typeof workflow>, near: Id, type: string) => freePlace(now, types, near, type);
  const { command, node, isNew, lacks } = loraInsertion(workflow(), types, prompt, { file, model: 1, clip: 1 }, placing);
  run(all(setValue(prompt, input, text), command));
  select([flowId(node)]);
  tell(!isNew ? W.loraThere(file, titleOf(node)) : lacks.length ? W.loraLoose(file, lacks.join(" and ")) : W.loraAdded(file));
}
