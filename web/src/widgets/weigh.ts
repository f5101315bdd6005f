const WEIGHED = /^\((.*):(-?\d+(?:\.\d+)?)\)$/s;

/** The text with its selected part, or the word at the cursor, weighing `change` more. */
export function weigh(text: string, from: number, to: number, change: number): { text: string; start: number; end: number } {
  let [start, end] = [from, to];
  if (start === end) {
    while (start > 0 && /[^\s,]/.test(text[start - 1] ?? "")) start -= 1;
    while (end < text.length && /[^\s,]/.test(text[end] ?? "")) end += 1;
  }
  const part = text.slice(start, end);
  if (!part) return { text, start, end };
  const [, words = part, weight = "1"] = WEIGHED.exec(part) ?? [];
  const next = Math.round((Number(weight) + change) * 100) / 100;
  const put = next === 1 ? words : `(${words}:${next})`;
  return { text: text.slice(0, start) + put + text.slice(end), start, end: start + put.length };
}
