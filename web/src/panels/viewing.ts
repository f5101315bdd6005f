/** Which pictures are seen in full, and which panel is open. */

import { create } from "zustand";

export type Panel = "problems" | "runs" | "log";

/** A picture that can be looked at. job: where it is known which run made it. */
export interface Shot {
  readonly name: string;
  readonly kind: string;
  readonly url: string;
  readonly job?: string;
}

interface Viewing {
  readonly picture: string | null;
  /** The pictures that the arrow keys go through; null: the results. */
  readonly among: readonly Shot[] | null;
  /** The picture that the one in full view is compared with. */
  readonly compared: string | null;
  /** The first of two pictures chosen to be compared. */
  readonly pinned: string | null;
  readonly isGalleryOpen: boolean;
  readonly panel: Panel | null;
}

export const useViewing = create<Viewing>(() => ({
  picture: null,
  among: null,
  compared: null,
  pinned: null,
  isGalleryOpen: false,
  panel: null,
}));

/** A picture of which only the address is known. */
export function shotAt(url: string): Shot {
  const { pathname, searchParams } = new URL(url, location.href);
  return { url, kind: pathname.split("/").at(-1) ?? "output", name: searchParams.get("name") ?? url };
}

export function viewPicture(picture: string | null, among: readonly Shot[] | null = null): void {
  useViewing.setState({ picture, among, compared: null });
}

/** The arrow keys: another picture of the same row, still compared with the same one. */
export function viewNext(picture: string): void {
  useViewing.setState({ picture });
}

/** Puts two pictures beside each other, the first at the left. */
export function comparePictures(left: string, right: string, among: readonly Shot[] | null = null): void {
  useViewing.setState({ picture: right, compared: left, pinned: null, among });
}

export function endComparison(): void {
  useViewing.setState({ compared: null });
}

/** Chooses a picture to be compared; the second that is chosen opens the comparison. */
export function pinPicture(url: string): void {
  const { pinned } = useViewing.getState();
  if (pinned === url) useViewing.setState({ pinned: null });
  else if (pinned === null) useViewing.setState({ pinned: url });
  else comparePictures(pinned, url);
}

export function showGallery(isGalleryOpen: boolean): void {
  useViewing.setState({ isGalleryOpen });
}

export function togglePanel(panel: Panel): void {
  useViewing.setState((state) => ({ panel: state.panel === panel ? null : panel }));
}
