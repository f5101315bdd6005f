/** The names that a prompt can be completed with: embeddings and LoRAs, as options of one list. */

import { useEffect, useMemo, useState } from "react";
import { readFiles, trying } from "../actions";
import { filesOf, NO_FILES, type FilePage } from "../api/options";
import type { Id } from "../document/document";
import { LORAS } from "../document/loras";
import { useEditor, workflow } from "../editor";
import { familyAround } from "./family";
import { fileOption, fitting, type Option } from "./options";
import { embeddingWord, type Completion, type Named } from "./syntax";
import { W } from "./texts";

export interface Name {
  readonly kind: Named;
  /** The word of an embedding, the file of a LoRA. */
  readonly value: string;
  readonly text: string;
  readonly hint: string;
  readonly against: string;
}

const EMBEDDINGS = "embeddings";
const MOST = 12;

/** The names that fit what is being written, those for the model of this prompt first. */
export function useNames({ kinds, words }: Completion, id: Id): readonly Name[] {
  const embeddings = useFolder(kinds.includes("embedding") ? EMBEDDINGS : "", words);
  const loras = useFolder(kinds.includes("lora") ? LORAS : "", words);
  const files = useEditor((state) => state.files);
  return useMemo(() => {
    const family = familyAround(workflow(), useEditor.getState().types, files, id);
    const offered = [...embeddings.map((file) => option(file, embeddingWord(file.name), family)), ...loras.map((file) => option(file, file.name, family))];
    const isLora = new Set(loras.map(({ name }) => name));
    return fitting(offered.filter(({ text }) => text), words)
      .slice(0, MOST)
      .map(({ text, hint, against }) => ({ kind: isLora.has(text) ? "lora" : "embedding", value: text, text: isLora.has(text) ? text : text.slice(text.indexOf(":") + 1), hint, against }));
  }, [embeddings, loras, files, id, words]);
}

const option = (file: FilePage["files"][number], name: string, family: string): Option => fileOption({ ...file, name }, family, W.otherFamily);

/** The files of a folder that may fit words: those that are known, or of the server where it has more. "" has none. */
function useFolder(folder: string, words: string): FilePage["files"] {
  const known = useEditor((state) => state.files.get(folder));
  const [searched, setSearched] = useState<FilePage>(NO_FILES);
  const isLarge = known !== undefined && known.total > known.files.length;
  useEffect(() => {
    if (folder) trying(() => readFiles(folder)); // they may have come and gone, and more be known of them
  }, [folder]);
  useEffect(() => {
    if (!isLarge) return;
    let isOld = false;
    trying(async () => {
      const page = await filesOf(folder, words);
      if (!isOld) setSearched(page);
    });
    return () => {
      isOld = true;
    };
  }, [folder, isLarge, words]);
  return (isLarge ? searched : (known ?? NO_FILES)).files;
}
