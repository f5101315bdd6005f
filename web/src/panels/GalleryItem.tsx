import { memo, useState, type MouseEvent } from "react";
import { thumbnailUrl, type Asset } from "../api/assets";
import { carryAsset } from "../jobs/dragging";
import { mediaOf } from "../jobs/media";
import { bytes } from "../jobs/words";
import { R } from "../texts-runs";

interface Props {
  readonly file: Asset;
  readonly isFirst: boolean;
  readonly isChosen: boolean;
  readonly choose: (url: string, isRange: boolean) => void;
  readonly onClick: (event: MouseEvent, file: Asset) => void;
}

const SIDE = 320;

export const GalleryItem = memo(function GalleryItem({ file, isFirst, isChosen, choose, onClick }: Props) {
  const short = file.name.split("/").at(-1) ?? file.name;
  return (
    <div
      role="option"
      tabIndex={isFirst ? 0 : -1}
      aria-selected={isChosen}
      aria-label={file.name}
      title={`${file.name}\n${bytes(file.size)}`}
      data-url={file.url}
      className="gallery-item"
      draggable
      onDragStart={(event) => {
        carryAsset(event.dataTransfer, file);
      }}
      onClick={(event) => {
        onClick(event, file);
      }}
    >
      <Look file={file} />
      <span className="caption">{short}</span>
      <span
        className="tick"
        title={R.gallery.choose(short)}
        onClick={(event) => {
          event.stopPropagation();
          choose(file.url, event.shiftKey);
        }}
      />
    </div>
  );
});

function Look({ file }: { readonly file: Asset }) {
  const [isGone, setGone] = useState(false);
  const media = mediaOf(file.name);
  if (media === "image" && !isGone)
    return (
      <img
        src={thumbnailUrl(file, SIDE)}
        alt=""
        loading="lazy"
        draggable={false}
        onError={() => {
          setGone(true);
        }}
      />
    );
  if (media === "video") return <video src={file.url} muted preload="metadata" />;
  return <span className="plain">{file.name.split(".").at(-1)}</span>;
}
