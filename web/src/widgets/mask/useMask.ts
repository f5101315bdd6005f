import { useEffect, useState } from "react";
import { fileUrl } from "../../api/client";
import { opaqueUrl } from "../../api/options";
import { M } from "../texts";
import { maskOfAlpha, newMask, type Mask } from "./buffer";
import type { Painting } from "./painting";
import { brushFor, setTools, useTools } from "./tools";
import { startSession, type Session } from "./session";

export interface Loaded {
  readonly session: Session;
  /** Where the picture without its transparency is. */
  readonly url: string;
}

/** The picture to paint on and the mask that it carries already. */
export function useMask({ kind, picture }: Painting): { readonly loaded: Loaded | null; readonly trouble: string } {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    let [isOld, url] = [false, ""];
    load(kind, picture).then(
      (found) => {
        url = found.url;
        if (isOld) URL.revokeObjectURL(url);
        else {
          const { width, height } = found.session.mask;
          setTools(brushFor(useTools.getState(), width, height));
          setLoaded(found);
        }
      },
      (error: unknown) => {
        setTrouble(M.cannotLoad(error instanceof Error ? error.message : String(error)));
      },
    );
    return () => {
      isOld = true;
      URL.revokeObjectURL(url);
    };
  }, [kind, picture]);
  return { loaded, trouble };
}

async function load(kind: string, picture: string): Promise<Loaded> {
  const reply = await fetch(fileUrl(kind, picture));
  if (!reply.ok) throw new Error(`${reply.status} ${reply.statusText}`);
  const file = await reply.blob();
  const bitmap = await createImageBitmap(file);
  const mask = file.type === "image/jpeg" ? newMask(bitmap.width, bitmap.height) : maskIn(bitmap);
  bitmap.close();
  const isOpaque = mask.data.every((value) => value === 0);
  return { session: startSession(mask), url: isOpaque ? URL.createObjectURL(file) : opaqueUrl(kind, picture) };
}

function maskIn(bitmap: ImageBitmap): Mask {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) return newMask(width, height);
  context.drawImage(bitmap, 0, 0);
  return maskOfAlpha(context.getImageData(0, 0, width, height).data, width, height);
}
