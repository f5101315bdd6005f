/** The widgets that plugins bring: plain ES modules, which the editor loads after it has shown itself. */

import { create } from "zustand";
import { pluginModules } from "../api/options";
import { fromPlain } from "../document/json";
import { withCustomWidgets, type CustomWidget } from "../document/schema";
import { tell, useEditor } from "../editor";
import { W } from "./texts";

/** What a plugin's widget is given besides the element that it draws into. */
export interface Given {
  readonly value: unknown;
  readonly set: (value: unknown) => void;
  readonly options: Readonly<Record<string, unknown>>;
  readonly node: { readonly id: string; readonly type: string };
  readonly input: { readonly name: string; readonly label: string; readonly types: readonly string[] };
}

export interface Mounted {
  readonly update?: (value: unknown) => void;
  readonly unmount?: () => void;
}

export type Mount = (element: HTMLElement, given: Given) => Mounted | void; // eslint-disable-line @typescript-eslint/no-invalid-void-type -- a plugin may return nothing

interface MountOptions {
  /** Its height in pixels, 32 without. */
  readonly height?: number;
  /** The value that new nodes get where their input has no default. */
  readonly initial?: unknown;
}

/** What a plugin's module is called with. */
export interface EditorForPlugins {
  readonly version: 1;
  readonly widget: (name: string, mount: Mount, options?: MountOptions) => void;
  readonly tell: (text: string) => void;
}

interface Modules {
  readonly custom: ReadonlyMap<string, CustomWidget>;
  readonly mounts: ReadonlyMap<string, Mount>;
  /** The addresses of modules that were loaded, or could not be. */
  readonly tried: ReadonlySet<string>;
  /** Sentences about modules that did not load. */
  readonly troubles: readonly string[];
}

export const useModules = create<Modules>(() => ({ custom: new Map(), mounts: new Map(), tried: new Set(), troubles: [] }));

const LOWEST = 24;
const HIGHEST = 600;

const editor: EditorForPlugins = {
  version: 1,
  tell: (text) => {
    tell(text);
  },
  widget: (name, mount, { height = 32, initial } = {}) => {
    if (typeof name !== "string" || typeof mount !== "function") throw new TypeError("editor.widget(name, mount) needs a text and a function");
    const asked = { name, height: Math.min(Math.max(Number(height) || 0, LOWEST), HIGHEST) };
    const widget: CustomWidget = initial === undefined ? asked : { ...asked, initial: fromPlain(initial) };
    useModules.setState(({ custom, mounts }) => ({ custom: new Map(custom).set(name, widget), mounts: new Map(mounts).set(name, mount) }));
  },
};

/** Loads every module that the server lists and that did not load before; gives what went wrong. One that fails hinders no other. */
export async function loadModules(importing: (address: string) => Promise<unknown> = imported): Promise<readonly string[]> {
  const addresses = await pluginModules();
  const { tried } = useModules.getState();
  const fresh = addresses.filter((address) => !tried.has(address));
  useModules.setState({ tried: new Set([...tried, ...fresh]) });
  const found: string[] = [];
  for (const address of fresh) found.push(...(await loadModule(address, importing)));
  useModules.setState(({ troubles }) => ({ troubles: [...troubles, ...found] }));
  const { custom } = useModules.getState();
  if (fresh.length) useEditor.setState(({ known }) => ({ known: withCustomWidgets(known, custom) }));
  return found;
}

/** What went wrong, in a sentence. */
async function loadModule(address: string, importing: (address: string) => Promise<unknown>): Promise<readonly string[]> {
  try {
    const { default: start } = (await importing(address)) as { default?: unknown };
    if (typeof start !== "function") throw new TypeError("it has no default export that is a function");
    await (start as (given: EditorForPlugins) => unknown)(editor);
    return [];
  } catch (error) {
    return [W.moduleFailed(address, error instanceof Error ? error.message : String(error))];
  }
}

const imported = (address: string): Promise<unknown> => import(/* @vite-ignore */ address);

