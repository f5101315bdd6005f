import { useState, type SyntheticEvent } from "react";
import { inputUrl } from "../api/client";
import type { Id, Node } from "../document/document";
import { asText } from "../document/json";
import { useEditor } from "../editor";
import { carryAsset } from "../jobs/dragging";
import { isPicture } from "../jobs/media";
import { Icon } from "../panels/Icon";
import { shotAt, viewPicture } from "../panels/viewing";
import { nodeRunOf, pictureOf, useRuns } from "../runs";
import { T } from "../texts";
import { R } from "../texts-runs";
import type { Row } from "./geometry";

const hide = (event: SyntheticEvent<HTMLImageElement>): void => {
  event.currentTarget.style.visibility = "hidden";
};
const show = (event: SyntheticEvent<HTMLImageElement>): void => {
  event.currentTarget.style.visibility = "";
};

/** The picture that is chosen on a card, or those that its node made, one at a time. */
export function PictureRow({ row, id, node }: { readonly row: Row; readonly id: Id; readonly node: Node }) {
  const type = useEditor((state) => state.types.get(node.type));
  const made = useRuns(pictureOf(id));
  const fresh = useRuns((state) => nodeRunOf(id)(state)?.pictures);
  const [place, setPlace] = useState({ of: fresh, at: 0 });
  const input = type?.inputs.find((item) => item.widget?.kind === "image");
  const chosen = input && asText(node.inputs.get(input.name) as never);
  const several = chosen ? [] : (fresh ?? []).filter(isPicture);
  const at = place.of === fresh ? place.at : 0;
  const picture = chosen ? inputUrl(chosen, input?.widget?.kind === "image" ? input.widget.folder : undefined) : (several[at]?.url ?? made);
  const step = (by: number): void => {
    setPlace({ of: fresh, at: (at + by + several.length) % several.length });
  };
  return (
    <div className="row picture" style={{ top: row.top, height: row.height }}>
      {picture && (
        <button
          type="button"
          className="nodrag"
          aria-label={T.panel.fullView}
          onClick={() => {
            viewPicture(picture);
          }}
        >
          <img
            key={picture}
            src={picture}
            alt={chosen ?? T.panel.results}
            draggable
            onDragStart={(event) => {
              carryAsset(event.dataTransfer, shotAt(picture));
            }}
            onError={hide}
            onLoad={show}
          />
        </button>
      )}
      {several.length > 1 && (
        <span className="pager nodrag">
          <button type="button" aria-label={T.panel.previous} onClick={() => step(-1)}>
            <Icon name="left" />
          </button>
          {R.node.steps(at + 1, several.length)}
          <button type="button" aria-label={T.panel.next} onClick={() => step(1)}>
            <Icon name="right" />
          </button>
        </span>
      )}
    </div>
  );
}
