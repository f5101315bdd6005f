/** How well a name fits what somebody types: 0 where the letters do not come in this order. */

/** More for whole words, starts of words and short names. */
export function closeness(name: string, needle: string): number {
  const hay = name.toLowerCase();
  const at = hay.indexOf(needle);
  const shortness = 10 / (10 + name.length);
  if (at === 0) return (hay.length === needle.length ? 120 : 100) + shortness * 10;
  if (at > 0) return (startsWord(name, at) ? 80 : 60) + shortness * 10;
  return apart(hay, needle, shortness);
}

const startsWord = (name: string, at: number): boolean => /[^a-z0-9]/i.test(name[at - 1] ?? "") || /[A-Z]/.test(name[at] ?? "");

/** Letters in order, but apart: less for each new start. */
function apart(hay: string, needle: string, shortness: number): number {
  let [place, runs] = [-1, 0];
  for (const letter of needle) {
    const next = hay.indexOf(letter, place + 1);
    if (next < 0) return 0;
    if (next !== place + 1) runs += 1;
    place = next;
  }
  const score = 40 - runs * 8;
  return score > 0 ? score + shortness : 0;
}

/** The words that somebody types. */
export const needlesIn = (words: string): readonly string[] => words.toLowerCase().split(/\s+/).filter(Boolean);

/** The sum over all words; 0 where one of them fits nothing. */
export function scoreOf(words: string, score: (needle: string) => number): number {
  let sum = 0;
  for (const needle of needlesIn(words)) {
    const found = score(needle);
    if (found <= 0) return 0;
    sum += found;
  }
  return sum;
}
