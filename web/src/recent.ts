/** The names of workflows that were opened or saved last, in this browser. */

const KEY = "darkroom.recent";
const MOST = 12;

export function recentNames(): readonly string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

export function remember(name: string): void {
  const names = [name, ...recentNames().filter((other) => other !== name)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(names));
  } catch {
    // The browser keeps nothing for this page.
  }
}
