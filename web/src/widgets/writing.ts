/** Changing the text of a field as typing would: the browser's own undo goes on working. */

/** Puts a text in place of a part of a field, as if it had been typed there. */
export function replaceText(area: HTMLTextAreaElement, from: number, to: number, text: string): void {
  area.focus();
  area.setSelectionRange(from, to);
  // The only way that browsers have to change a field and keep its undo.
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  area.setRangeText(text, from, to, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Makes the text of a field another one that is the same outside of a part, and selects that part. */
export function rewriteText(area: HTMLTextAreaElement, { text, start, end }: { readonly text: string; readonly start: number; readonly end: number }): void {
  const to = area.value.length - (text.length - end);
  if (text !== area.value) replaceText(area, start, to, text.slice(start, end));
  area.setSelectionRange(start, end);
}

/** Where a place of a text lies on the screen, by a copy of the text that is laid out alike. */
export function placeOnScreen(copy: HTMLElement, offset: number): DOMRect {
  const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let left = offset;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    if (left <= length) {
      range.setStart(node, left);
      range.collapse(true);
      return range.getClientRects()[0] ?? copy.getBoundingClientRect();
    }
    left -= length;
  }
  return copy.getBoundingClientRect();
}
