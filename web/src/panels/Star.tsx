import type { NodeType } from "../document/schema";
import { keep, useFavourites } from "../taste";
import { C } from "../texts-canvas";
import { Icon } from "./Icon";

/** Keeps a node type among the favourites. */
export function Star({ type, isReachable = true }: { readonly type: NodeType; readonly isReachable?: boolean }) {
  const favourites = useFavourites();
  const isOn = favourites.includes(type.id);
  return (
    <button
      type="button"
      className="star"
      aria-pressed={isOn}
      aria-label={C.library.star(type.title)}
      title={isOn ? C.library.unstar(type.title) : C.library.star(type.title)}
      tabIndex={isReachable ? 0 : -1}
      onClick={(event) => {
        event.stopPropagation();
        keep("favourites", isOn ? favourites.filter((id) => id !== type.id) : [...favourites, type.id]);
      }}
    >
      <Icon name="star" />
    </button>
  );
}
