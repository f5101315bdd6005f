import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadModules, useModules, type EditorForPlugins } from "./modules";

const listed = (...modules: string[]): void => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ modules }))));
};

beforeEach(() => {
  useModules.setState({ custom: new Map(), mounts: new Map(), tried: new Set(), troubles: [] });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("modules of plugins", () => {
  it("register widgets, one after the other; one that throws hinders no other", async () => {
    listed("/a.js", "/b.js", "/c.js", "/d.js");
    const modules: Readonly<Record<string, unknown>> = {
      "/a.js": { default: (editor: EditorForPlugins) => editor.widget("HUE", () => undefined, { height: 60, initial: 3 }) },
      "/b.js": { default: () => { throw new Error("no luck"); } },
      "/c.js": {},
    };
    await loadModules((address) => (modules[address] ? Promise.resolve(modules[address]) : Promise.reject(new Error("not found"))));
    expect([...useModules.getState().custom.values()]).toEqual([{ name: "HUE", height: 60, initial: 3 }]);
    expect(useModules.getState().troubles).toEqual([
      "The plugin module /b.js did not load: no luck",
      "The plugin module /c.js did not load: it has no default export that is a function",
      "The plugin module /d.js did not load: not found",
    ]);
  });

  it("are loaded once, however often the server lists them, and those that come later are loaded then", async () => {
    const [asked, load] = [[] as string[], (address: string) => {
      asked.push(address);
      return address === "/b.js" ? Promise.reject(new Error("not found")) : Promise.resolve({ default: () => undefined });
    }];
    listed("/a.js", "/b.js");
    expect(await loadModules(load)).toEqual(["The plugin module /b.js did not load: not found"]);
    listed("/a.js", "/b.js", "/c.js");
    expect(await loadModules(load)).toEqual([]);
    expect(asked).toEqual(["/a.js", "/b.js", "/c.js"]);
    expect(useModules.getState().troubles).toHaveLength(1);
  });

  it("cannot ask for a widget of any height", async () => {
    listed("/a.js");
    await loadModules(() => Promise.resolve({ default: (editor: EditorForPlugins) => editor.widget("TALL", () => undefined, { height: 1e9 }) }));
    expect(useModules.getState().custom.get("TALL")?.height).toBe(600);
  });
});
