/** What became of plugins: their modules are loaded, and each that fails is told of once. */

import { pluginsTold, type PluginTold } from "./api/about";
import { tell } from "./editor";
import { T } from "./texts";
import { loadModules } from "./widgets/modules";

const told = new Set<string>();

export const isBroken = ({ state }: PluginTold): boolean => state === "failed" || state === "crashed";

/** Loads the modules that are new, and tells of what went wrong since the last time; all of it is in About. */
export async function readPlugins(): Promise<void> {
  const troubles = await loadModules();
  const news = newlyBroken((await pluginsTold()).plugins);
  const sentences = [...(news.length ? [T.told.pluginsFailed(news)] : []), ...troubles];
  if (sentences.length) tell(sentences.join(" "));
}

/** The plugins that work no more and were not told of; one that is mended is told of when it breaks again. */
function newlyBroken(plugins: readonly PluginTold[]): string[] {
  const broken = plugins.filter(isBroken).map(({ name }) => name);
  const news = broken.filter((name) => !told.has(name));
  told.clear();
  for (const name of broken) told.add(name);
  return news;
}
