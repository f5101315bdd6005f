/** What kind of file a result is, by its name. */

export type Media = "image" | "video" | "audio" | "other";

const ENDINGS: Readonly<Record<string, Media>> = {
  png: "image",
  jpg: "image",
  jpeg: "image",
  webp: "image",
  gif: "image",
  avif: "image",
  bmp: "image",
  svg: "image",
  mp4: "video",
  webm: "video",
  mov: "video",
  mkv: "video",
  wav: "audio",
  mp3: "audio",
  flac: "audio",
  ogg: "audio",
  opus: "audio",
  m4a: "audio",
};

export function mediaOf(name: string): Media {
  return ENDINGS[name.slice(name.lastIndexOf(".") + 1).toLowerCase()] ?? "other";
}

export const isPicture = ({ name }: { readonly name: string }): boolean => mediaOf(name) === "image";
export const isSeen = ({ name }: { readonly name: string }): boolean => ["image", "video"].includes(mediaOf(name));
