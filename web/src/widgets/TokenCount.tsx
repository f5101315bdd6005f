import { useEffect, useState } from "react";
import { countTokens } from "../api/options";
import { W } from "./texts";

const COUNT_AFTER = 400;

/** How many tokens a prompt has, and how many chunks they fill. */
export function TokenCount({ text }: { readonly text: string }) {
  const [count, setCount] = useState<{ readonly tokens: number; readonly chunks: number } | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      // A count that does not come is not worth a word.
      countTokens(text, stop.signal).then(setCount, () => setCount(null));
    }, COUNT_AFTER);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);
  return count && <small className={`tokens${count.chunks > 1 ? " many" : ""}`}>{W.tokens(count.tokens, count.chunks)}</small>;
}
