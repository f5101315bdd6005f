import { useEffect, useState } from "react";
import { pictureDetail, type PictureDetail } from "../api/assets";
import { pictureFacts } from "../document/picture";
import { bytes, moment } from "../jobs/words";
import { R } from "../texts-runs";
import type { Shot } from "./viewing";

/** What a picture says of itself: size, age, and how it was made. */
export function FullInfo({ shot }: { readonly shot: Shot }) {
  const [detail, setDetail] = useState<PictureDetail | null>(null);
  const [why, setWhy] = useState("");
  useEffect(() => {
    pictureDetail(shot.kind, shot.name).then(setDetail, (error: unknown) => {
      setWhy(error instanceof Error ? error.message : String(error));
    });
  }, [shot]);
  const facts = detail?.workflow ? pictureFacts(detail.workflow) : null;
  const names = R.full.facts;
  const lines: readonly (readonly [string, string | undefined])[] = detail
    ? [
        [names.name, detail.name],
        [names.size, detail.width && detail.height ? `${detail.width} × ${detail.height}` : undefined],
        [names.bytes, bytes(detail.size)],
        [names.made, moment(detail.modified)],
        [names.prompt, facts?.prompt],
        [names.negative, facts?.negative],
        [names.seed, facts?.seed],
        [names.model, facts?.model],
        [names.steps, facts?.steps],
        [names.cfg, facts?.cfg],
        [names.sampler, facts?.sampler],
        [names.nodes, facts ? String(facts.nodes) : undefined],
      ]
    : [];
  return (
    <aside className="full-info" aria-label={R.full.info}>
      {why && <p>{why}</p>}
      <dl>
        {lines.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {detail && !facts && <p>{names.none}</p>}
    </aside>
  );
}
