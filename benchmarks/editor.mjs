/** What the editor costs: its start, a frame of panning, zooming and dragging, a key typed, an event heard.

node benchmarks/editor.mjs [--nodes 1000]

It needs Chromium, and the editor built (npm run build in web/). "frame" is the median time from frame to frame, which other
work on the machine shows; "main thread" is the processor time of the page's main thread for each move of the mouse, key or
event. Exit code 1 when a goal is missed; above 1,000 nodes only panning has one. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { newFolder, removeFolder, startBrowser, startServer } from "../web/e2e/browser.mjs";
import { calm, hear, measured, watch } from "./editor_page.mjs";
import { scene } from "./editor_scene.mjs";

const DIST = join(import.meta.dirname, "../web/dist");
const MIDDLE = [800, 450];
const FRAME = 1000 / 60;
const SLACK = 0.4;
const STEPS = 60;
const GOALS = { ready: 2000, pan: FRAME, drag: FRAME, key: 16, event: 6, zoom: 2 * FRAME };
const GOALS_OF_MORE = { ready: Infinity, pan: 2 * FRAME, drag: Infinity, key: Infinity, event: Infinity, zoom: Infinity };
const JOB = "00000000-0000-4000-8000-000000000000";

const row = (what, value, goal, unit = "ms") => ({ what, value, goal, unit });
/** Frames come at whole refreshes, so a goal of 60 a second is met with the clock's jitter. */
const frameRow = (what, { frame, worst, work, frames }, goal) => [
  row(`${what}: frame`, frame, goal + SLACK),
  row(`${what}: main thread a move`, work / Math.min(frames, STEPS), goal),
  row(`${what}: worst frame`, worst, Infinity),
];

function sizes() {
  const index = readFileSync(join(DIST, "index.html"), "utf8");
  const scripts = readdirSync(join(DIST, "editor")).filter((name) => name.endsWith(".js"));
  const size = (chosen) => chosen.reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, "editor", name))).length, 0) / 1000;
  const first = scripts.filter((name) => index.includes(name));
  return [row("JavaScript at the start", size(first), 250, "kB gzip"), row("JavaScript when asked for", size(scripts) - size(first), Infinity, "kB gzip")];
}

async function emptyPage(page, url) {
  const starts = [];
  for (let time = 0; time < 3; time += 1) {
    await page.goto(url);
    await page.getByText("Nothing here yet").waitFor();
    starts.push(await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(performance.now()))))));
  }
  return [row("empty page: load to interactive", Math.min(...starts), 1500)];
}

async function drop(page, text) {
  await page.getByRole("main").evaluate((main, body) => {
    const data = new DataTransfer();
    data.items.add(new File([body], "scene.json", { type: "application/json" }));
    main.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }, text);
}

async function ready(page) {
  await page.waitForFunction(() => window.__seen.ready > 0, null, { timeout: 120_000 });
  return page.evaluate(() => window.__seen.ready);
}

/** Opens the scene, then loads the page again as after a crash, with all that it keeps. */
async function loaded(page, cdp, nodes, goal) {
  await page.evaluate(() => (window.__seen.ready = 0));
  const opening = await measured(page, cdp, async () => {
    await drop(page, scene(nodes));
    await ready(page);
  });
  await calm(page, cdp);
  await page.reload();
  const time = await ready(page);
  await calm(page, cdp);
  return [row(`${nodes} nodes: ready`, time, goal), row(`${nodes} nodes: opened, main thread`, opening.work, goal)];
}

const wheel = async (page, steps, delta) => {
  for (let step = 0; step < steps; step += 1) await page.mouse.wheel(0, delta);
};

/** A point of the empty canvas, for dragging it. */
const emptyPoint = (page) =>
  page.evaluate(() => {
    for (let y = 300; y < 700; y += 10)
      for (let x = 600; x < 1100; x += 10) {
        const found = document.elementFromPoint(x, y);
        const isFree = [[-9, 0], [9, 0], [0, -9], [0, 9]].every(([a, b]) => document.elementFromPoint(x + a, y + b) === found);
        if (isFree && found.classList.contains("react-flow__pane")) return [x, y];
      }
    return [0, 0];
  });

async function dragFrom(page, [x, y], reach, act = STEPS) {
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let step = 1; step <= act; step += 1) {
    const turn = (step / act) * 2 * Math.PI;
    await page.mouse.move(x + Math.sin(turn) * reach, y + (1 - Math.cos(turn)) * reach * 0.5);
  }
  await page.mouse.up();
}

async function pan(page, cdp, what, goal) {
  const from = await emptyPoint(page);
  const found = await measured(page, cdp, () => dragFrom(page, from, 500));
  await calm(page, cdp);
  return frameRow(what, found, goal);
}

async function zoom(page, cdp, goal) {
  await page.mouse.move(...MIDDLE);
  const out = await measured(page, cdp, () => wheel(page, 60, 40));
  await calm(page, cdp);
  return frameRow("zoom out to all", out, goal);
}

/** Zooms in on the middle until texts can be read. */
async function near(page, cdp) {
  await page.mouse.move(...MIDDLE);
  const zoomNow = () => page.locator(".react-flow__viewport").evaluate((element) => new DOMMatrix(getComputedStyle(element).transform).a);
  for (let step = 0; step < 200 && (await zoomNow()) < 0.9; step += 1) await page.mouse.wheel(0, -60);
  await calm(page, cdp);
}

const visible = (page, selector) =>
  page.evaluate((wanted) => {
    for (const element of document.querySelectorAll(wanted)) {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      const point = [(left + right) / 2, (top + bottom) / 2];
      if (left > 450 && right < 1150 && top > 150 && bottom < 800 && document.elementFromPoint(...point)?.closest(wanted) === element) return point;
    }
    return null;
  }, selector);

async function found(page, cdp, selector) {
  for (let tries = 0; tries < 20; tries += 1) {
    const point = await visible(page, selector);
    if (point) return point;
    const from = await emptyPoint(page);
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(from[0] + 150, from[1] + 110, { steps: 5 });
    await page.mouse.up();
    await calm(page, cdp);
  }
  throw new Error(`Nothing like ${selector} came into sight.`);
}

async function dragNode(page, cdp, goal) {
  const point = await found(page, cdp, "article h3");
  const moved = await measured(page, cdp, () => dragFrom(page, point, 180));
  await calm(page, cdp);
  return frameRow("drag a node", moved, goal);
}

async function typing(page, cdp, goal) {
  await page.mouse.click(...(await found(page, cdp, "article textarea")));
  await page.keyboard.press("Control+End");
  await calm(page, cdp);
  const text = " and a yellow star behind it, seen from far away";
  const typed = await measured(page, cdp, async () => {
    for (const letter of text) await page.keyboard.type(letter);
  });
  await calm(page, cdp);
  await page.keyboard.press("Escape");
  return [row("typing: main thread a key", typed.work / text.length, goal), row("typing: frame", typed.frame, Math.max(goal, FRAME) + SLACK)];
}

// Events of a job, heard over the page's own socket

const job = { id: JOB, state: "running", title: "scene", client_id: "", priority: 0, created: 1, started: 1, ended: null, error: null };
const event = (number, kind, data) => JSON.stringify({ job: JOB, number, kind, data, at: 1 });

async function pretend(page) {
  await page.route("**/api/v1/jobs?*", (route) => route.fulfill({ json: { jobs: [job], total: 1, remaining: 1, queue_paused: false } }));
  await page.route(`**/api/v1/jobs/${JOB}`, (route) => route.fulfill({ json: job }));
  await page.route(`**/api/v1/jobs/${JOB}/events?*`, (route) => route.fulfill({ json: { events: [] } }));
}

async function progress(page, cdp, nodes, goal) {
  const ids = Object.keys(JSON.parse(scene(nodes)).nodes);
  const shown = await page.evaluate(() => document.querySelector("article")?.closest("[data-id]")?.dataset.id.slice(2));
  const running = shown ?? ids[0];
  await hear(page, [event(1, "queued", {})]);
  await calm(page, cdp);
  await hear(page, [event(2, "started", { nodes: ids }), event(3, "node_started", { node: running, reason: "new" })]);
  await calm(page, cdp);
  await page.getByRole("progressbar").first().waitFor();
  const events = Array.from({ length: 120 }, (_, index) => event(4 + index, "progress", { node: running, done: index, total: 120 }));
  const heard = await measured(page, cdp, () => hear(page, events));
  return [row("progress: main thread an event", heard.work / events.length, goal)];
}

function print(rows) {
  const text = (value) => (value === Infinity ? "" : value.toFixed(1));
  for (const { what, value, goal, unit } of rows) {
    const met = goal === Infinity ? "" : value <= goal ? "met" : "MISSED";
    console.log(`${what.padEnd(40)} ${text(value).padStart(9)} ${unit.padEnd(8)} ${text(goal).padStart(8)}  ${met}`);
  }
}

async function play(page, cdp, url, nodes) {
  const goals = nodes > 1000 ? GOALS_OF_MORE : GOALS;
  const rows = [...(await emptyPage(page, url)), ...(await loaded(page, cdp, nodes, goals.ready))];
  await near(page, cdp);
  rows.push(...(await pan(page, cdp, "pan", goals.pan)), ...(await dragNode(page, cdp, goals.drag)), ...(await typing(page, cdp, goals.key)));
  rows.push(...(await progress(page, cdp, nodes, goals.event)));
  rows.push(...(await zoom(page, cdp, goals.zoom)), ...(await pan(page, cdp, "pan with all in sight", goals.pan)));
  return rows;
}

async function main() {
  const at = process.argv.indexOf("--nodes");
  const nodes = at < 0 ? 1000 : Number(process.argv[at + 1]);
  const folder = newFolder();
  const server = await startServer(folder);
  const browser = await startBrowser();
  try {
    const page = await browser.context.newPage();
    await page.addInitScript(watch);
    await pretend(page);
    const cdp = await browser.context.newCDPSession(page);
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    const rows = [...sizes(), ...(await play(page, cdp, server.url, nodes))];
    print(rows);
    process.exitCode = rows.every(({ value, goal }) => value <= goal) ? 0 : 1;
  } finally {
    await browser.stop();
    await server.stop();
    removeFolder(folder);
  }
}

await main();
