import { useState } from "react";
import { SEED_KEY, randomSeed } from "../actions";
import { setExtra } from "../document/commands";
import type { Id } from "../document/document";
import { isObject, numeral, Numeral, printJson, type JsonObject } from "../document/json";
import type { Widget } from "../document/schema";
import { run, workflow } from "../editor";
import { Icon } from "../panels/Icon";
import { T } from "../texts";
import type { WidgetProps } from "./Widget";

const LARGEST = 2n ** 64n - 1n;

interface Props extends WidgetProps<Extract<Widget, { kind: "seed" }>> {
  readonly id: Id;
  readonly input: string;
  readonly control: string;
}

/** A seed of 64 bits, and what it does before a run. What is shown is what the last run used. */
export function SeedWidget({ name, value, set, id, input, control }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const endTyping = (): void => {
    if (typed !== null && /^\d+$/.test(typed.trim())) {
      const seed = BigInt(typed.trim());
      set(numeral(String(seed > LARGEST ? LARGEST : seed)));
    }
    setTyped(null);
  };
  const choose = (how: string): void => {
    const old = workflow().nodes.get(id)?.extra.get(SEED_KEY);
    const controls: JsonObject = new Map([...(isObject(old) ? old : []), [input, how]]);
    run(setExtra([id], SEED_KEY, controls));
  };
  return (
    <div className="field nodrag">
      <span className="field-name">{name}</span>
      <input
        className="field-value"
        aria-label={name}
        inputMode="numeric"
        value={typed ?? (value instanceof Numeral ? value.text : printJson(value ?? 0))}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        onFocus={(event) => {
          event.target.select();
        }}
        onBlur={endTyping}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      <button
        type="button"
        className="icon-button"
        title={T.widget.newSeed}
        aria-label={T.widget.newSeed}
        onClick={() => {
          set(randomSeed());
        }}
      >
        <Icon name="dice" />
      </button>
      <select
        aria-label={T.widget.seedMode(name)}
        title={T.widget.seedMode(name)}
        value={control || "fixed"}
        onChange={(event) => {
          choose(event.target.value);
        }}
      >
        {Object.entries(T.widget.seedModes).map(([how, text]) => (
          <option key={how} value={how}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
