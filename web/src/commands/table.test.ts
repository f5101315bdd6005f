import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readWorkflow, writeWorkflow } from "../document/document";
import { found, itemOf } from "../search/palette";
import type { Command } from "./command";

const FOLDER = join(import.meta.dirname, "../../../workflows");
const START = readWorkflow(readFileSync(join(FOLDER, "txt2img.json"), "utf8"));

let COMMANDS: readonly Command[];
let editor: typeof import("../editor");
let keys: typeof import("./keys");
let menus: typeof import("./menus");

/** The editor without a page: what commands ask of the browser is answered with nothing. */
beforeAll(async () => {
  const nothing = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  vi.stubGlobal("localStorage", nothing);
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  vi.stubGlobal("innerWidth", 1600);
  vi.stubGlobal("innerHeight", 900);
  vi.stubGlobal("requestAnimationFrame", () => 0);
  vi.stubGlobal("CSS", { escape: (text: string) => text });
  vi.stubGlobal("document", { querySelector: () => null, activeElement: null, documentElement: {} });
  ({ COMMANDS } = await import("./table"));
  editor = await import("../editor");
  keys = await import("./keys");
  menus = await import("./menus");
}, 60_000);

describe("the table of commands", () => {
  it("names every command once, with a title of its own", () => {
    expect(new Set(COMMANDS.map((command) => command.id)).size).toBe(COMMANDS.length);
    expect(new Set(COMMANDS.map((command) => command.title)).size).toBe(COMMANDS.length);
  });

  it("gives no two commands the same keys", () => {
    const given = COMMANDS.flatMap((command) => [...(command.keys ?? [])]);
    expect(given.filter((item, index) => given.indexOf(item) !== index)).toEqual([]);
  });

  it("can be reached from the keyboard: each has keys, or the palette finds it by its title", () => {
    const items = COMMANDS.map((command) => itemOf(command, "", []));
    const lost = COMMANDS.filter((command) => !command.keys?.length && found(items, command.title, [])[0]?.key !== command.id);
    expect(lost.map((command) => command.id)).toEqual([]);
  });

  it("knows every command that a menu names", () => {
    const named = Object.values(menus.MENUS).flatMap((entries) =>
      entries.flatMap((entry) => (typeof entry === "string" ? [entry] : (entry?.ids ?? []))),
    );
    const known = new Set(["colours", ...COMMANDS.map((command) => command.id)]);
    expect(named.filter((id) => id !== null && !known.has(id))).toEqual([]);
  });

  it("reads other keys that people chose, and gives the usual ones back", () => {
    const fit = COMMANDS.find((command) => command.id === "view.fit") as Command;
    keys.changeKeys("view.fit", ["Ctrl+1"]);
    expect(keys.keysOf(fit)).toEqual(["Ctrl+1"]);
    expect(keys.commandWith(COMMANDS, "Ctrl+1")).toBe(fit);
    keys.changeKeys("view.fit", null);
    expect(keys.keysOf(fit)).toEqual(fit.keys);
  });
});

describe("presses", () => {
  const press = (key: string, ...held: string[]): string =>
    keys.pressed({ key, ctrlKey: held.includes("c"), metaKey: held.includes("m"), altKey: held.includes("a"), shiftKey: held.includes("s") });

  it("are written one way", () => {
    expect([press("z", "c"), press("Z", "c", "s"), press(" "), press("?", "s"), press("+", "s"), press("Control", "c"), press("F10", "s"), press("k", "m")]).toEqual([
      "Ctrl+Z",
      "Ctrl+Shift+Z",
      "Space",
      "?",
      "+",
      "",
      "Shift+F10",
      "Ctrl+K",
    ]);
  });
});

describe("any commands of the table in any order", () => {
  beforeEach(() => {
    editor.open(START, "");
  });

  /** Those that ask the server, open files or change tabs are left out: they do nothing to the workflow. Undo is what is tested. */
  const changing = (): Command[] => COMMANDS.filter(({ id }) => !/^(run|workflow|tab|view)\.|\.(undo|redo)$/.test(id) || id === "workflow.clear");
  const texts = { now: () => writeWorkflow(editor.workflow()) };

  it("undo to the same bytes, and are done again to the same bytes", () => {
    const step = fc.record({ command: fc.nat(200), chosen: fc.array(fc.nat(12), { maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        editor.open(START, "");
        const began = texts.now();
        const list = changing();
        for (const { command, chosen } of steps) {
          choose(chosen);
          const next = list[command % list.length] as Command;
          if (next.isReady?.() !== false) next.run();
        }
        const forwards: string[] = [texts.now()];
        while (editor.currentTab().history.past.length) {
          editor.undoLast();
          forwards.unshift(texts.now());
        }
        expect(forwards[0]).toBe(began);
        const again = [texts.now()];
        while (editor.currentTab().history.future.length) {
          editor.redoNext();
          again.push(texts.now());
        }
        expect(again).toEqual(forwards);
      }),
      { numRuns: 120 },
    );
  });

  it("leave no empty step behind: each step that can be undone changed the workflow", () => {
    for (const command of changing()) {
      editor.open(START, "");
      choose([0, 1, 2]);
      if (command.isReady?.() !== false) command.run();
      for (const { past, now } of [editor.currentTab().history]) if (past.length) expect([command.id, writeWorkflow(past.at(-1) ?? now) !== texts.now()]).toEqual([command.id, true]);
    }
  });

  function choose(places: readonly number[]): void {
    const now = editor.workflow();
    const all = [...[...now.nodes.keys()].map(editor.flowId), ...now.groups.map((_, index) => `groups/${index}`), ...now.notes.map((_, index) => `notes/${index}`)];
    editor.select(places.flatMap((place) => all[place % Math.max(all.length, 1)] ?? []));
  }
});

