import { differenceOf, isSame, type InputChange, type NodeChange } from "../document/diff";
import type { Workflow } from "../document/document";
import { T } from "../texts";

const LONGEST = 90;
const MOST = 60;

/** What differs between two workflows, as a list of nodes. */
export function DifferenceList({ before, after }: { readonly before: Workflow; readonly after: Workflow }) {
  const difference = differenceOf(before, after);
  if (isSame(difference)) return <p className="nothing">{T.files.same}</p>;
  return (
    <ul className="difference" aria-label={T.files.differences}>
      {difference.nodes.slice(0, MOST).map((node) => (
        <NodeLine key={`${node.kind} ${node.id}`} node={node} />
      ))}
      {difference.nodes.length > MOST && <li>{T.files.more(difference.nodes.length - MOST)}</li>}
      {difference.moved > 0 && <li className="aside">{T.files.moved(difference.moved)}</li>}
      {difference.parts.map((part) => (
        <li key={part} className="aside">
          {T.files.parts[part] ?? part}
        </li>
      ))}
    </ul>
  );
}

function NodeLine({ node }: { readonly node: NodeChange }) {
  return (
    <li className={`is-${node.kind}`}>
      <b>{node.title}</b> <small>{T.files.kinds[node.kind]}</small>
      {node.inputs.map((item) => (
        <InputLine key={item.input} item={item} />
      ))}
    </li>
  );
}

function InputLine({ item: { input, before, after } }: { readonly item: InputChange }) {
  return (
    <p>
      <span>{input}</span> {before && <del>{short(before)}</del>} {after && <ins>{short(after)}</ins>}
    </p>
  );
}

const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
