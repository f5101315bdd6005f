/** The colours of theme.css for what is painted. */

export interface Palette {
  /** The value of a colour variable of the theme, such as "--card". */
  readonly of: (variable: string) => string;
  /** The colour of a link by its class names. */
  readonly link: (className: string) => string;
  /** The colour of a category of nodes, "" where it has none. */
  readonly category: (category: string) => string;
  /** The colours of something that was given one, as looks.css makes them. */
  readonly tint: (colour: string) => Tint | undefined;
}

export interface Tint {
  readonly card: string;
  readonly head: string;
  readonly line: string;
}

/** Reads colours when they are first asked for; a new theme needs a new palette. */
export function readPalette(): Palette {
  const known = new Map<string, string>();
  const read = (key: string, variable: string, dress: (probe: HTMLElement) => void): string => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const probe = document.createElement("i");
    dress(probe);
    document.documentElement.append(probe);
    const colour = getComputedStyle(probe).getPropertyValue(variable).trim();
    probe.remove();
    known.set(key, colour);
    return colour;
  };
  return {
    of: (variable) => read(variable, variable, () => undefined),
    link: (className) => read(`link ${className}`, "--type", (probe) => (probe.className = className)),
    tint: (colour) => {
      if (!colour) return undefined;
      const part = (name: string): string => readTint(known, colour, name);
      return { card: part("card"), head: part("head"), line: part("line") };
    },
    category: (category) => read(`category ${category}`, "--category", (probe) => (probe.dataset["category"] = category)),
  };
}

/** What a colour of a document becomes in the theme. */
function readTint(known: Map<string, string>, colour: string, part: string): string {
  const key = `tint ${colour} ${part}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const probe = document.createElement("i");
  probe.dataset["tint"] = "";
  probe.style.setProperty("--tint", colour);
  probe.style.color = `var(--tint-${part})`;
  document.documentElement.append(probe);
  const made = getComputedStyle(probe).color;
  probe.remove();
  known.set(key, made);
  return made;
}
