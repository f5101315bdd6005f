/** A server of our own and Debian's Chromium to look at it with. */

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ROOT = join(import.meta.dirname, "../..");
export const SHOTS = join(import.meta.dirname, "shots");
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const browserPath = () => BROWSERS.find((path) => path && existsSync(path));

/** A folder for all that a server writes, with the pictures that templates need. */
export function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), "darkroom-e2e-"));
  cpSync(join(ROOT, "input"), join(folder, "input"), { recursive: true });
  return folder;
}

export const removeFolder = (folder) => rmSync(folder, { recursive: true, force: true });

const logOf = (folder) => join(folder, "server.log");

/** The end of what the server of a folder logged. */
export const logIn = (folder) => (existsSync(logOf(folder)) ? readFileSync(logOf(folder), "utf8").slice(-4000) : "");

/** Starts `./darkroom serve` with everything it writes in a folder; gives its address and how to stop it. */
export async function startServer(folder, port = "0", more = []) {
  const options = ["--port", port, "--base-directory", folder, "--models-directory", join(ROOT, "models"), ...more];
  const server = spawn(join(ROOT, "darkroom"), ["serve", ...options], { cwd: ROOT, stdio: ["ignore", "pipe", openSync(logOf(folder), "a")] });
  const url = await new Promise((resolve, reject) => {
    server.on("exit", (code) => reject(new Error(`The server ended with ${code}.`)));
    server.stdout.on("data", (text) => {
      const found = /http:\/\/\S+/.exec(String(text));
      if (found) resolve(found[0]);
    });
  });
  const stop = () => {
    server.removeAllListeners("exit");
    server.kill("SIGTERM");
    return new Promise((resolve) => server.on("exit", resolve));
  };
  return { url, stop };
}

/** A browser with a fresh profile; what its pages complain of is gathered in `complaints`. */
export async function startBrowser() {
  const profile = mkdtempSync(join(tmpdir(), "darkroom-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath(),
    args: FLAGS,
    viewport: { width: 1600, height: 900 },
    reducedMotion: "reduce",
    colorScheme: "dark",
  });
  context.setDefaultTimeout(30_000);
  const complaints = [];
  context.on("page", (page) => listen(page, complaints));
  for (const page of context.pages()) listen(page, complaints);
  const stop = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, complaints, stop };
}

function listen(page, complaints) {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
}

export async function shotOf(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}
