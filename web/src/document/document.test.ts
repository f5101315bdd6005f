import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clipOf, paste } from "./clips";
import * as commands from "./commands";
import { EMPTY, freshId, Link, linksOf, readWorkflow, wouldCircle, writeWorkflow, type Workflow } from "./document";
import { apply, redo, startHistory, undo, type History } from "./history";
import { JsonError, Numeral, parseJson, printJson } from "./json";
import { COLOURS, pinGroup, resetSize, resize, setColour, setFlag, setItemColour } from "./looks";

const FOLDER = join(import.meta.dirname, "../../../workflows");
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
const textOf = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

describe("JSON", () => {
  it("is written as it was read", () => {
    const text = '{"2": 5.0, "1": 18446744073709551615, "e": 1e-05, "__proto__": ["ü\\n\\u0001", true, null, {}]}';
    expect(printJson(parseJson(text))).toBe(text);
    expect(parseJson("5.0")).toEqual(new Numeral("5.0"));
  });

  it.each(["", "{", "[1,]", '{"a": 1, "a": 2}', "NaN", "01", "[1] 2", "[".repeat(70)])("refuses %j with a sentence", (text) => {
    expect(() => parseJson(text)).toThrow(JsonError);
  });
});

describe("a workflow", () => {
  it("keeps its subgraphs byte for byte, as the server writes them", () => {
    const text = readFileSync(join(import.meta.dirname, "samples", "subgraphs.json"), "utf8");
    const workflow = readWorkflow(text);
    expect([...workflow.subgraphs.values()].map(({ title }) => title)).toEqual(["Invert and save", "Around"]);
    expect(writeWorkflow(workflow)).toBe(text);
  });

  it.each(FILES)("%s is saved byte for byte", (name) => {
    expect(writeWorkflow(readWorkflow(textOf(name)))).toBe(textOf(name));
  });

  it("keeps unknown keys, the order of ids and wrapped values", () => {
    const text =
      '{\n  "format": "darkroom/1",\n  "nodes": {\n    "10": {\n      "type": "A",\n      "inputs": {\n        "x": {"value": {"link": 3}}\n      },\n      "mode": "mute",\n      "later": {"b": 1.50}\n    },\n    "2": {\n      "type": "B"\n    }\n  },\n  "mine": [1, {"z": null}]\n}\n';
    expect(writeWorkflow(readWorkflow(text))).toBe(text);
  });

  it("tells a circle before it is closed", () => {
    const workflow = readWorkflow(textOf("txt2img.json"));
    expect(wouldCircle(workflow, "save", "checkpoint")).toBe(true);
    expect(wouldCircle(workflow, "checkpoint", "save")).toBe(false);
  });
});

// Any commands in any order

const pick = (ids: readonly string[], at: number): string => ids[at % Math.max(ids.length, 1)] ?? "none";

const steps = fc.array(
  fc.record({ kind: fc.nat(20), a: fc.nat(40), b: fc.nat(40), text: fc.string({ maxLength: 4 }), gesture: fc.constantFrom("", "", "g") }),
  { maxLength: 40 },
);
type Step = { kind: number; a: number; b: number; text: string; gesture: string };

function commandOf({ kind, a, b, text }: Step, now: Workflow): commands.Command {
  const ids = [...now.nodes.keys()];
  const [one, two] = [pick(ids, a), pick(ids, b)];
  const box = { x: a, y: b, width: 100, height: 50 };
  const clip = clipOf(now, { nodes: [one, two], groups: [a % 3], notes: [b % 3] }, () => [a, b]);
  const made: (() => commands.Command)[] = [
    () => commands.addNode(freshId(now, "KSampler"), "KSampler", [a, b]),
    () => commands.deleteNodes([one, two]),
    () => commands.setTitle(one, text),
    () => commands.toggleMode([one, two], a % 2 ? "mute" : "bypass"),
    () => commands.setExtra([one], "collapsed", b % 2 ? true : undefined),
    () => commands.setValue(one, `in${b % 3}`, text),
    () => commands.connect(one, "OUT", two, `in${b % 3}`),
    () => commands.disconnect(one, `in${b % 3}`),
    () => commands.move(new Map([[one, [b, a]], [two, [a, b]]])),
    () => paste(clip, [20, 20]),
    () => commands.addGroup(text, box),
    () => commands.addNote(text, box),
    () => commands.setItem(a % 2 ? "groups" : "notes", b % 3, new Map([["title", text]])),
    () => commands.deleteItems(a % 2 ? "groups" : "notes", new Set([b % 3])),
    () => setFlag([one, two], a % 2 ? "collapsed" : "pinned", b % 2 === 0),
    () => setColour([one, two], COLOURS[b] ?? null),
    () => setItemColour(a % 2 ? "groups" : "notes", b % 3, COLOURS[a % 12] ?? null),
    () => pinGroup(b % 3, a % 2 === 0),
    () => resize(one, { x: a, y: b, width: 200 + a, height: 100 + b }),
    () => resetSize([one, two]),
    () => commands.moveGroup(b % 3, box, new Map([[one, [a, b]]])),
  ];
  return (made[kind] as () => commands.Command)();
}

describe("any commands in any order", () => {
  const starts = [EMPTY, readWorkflow(textOf("txt2img.json")), readWorkflow(textOf("inpaint-crop.json"))];

  it("undo exactly, and are done again exactly", () => {
    fc.assert(
      fc.property(fc.constantFrom(...starts), steps, (start, chosen) => {
        let history: History = startHistory(start);
        const texts = [writeWorkflow(start)];
        for (const step of chosen) {
          const next = apply(history, commandOf(step, history.now), step.gesture);
          if (next === history) continue;
          if (next.past.length === history.past.length) texts.pop();
          texts.push(writeWorkflow(next.now));
          history = next;
        }
        const backwards = [writeWorkflow(history.now)];
        while (history.past.length) backwards.push(writeWorkflow((history = undo(history)).now));
        expect(backwards.reverse()).toEqual(texts);
        const forwards = [writeWorkflow(history.now)];
        while (history.future.length) forwards.push(writeWorkflow((history = redo(history)).now));
        expect(forwards).toEqual(texts);
      }),
      { numRuns: 200 },
    );
  });

  it("leave no link and no place without its node, and what is saved opens again", () => {
    fc.assert(
      fc.property(fc.constantFrom(...starts), steps, (start, chosen) => {
        const end = chosen.reduce((now, step) => commandOf(step, now)(now), start);
        for (const { link } of linksOf(end)) expect(end.nodes.has(link.node)).toBe(true);
        for (const id of end.layout.keys()) expect(end.nodes.has(id)).toBe(true);
        expect(writeWorkflow(readWorkflow(writeWorkflow(end)))).toBe(writeWorkflow(end));
      }),
      { numRuns: 200 },
    );
  });
});

describe("commands", () => {
  it("paste keeps links among the copies and to nodes that are there", () => {
    const start = readWorkflow(textOf("txt2img.json"));
    const command = paste(clipOf(start, { nodes: ["sampler", "decode"], groups: [], notes: [] }, () => [0, 0]), [10, 10]);
    const [ids, end] = [command.idsFor(start), command(start)];
    const copy = end.nodes.get(ids.get("decode") ?? "");
    expect(copy?.inputs.get("samples")).toEqual(new Link(ids.get("sampler") ?? "", "LATENT"));
    expect(copy?.inputs.get("vae")).toEqual(new Link("checkpoint", "VAE"));
  });

  it("of one gesture undo together", () => {
    let history = startHistory(EMPTY);
    history = apply(history, commands.addNode("a", "A", [0, 0]));
    for (const x of [1, 2, 3]) history = apply(history, commands.move(new Map([["a", [x, 0]]])), "drag");
    expect(undo(history).now.layout.get("a")).toEqual([0, 0]);
  });

  it("that change nothing leave no trace", () => {
    const history = startHistory(EMPTY);
    expect(apply(history, commands.deleteNodes(["none"]))).toBe(history);
    expect(apply(history, commands.connect("none", "X", "none", "x"))).toBe(history);
  });
});
