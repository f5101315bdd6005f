/** Which picture is seen in full, and which panel is open. */

import { create } from "zustand";

export type Panel = "problems" | "runs";

interface Viewing {
  readonly picture: string | null;
  readonly panel: Panel | null;
  readonly theme: "dark" | "light";
}

const THEME = "darkroom.theme";

function firstTheme(): Viewing["theme"] {
  const kept = localStorage.getItem(THEME);
  if (kept === "dark" || kept === "light") return kept;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export const useViewing = create<Viewing>(() => ({ picture: null, panel: null, theme: firstTheme() }));

export function viewPicture(picture: string | null): void {
  useViewing.setState({ picture });
}

export function togglePanel(panel: Panel): void {
  useViewing.setState((state) => ({ panel: state.panel === panel ? null : panel }));
}

export function toggleTheme(): void {
  const theme = useViewing.getState().theme === "dark" ? "light" : "dark";
  localStorage.setItem(THEME, theme);
  useViewing.setState({ theme });
}
