import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { readFiles, trying } from "../actions";
import { filesOf, NO_FILES, type FilePage } from "../api/options";
import type { Id } from "../document/document";
import type { Widget } from "../document/widgets";
import { useEditor, workflow } from "../editor";
import { familyAround } from "./family";
import { fileOption, fitting, plainOption, type Option } from "./options";
import { W } from "./texts";

export type Choosing = Extract<Widget, { kind: "choice" | "choices" | "file" | "image" }>;

export interface Offered {
  readonly options: readonly Option[];
  /** How many fit in all; the server has those that are not listed yet. */
  readonly total: number;
  readonly more: () => void;
}

const SEARCH_AFTER = 150;

/** What a choice offers for words: filtered here, or by the server where a folder holds more than a page. */
export function useOptions(widget: Choosing, id: Id, words: string): Offered {
  const folder = widget.kind === "file" || widget.kind === "image" ? widget.folder : "";
  const known = useEditor((state) => state.files.get(folder)) ?? NO_FILES;
  const isLarge = known.total > known.files.length;
  const searched = useSearch(isLarge ? folder : "", words, known);
  const wanted = useWantedFamily(folder, id);
  const page = isLarge ? searched.page : known;
  const options = useMemo(() => {
    const all = folder ? page.files.map((file) => fileOption(file, wanted, W.otherFamily)) : "options" in widget ? widget.options.map(plainOption) : [];
    return isLarge ? all : fitting(all, words);
  }, [widget, folder, page, wanted, words, isLarge]);
  return { options, total: isLarge ? page.total : options.length, more: searched.more };
}

function useWantedFamily(folder: string, id: Id): string {
  const files = useEditor((state) => state.files);
  return useMemo(() => (folder ? familyAround(workflow(), useEditor.getState().types, files, id) : ""), [folder, files, id]);
}

/** Pages of a large folder, as the server finds them. */
function useSearch(folder: string, words: string, first: FilePage): { readonly page: FilePage; readonly more: () => void } {
  const [page, setPage] = useState(first);
  const asking = useRef("");
  useEffect(() => {
    if (!folder) return;
    let isOld = false;
    const timer = setTimeout(
      () => {
        trying(async () => {
          const found = await filesOf(folder, words);
          if (!isOld) setPage(found);
        });
      },
      words ? SEARCH_AFTER : 0,
    );
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [folder, words]);
  const more = useCallback(() => {
    const key = `${folder} ${words} ${page.files.length}`;
    if (!folder || page.files.length >= page.total || asking.current === key) return;
    asking.current = key;
    trying(async () => {
      const next = await filesOf(folder, words, page.files.length);
      setPage((old) => (old === page ? { files: [...old.files, ...next.files], total: next.total } : old));
    });
  }, [folder, words, page]);
  return { page, more };
}

/** Asks the server again for the files of a choice that opens: they may have come and gone. */
export function refresh(widget: Choosing): void {
  if (widget.kind === "file" || widget.kind === "image") trying(() => readFiles(widget.folder));
}
