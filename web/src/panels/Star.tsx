import type { MouseEvent } from "react";
import type { NodeType } from "../document/schema";
import { keep, useFavourites } from "../taste";
import { C } from "../texts-canvas";
import { Icon } from "./Icon";

/** Keeps a node type among the favourites. */
export function Star({ type }: { readonly type: NodeType }) {
  const { isOn, toggle } = useStar(type);
  return (
    <button type="button" className="star" aria-pressed={isOn} aria-label={C.library.star(type.title)} title={titleOf(type, isOn)} onClick={toggle}>
      <Icon name="star" />
    </button>
  );
}

/** The same within an option of a list, where no control may be; the library has the one for the keyboard. */
export function StarMark({ type }: { readonly type: NodeType }) {
  const { isOn, toggle } = useStar(type);
  return (
    <span className={`star${isOn ? " on" : ""}`} title={titleOf(type, isOn)} onClick={toggle}>
      <Icon name="star" />
    </span>
  );
}

const titleOf = ({ title }: NodeType, isOn: boolean): string => (isOn ? C.library.unstar(title) : C.library.star(title));

function useStar({ id }: NodeType): { readonly isOn: boolean; readonly toggle: (event: MouseEvent) => void } {
  const favourites = useFavourites();
  const isOn = favourites.includes(id);
  const toggle = (event: MouseEvent): void => {
    event.stopPropagation();
    keep("favourites", isOn ? favourites.filter((other) => other !== id) : [...favourites, id]);
  };
  return { isOn, toggle };
}
