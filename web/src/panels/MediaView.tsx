import type { Picture } from "../api/jobs";
import { mediaOf } from "../jobs/media";
import { viewPicture } from "./viewing";
import { T } from "../texts";

/** A file that a node showed, as what it is: a picture to open, a film or a sound to play, anything else to fetch. */
export function MediaView({ picture }: { readonly picture: Picture }) {
  const { name, url } = picture;
  switch (mediaOf(name)) {
    case "image":
      return (
        <button
          type="button"
          aria-label={T.panel.fullView}
          onClick={() => {
            viewPicture(url);
          }}
        >
          <img src={url} alt={name} />
        </button>
      );
    case "video":
      return <video src={url} aria-label={name} controls loop muted playsInline />;
    case "audio":
      return <audio src={url} aria-label={name} controls preload="metadata" />;
    default:
      return (
        <a href={url} download>
          {name}
        </a>
      );
  }
}
