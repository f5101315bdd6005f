import { Fragment, type ReactNode } from "react";

const INLINE = /(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`|\[[^\]]+\]\(https?:[^)\s]+\))/;

/** The Markdown that notes need: headings, lists, paragraphs; bold, italic, code, links. */
export function Markdown({ text }: { readonly text: string }) {
  const blocks = text.split(/\n{2,}/).filter((block) => block.trim());
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        <Fragment key={index}>{blockOf(block)}</Fragment>
      ))}
    </div>
  );
}

function blockOf(block: string): ReactNode {
  const heading = /^#{1,6}\s+(.*)$/s.exec(block);
  if (heading) return <h4>{inline(heading[1] ?? "")}</h4>;
  const lines = block.split("\n");
  if (lines.every((line) => /^\s*[-*]\s+/.test(line)))
    return (
      <ul>
        {lines.map((line, index) => (
          <li key={index}>{inline(line.replace(/^\s*[-*]\s+/, ""))}</li>
        ))}
      </ul>
    );
  return <p>{inline(block)}</p>;
}

function inline(text: string): ReactNode[] {
  return text.split(INLINE).map((part, index) => {
    if (part.startsWith("**") && part.length > 4) return <strong key={index}>{part.slice(2, -2)}</strong>;
    if (part.startsWith("`") && part.length > 2) return <code key={index}>{part.slice(1, -1)}</code>;
    if (part.startsWith("*") && part.length > 2) return <em key={index}>{part.slice(1, -1)}</em>;
    const link = /^\[([^\]]+)\]\((.+)\)$/.exec(part);
    if (!link) return part;
    return (
      <a key={index} href={link[2]} target="_blank" rel="noreferrer">
        {link[1]}
      </a>
    );
  });
}
