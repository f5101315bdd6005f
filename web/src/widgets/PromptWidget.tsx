import { useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { Completions } from "./Completions";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";
import { completionAt, partsOf, toggleComment, type Completion, type Part } from "./syntax";
import { textOf } from "./TextWidget";
import { TokenCount } from "./TokenCount";
import { weigh } from "./weigh";
import { takeLora } from "./loras";
import type { Name } from "./useNames";
import { replaceText, rewriteText } from "./writing";
import { undoLast } from "../editor";

/** A text of several lines: weights with Ctrl+Up and Ctrl+Down, comments with Ctrl+/, embeddings and LoRAs completed. */
export function PromptWidget({ name, widget, value, set, id, input }: WidgetProps<WidgetOf<"prompt">>) {
  const [completion, setCompletion] = useState<Completion | null>(null);
  const [isFocused, setFocused] = useState(false);
  const visit = useRef(0);
  const area = useRef<HTMLTextAreaElement>(null);
  const copy = useRef<HTMLDivElement>(null);
  const choosing = useRef<(event: KeyboardEvent) => boolean>(() => false);
  /** The text after a LoRA was taken out of it and where that stood: the browser cannot undo that step. */
  const taken = useRef<{ readonly text: string; readonly from: number } | null>(null);
  const list = useId();
  const text = textOf(value);
  const parts = useMemo(() => partsOf(text, widget.dynamic), [text, widget.dynamic]);
  const isPlain = parts.every((part) => part.meaning === "plain");
  useLayoutEffect(() => {
    if (taken.current?.text === text) area.current?.setSelectionRange(taken.current.from, taken.current.from);
  }, [text]);
  useLayoutEffect(() => {
    if (copy.current && area.current) copy.current.scrollTop = area.current.scrollTop;
  }, [text, isFocused, isPlain]);

  const look = (): void => {
    const now = area.current;
    const isPoint = now !== null && now.selectionStart === now.selectionEnd;
    setCompletion((isPoint && completionAt(now.value, now.selectionStart)) || null);
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (completion && choosing.current(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (!(event.ctrlKey || event.metaKey)) return;
    const now = event.currentTarget;
    if (event.key === "z" && taken.current?.text === now.value) {
      event.preventDefault();
      taken.current = null;
      undoLast();
      return;
    }
    const change = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (change) rewriteText(now, weigh(now.value, now.selectionStart, now.selectionEnd, change));
    else if (event.key === "/" && widget.dynamic) rewriteText(now, toggleComment(now.value, now.selectionStart, now.selectionEnd));
    else return;
    event.preventDefault();
  };
  const complete = (chosen: Name): void => {
    setCompletion(null);
    if (!completion || !area.current) return;
    const { from, to } = completion;
    if (chosen.kind === "embedding") {
      replaceText(area.current, from, to, chosen.value);
      return;
    }
    taken.current = { text: text.slice(0, from) + text.slice(to), from };
    takeLora(id, input.name, taken.current.text, chosen.value);
  };
  return (
    <div className="prompt-box nodrag nowheel">
      {(!isPlain || completion) && (
        <div ref={copy} className="prompt prompt-copy" aria-hidden>
          {parts.map(markedPart)}
          {"\u200b"}
        </div>
      )}
      <textarea
        ref={area}
        className="prompt"
        aria-label={name}
        aria-autocomplete="list"
        aria-controls={completion ? list : undefined}
        placeholder={widget.placeholder || name}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onFocus={() => {
          visit.current += 1;
          setFocused(true);
        }}
        onBlur={() => {
          setFocused(false);
          setCompletion(null);
        }}
        onChange={(event) => {
          set(event.target.value, `typing ${visit.current}`);
          look();
        }}
        onScroll={(event) => {
          if (copy.current) copy.current.scrollTop = event.currentTarget.scrollTop;
        }}
        onPointerDown={() => {
          setCompletion(null);
        }}
        onKeyDown={onKey}
      />
      {completion && <Completions id={list} node={id} completion={completion} copy={copy} area={area} complete={complete} close={() => setCompletion(null)} keys={choosing} />}
      {isFocused && widget.dynamic && <TokenCount text={text} />}
    </div>
  );
}

const markedPart = (part: Part, index: number) => (part.meaning === "plain" ? part.text : <mark key={index} className={`means-${part.meaning}`}>{part.text}</mark>);
