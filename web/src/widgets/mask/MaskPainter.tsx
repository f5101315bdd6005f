import { lazy, Suspense } from "react";
import { usePainting } from "./painting";

const MaskDialog = lazy(() => import("./MaskDialog"));

/** The painter of masks, where one is open. */
export function MaskPainter() {
  const painting = usePainting((state) => state.painting);
  return (
    <Suspense>
      {painting && <MaskDialog key={`${painting.id} ${painting.picture}`} painting={painting} />}
    </Suspense>
  );
}
