import { useEffect, useRef, useState } from "react";
import { trying } from "../actions";
import { logs, type LogLine } from "../api/system";
import { copyText } from "../jobs/actions";
import { R } from "../texts-runs";
import "./log.css";

const EVERY = 2000;
const MOST = 2000;

/** The last lines of the server's log, read on while it is seen. */
export function Log() {
  const [level, setLevel] = useState("info");
  const [words, setWords] = useState("");
  const [lines, why] = useLines(level);
  const end = useRef<HTMLOListElement>(null);
  const found = lines.filter((line) => line.message.toLowerCase().includes(words.toLowerCase()));
  useEffect(() => {
    const list = end.current;
    if (list && list.scrollHeight - list.scrollTop - list.clientHeight < 200) list.scrollTop = list.scrollHeight;
  }, [found.length]);
  return (
    <>
      <div className="side-tools">
        <input
          type="search"
          aria-label={R.log.search}
          placeholder={R.log.search}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
          }}
        />
        <select
          aria-label={R.log.level}
          value={level}
          onChange={(event) => {
            setLevel(event.target.value);
          }}
        >
          {Object.entries(R.log.levels).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
        <button type="button" className="repair" disabled={!found.length} onClick={() => trying(() => copyText(found.map(textOf).join("\n")))}>
          {R.log.copy}
        </button>
      </div>
      {!found.length && <p className="nothing">{why || R.log.empty}</p>}
      <ol ref={end} className="log" tabIndex={0} aria-label={R.log.title}>
        {found.map((line) => (
          <li key={line.number} className={line.level}>
            <time>{timeOf(line)}</time> {line.message}
          </li>
        ))}
      </ol>
    </>
  );
}

const timeOf = ({ time }: LogLine): string => new Date(time * 1000).toLocaleTimeString();
const textOf = (line: LogLine): string => `${new Date(line.time * 1000).toISOString()} ${line.level} ${line.message}`;

/** The lines of a level, and why there are none where they cannot be read. */
function useLines(level: string): readonly [readonly LogLine[], string] {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [why, setWhy] = useState("");
  useEffect(() => {
    let [last, isOld] = [0, false];
    setLines([]);
    const read = async (): Promise<void> => {
      try {
        const fresh = await logs(last, level);
        if (isOld) return;
        last = fresh.at(-1)?.number ?? last;
        setWhy("");
        if (fresh.length) setLines((old) => [...old, ...fresh].slice(-MOST));
      } catch (error) {
        if (!isOld) setWhy(error instanceof Error ? error.message : String(error));
      }
    };
    void read();
    const timer = setInterval(() => void read(), EVERY);
    return () => {
      isOld = true;
      clearInterval(timer);
    };
  }, [level]);
  return [lines, why];
}
