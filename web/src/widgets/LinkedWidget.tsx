import { goTo } from "../canvas/view";
import { disconnect } from "../document/commands";
import type { Id, Link } from "../document/document";
import { run, titleOf, useEditor } from "../editor";
import { Icon } from "../panels/Icon";
import { W } from "./texts";

interface Props {
  readonly id: Id;
  readonly input: string;
  readonly name: string;
  readonly link: Link;
}

/** An input whose value comes by a link: from where, and a way to take it away. */
export function LinkedWidget({ id, input, name, link }: Props) {
  const source = useEditor(() => titleOf(link.node));
  return (
    <div className="field linked nodrag">
      <span className="field-name">{name}</span>
      <button type="button" className="field-value link-source" title={W.showSource(source)} aria-label={W.showSource(source)} onClick={() => goTo(link.node)}>
        {W.from(source)}
      </button>
      <button type="button" className="icon-button" title={W.unlink(name)} aria-label={W.unlink(name)} onClick={() => run(disconnect(id, input))}>
        <Icon name="close" />
      </button>
    </div>
  );
}
