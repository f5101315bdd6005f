import { useCallback, useEffect, useRef, useState } from "react";
import { trying } from "../actions";
import { assets, type Asset, type AssetsAsked } from "../api/assets";
import { useRuns } from "../runs";

export type Wanted = Pick<AssetsAsked, "kind" | "search" | "sort">;

const PAGE = 100;
const SEARCH_AFTER = 200;

interface Pages {
  readonly files: readonly Asset[];
  readonly total: number;
  /** Whether there has been an answer. */
  readonly isRead: boolean;
  readonly more: () => void;
  readonly forget: (gone: readonly Asset[]) => void;
}

interface Read {
  readonly files: readonly Asset[];
  readonly total: number;
}

/** The files of a folder, page after page; read again when a run ended. */
export function usePages({ kind, search, sort }: Wanted): Pages {
  const [read, setRead] = useState<Read | null>(null);
  const results = useRuns((state) => state.results.length);
  const count = useRef(PAGE);
  const isReading = useRef(false);
  useEffect(() => {
    count.current = PAGE;
  }, [kind, search, sort]);
  useEffect(() => {
    let isOld = false;
    const timer = setTimeout(() => {
      trying(async () => {
        const { assets: files, total } = await assets({ kind, search, sort, limit: Math.min(count.current, 1000), offset: 0 });
        if (!isOld) setRead({ files, total });
      });
    }, search ? SEARCH_AFTER : 0);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [kind, search, sort, results]);
  const offset = read?.files.length ?? 0;
  const more = useCallback(() => {
    if (isReading.current) return;
    isReading.current = true;
    trying(async () => {
      try {
        const { assets: files, total } = await assets({ kind, search, sort, limit: PAGE, offset });
        count.current = offset + PAGE;
        setRead((old) => ({ files: withoutTwins([...(old?.files ?? []), ...files]), total }));
      } finally {
        isReading.current = false;
      }
    });
  }, [kind, search, sort, offset]);
  const forget = (gone: readonly Asset[]): void => {
    setRead((old) => old && { files: old.files.filter((file) => !gone.includes(file)), total: old.total - gone.length });
  };
  return { files: read?.files ?? [], total: read?.total ?? 0, isRead: read !== null, more, forget };
}

/** A file that moved from one page to the next is there once. */
const withoutTwins = (files: readonly Asset[]): readonly Asset[] => [...new Map(files.map((file) => [file.url, file])).values()];
