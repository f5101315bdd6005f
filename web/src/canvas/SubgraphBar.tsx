import { useState } from "react";
import { setSubgraphTitle, subgraphAt, subgraphOf, viewOf, walkable } from "../document/subgraphs";
import { pathIn, runWhole, showPath, useEditor, useWhole } from "../editor";
import { Icon } from "../panels/Icon";
import { leave } from "../subgraphActions";
import { T } from "../texts";
import "./subgraphs.css";

/** Where the canvas lies: the workflow, and each instance on the way in. Only there inside of a subgraph. */
export function SubgraphBar() {
  const whole = useWhole();
  const path = walkable(whole, useEditor(pathIn));
  if (!path.length) return null;
  const titles = path.map((id, depth) => titleAt(id, depth));
  function titleAt(id: string, depth: number): string {
    const node = viewOf(whole, path.slice(0, depth)).nodes.get(id);
    return node?.title || subgraphOf(whole, node)?.title || id;
  }
  return (
    <nav className="subgraph-bar" aria-label={T.subgraphs.path}>
      <button type="button" className="icon-button" aria-label={T.subgraphs.leave} title={T.subgraphs.leave} onClick={leave}>
        <Icon name="left" />
      </button>
      <ol>
        <li>
          <button type="button" onClick={() => showPath([])}>
            {T.subgraphs.whole}
          </button>
        </li>
        {titles.slice(0, -1).map((title, depth) => (
          <li key={depth}>
            <button type="button" onClick={() => showPath(path.slice(0, depth + 1))}>
              {title}
            </button>
          </li>
        ))}
        <li aria-current="location">
          <Title key={path.join()} id={subgraphAt(whole, path)} shown={titles.at(-1) ?? ""} />
        </li>
      </ol>
    </nav>
  );
}

/** The title of the subgraph that is seen; a click makes it a field. */
function Title({ id, shown }: { readonly id: string; readonly shown: string }) {
  const [isNaming, setNaming] = useState(false);
  const own = useEditor((state) => state.types.get(`subgraph/${id}`)?.title ?? "");
  if (!isNaming)
    return (
      <button type="button" className="current" title={T.subgraphs.newTitle} onClick={() => setNaming(true)}>
        {shown}
      </button>
    );
  return (
    <input
      autoFocus
      aria-label={T.subgraphs.newTitle}
      defaultValue={own}
      onBlur={(event) => {
        setNaming(false);
        runWhole(setSubgraphTitle(id, event.target.value.trim()));
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setNaming(false);
      }}
    />
  );
}
