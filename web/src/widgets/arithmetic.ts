/** Numbers as people type them: "512*2", "(3+1)/4", "*1.5" of what was there. */

const SIGN = /\s*(\*\*|[-+*/%^()]|\d+(?:[.,]\d*)?(?:e[-+]?\d+)?|[.,]\d+|[a-z]+)/iy;
const NAMES: Readonly<Record<string, number>> = { pi: Math.PI };

/** The value of an arithmetic text, undefined where it is none. A text that starts with *, / or % goes on from `now`. */
export function evaluate(text: string, now: number): number | undefined {
  const signs = signsIn(/^\s*[*/%]/.test(text) ? `x${text}` : text);
  if (!signs?.length) return undefined;
  const value = parsed(signs, now);
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function signsIn(text: string): string[] | undefined {
  const signs: string[] = [];
  const end = text.trimEnd().length;
  for (let at = 0; at < end; at = SIGN.lastIndex) {
    SIGN.lastIndex = at;
    const found = SIGN.exec(text)?.[1];
    if (found === undefined) return undefined;
    signs.push(found.toLowerCase().replace(",", "."));
  }
  return signs;
}

const LEVELS: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  { "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b },
];

function parsed(signs: readonly string[], now: number): number | undefined {
  let at = 0;
  const level = (depth: number): number => {
    const signsHere = LEVELS[depth];
    if (!signsHere) return power();
    let value = level(depth + 1);
    for (let does = signsHere[signs[at] ?? ""]; does; does = signsHere[signs[at] ?? ""]) {
      at += 1;
      value = does(value, level(depth + 1));
    }
    return value;
  };
  const power = (): number => {
    if (signs[at] === "-" || signs[at] === "+") return signs[at++] === "-" ? -power() : power();
    const base = atom();
    if (signs[at] !== "^" && signs[at] !== "**") return base;
    at += 1;
    return base ** power();
  };
  const atom = (): number => {
    const sign = signs[at++] ?? "";
    if (sign !== "(") return sign === "x" ? now : (NAMES[sign] ?? (/[\d.]/.test(sign) ? Number(sign) : NaN));
    const value = level(0);
    return signs[at++] === ")" ? value : NaN;
  };
  const value = level(0);
  return at === signs.length ? value : undefined;
}
