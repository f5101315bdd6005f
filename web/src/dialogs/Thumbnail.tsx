import { useEffect, useRef, useState } from "react";
import { loadWorkflow } from "../api/files";
import { readWorkflow, type Workflow } from "../document/document";
import { Drawing } from "./Drawing";

/** The last picture a saved workflow made, or a little drawing of it, read once it is seen. */
export function Thumbnail({ name, picture }: { readonly name: string; readonly picture: string | undefined }) {
  const place = useRef<HTMLSpanElement>(null);
  const [workflow, setWorkflow] = useState<Workflow | null>(null);
  const [isGone, setGone] = useState(false);
  const isDrawn = !picture || isGone;
  useEffect(() => {
    if (!isDrawn || !place.current) return;
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      loadWorkflow(name).then(({ text }) => setWorkflow(readWorkflow(text)), () => undefined);
    });
    seen.observe(place.current);
    return () => {
      seen.disconnect();
    };
  }, [name, isDrawn]);
  return (
    <span className="thumbnail" ref={place}>
      {isDrawn ? workflow && <Drawing workflow={workflow} /> : <img src={picture} alt="" loading="lazy" onError={() => setGone(true)} />}
    </span>
  );
}
