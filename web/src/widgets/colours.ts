/** Colours as values: 0xRRGGBB as a number, or "#rrggbb" as a text. */

const NAMES: Readonly<Record<string, number>> = { black: 0, white: 0xffffff, red: 0xff0000, green: 0x008000, blue: 0x0000ff, grey: 0x808080, gray: 0x808080 };

/** The colour of a text: "#f00", "ff0000", "rgb(255, 0, 0)", "255, 0, 0", "0xff0000", or a name; undefined for another. */
export function colourIn(text: string): number | undefined {
  const plain = text.trim().toLowerCase();
  const named = NAMES[plain];
  if (named !== undefined) return named;
  const [, short] = /^#?([0-9a-f]{3})$/.exec(plain) ?? [];
  if (short) return parseInt([...short].map((digit) => digit + digit).join(""), 16);
  const [, long] = /^(?:#|0x)?([0-9a-f]{6})$/.exec(plain) ?? [];
  if (long) return parseInt(long, 16);
  const parts = /^(?:rgb\()?\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*\)?$/.exec(plain)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) ? parts.reduce((all, part) => all * 256 + part, 0) : undefined;
}

export const hexOf = (colour: number): string => `#${Math.min(Math.max(Math.trunc(colour), 0), 0xffffff).toString(16).padStart(6, "0")}`;

export const channelsOf = (colour: number): readonly [red: number, green: number, blue: number] => [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255];
