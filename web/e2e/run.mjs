/**
 * Plays every scenario in Chromium, each with a server, a folder and a browser of its own.
 *
 *     npm run e2e                     all of scenarios/
 *     npm run e2e -- build gallery    only these
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { browserPath, logIn, newFolder, removeFolder, shotOf, startBrowser, startServer } from "./browser.mjs";

const FOLDER = join(import.meta.dirname, "scenarios");
/** What a page says while its server is away; a scenario that stops the server hears it. */
const AWAY = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|WebSocket connection to/;

function scenarioNames(asked) {
  const known = readdirSync(FOLDER).filter((file) => file.endsWith(".mjs")).map((file) => file.slice(0, -4));
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length) throw new Error(`There is no scenario ${unknown.join(", ")}. There are: ${known.join(", ")}.`);
  return asked.length ? asked : known;
}

/** What a scenario is given: the page, open at the editor and ready to run, and the means around it. */
async function stage(folder, browser, options) {
  let server = await startServer(folder, "0", options);
  const page = browser.context.pages()[0] ?? (await browser.context.newPage());
  const { url } = server;
  await page.goto(url);
  while (!(await fetch(`${url}/readyz`)).ok) await page.waitForTimeout(200);
  const stopServer = async () => {
    await server?.stop();
    server = undefined;
  };
  const restartedServer = async () => {
    server = await startServer(folder, new URL(url).port, options);
    const others = browser.complaints.filter((text) => !AWAY.test(text));
    browser.complaints.splice(0, browser.complaints.length, ...others);
  };
  const shot = (name, of = page) => shotOf(of, name);
  return { page, context: browser.context, complaints: browser.complaints, url, folder, shot, stopServer, startServer: restartedServer };
}

async function played(name) {
  const scenario = await import(join(FOLDER, `${name}.mjs`));
  const [folder, browser, began] = [newFolder(), await startBrowser(), Date.now()];
  await scenario.prepare?.(folder);
  let tools;
  try {
    tools = await stage(folder, browser, scenario.options ?? []);
    await scenario.play(tools);
    assert.deepEqual(browser.complaints.filter((text) => !AWAY.test(text)), []);
    console.log(`passed  ${name}: ${scenario.title} (${((Date.now() - began) / 1000).toFixed(0)} s)`);
    return true;
  } catch (error) {
    await tools?.shot(`failed-${name}`).catch(() => undefined);
    console.log(`FAILED  ${name}: ${scenario.title}\n${[logIn(folder), ...browser.complaints, error.stack].join("\n")}`);
    return false;
  } finally {
    await browser.stop();
    await tools?.stopServer();
    removeFolder(folder);
  }
}

async function main() {
  if (!browserPath()) {
    console.log("There is no Chromium here: the editor's test in the browser is left out.");
    return;
  }
  const results = [];
  for (const name of scenarioNames(process.argv.slice(2))) results.push(await played(name));
  const failed = results.filter((passed) => !passed).length;
  console.log(`browser: ${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

await main();
