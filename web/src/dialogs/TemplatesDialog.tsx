import { useEffect, useState } from "react";
import { trying } from "../actions";
import { templates, type Template } from "../api/files";
import { openTemplate } from "../files";
import { T } from "../texts";
import { W } from "../widgets/texts";
import { close, Frame } from "./Frame";
import { ALL, fitting, inOrder, shelfOf } from "./shelves";

export default function TemplatesDialog() {
  const [found, setFound] = useState<readonly Template[]>([]);
  const [words, setWords] = useState("");
  const [category, setCategory] = useState(ALL);
  useEffect(() => {
    trying(async () => {
      setFound(inOrder(await templates()));
    });
  }, []);
  const shelves = [...new Set(found.map(shelfOf))];
  const shown = fitting(found, words, category);
  return (
    <Frame title={T.dialog.templates} wide>
      <div className="open-dialog">
        <nav aria-label={T.templates.categories}>
          {[ALL, ...shelves].map((shelf) => (
            <button key={shelf} type="button" aria-current={category === shelf} onClick={() => setCategory(shelf)}>
              {shelf || T.files.all}
            </button>
          ))}
        </nav>
        <div className="open-main">
          <div className="open-tools">
            <input
              type="search"
              autoFocus
              aria-label={T.templates.search}
              placeholder={T.templates.search}
              value={words}
              onChange={(event) => {
                setWords(event.target.value);
              }}
            />
          </div>
          {found.length > 0 && !shown.length && <p className="nothing">{W.none}</p>}
          <ul className="cards" aria-label={T.dialog.templates}>
            {shown.map((template) => (
              <li key={template.name} className="file-card">
                <TemplateCard template={template} />
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Frame>
  );
}

function TemplateCard({ template: { name, title, notes, picture, models, unknown } }: { readonly template: Template }) {
  const missing = [...models.filter((model) => !model.here).map((model) => model.name), ...unknown];
  return (
    <button
      type="button"
      className="file-open"
      onClick={() => {
        close();
        trying(() => openTemplate(name));
      }}
    >
      <span className="thumbnail">{picture && <img src={`${picture}?size=320`} alt="" loading="lazy" />}</span>
      <b>{title}</b>
      <span className="about">{notes[0]}</span>
      {missing.length > 0 && (
        <small className="lacks" title={missing.join("\n")}>
          {T.templates.lacks(missing.length)}
        </small>
      )}
    </button>
  );
}
