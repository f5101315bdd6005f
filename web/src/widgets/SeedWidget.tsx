import { useRef, useState } from "react";
import { SEED_KEY, randomSeed } from "../actions";
import { setExtra } from "../document/commands";
import { isObject, numeral, type Json, type JsonObject } from "../document/json";
import { run, workflow } from "../editor";
import { Icon } from "../panels/Icon";
import { FieldName } from "./FieldName";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";
import { SeedHistory } from "./SeedHistory";
import { textOf } from "./TextWidget";
import { W } from "./texts";

/** A seed of up to 64 bits, and what it does before a run. What is shown is what the last run used. */
export function SeedWidget({ name, widget, value, set, reset, id, input, control }: WidgetProps<WidgetOf<"seed">>) {
  const [typed, setTyped] = useState<string | null>(null);
  const [box, setBox] = useState<DOMRect | null>(null);
  const clock = useRef<HTMLButtonElement>(null);
  const endTyping = (): void => {
    const seed = typed === null ? undefined : seedIn(typed, widget.max);
    if (seed !== undefined) set(seed);
    setTyped(null);
  };
  const choose = (how: string): void => {
    const old = workflow().nodes.get(id)?.extra.get(SEED_KEY);
    const controls: JsonObject = new Map([...(isObject(old) ? old : []), [input.name, how]]);
    run(setExtra([id], SEED_KEY, controls));
  };
  const use = (seed: Json): void => {
    set(seed);
    choose("fixed");
    setBox(null);
  };
  return (
    <div className="field seed nodrag">
      <FieldName name={name} reset={reset} />
      <input
        className="field-value"
        aria-label={name}
        inputMode="numeric"
        autoComplete="off"
        value={typed ?? textOf(value ?? 0)}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        onFocus={(event) => {
          event.target.select();
        }}
        onBlur={endTyping}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
          if (event.key === "Escape") setTyped(null);
        }}
      />
      <button type="button" className="icon-button" title={W.newSeed} aria-label={W.newSeed} onClick={() => set(randomSeed())}>
        <Icon name="dice" />
      </button>
      <button
        ref={clock}
        type="button"
        className="icon-button"
        title={W.lastSeeds}
        aria-label={W.lastSeeds}
        aria-haspopup="dialog"
        onClick={() => {
          setBox(clock.current?.getBoundingClientRect() ?? null);
        }}
      >
        <Icon name="history" />
      </button>
      <select
        aria-label={W.seedMode(name)}
        title={W.seedMode(name)}
        value={Object.hasOwn(W.seedModes, control) ? control : "fixed"}
        onChange={(event) => {
          choose(event.target.value);
        }}
      >
        {Object.entries(W.seedModes).map(([how, text]) => (
          <option key={how} value={how}>
            {text}
          </option>
        ))}
      </select>
      {box && <SeedHistory box={box} id={id} input={input.name} use={use} close={() => setBox(null)} />}
    </div>
  );
}

/** The seed of a text, at most `max`; undefined where it is none. */
export function seedIn(text: string, max: bigint): Json | undefined {
  const digits = text.replace(/[\s_]/g, "");
  if (!/^\d+$/.test(digits)) return undefined;
  const seed = BigInt(digits);
  return numeral(String(seed > max ? max : seed));
}
