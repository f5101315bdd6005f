/** What a page of the editor costs while a person acts: time of frames, and the main thread's own time. */

/** Runs in the page before everything else: notes when nodes lie still, the time of frames, and the page's socket. */
export function watch() {
  const seen = { ready: 0, frames: [], isWatching: false, socket: null };
  window.__seen = seen;
  let [before, moved, place] = [0, 0, ""];
  const placeNow = () => document.querySelector(".react-flow__node, canvas[data-drawn]") && document.querySelector(".react-flow__viewport")?.style.transform;
  const frame = (now) => {
    if (seen.isWatching) seen.frames.push(now - before);
    const next = placeNow() ?? "";
    if (now - before > 50 || next !== place) moved = now;
    [before, place] = [now, next];
    if (!seen.ready && place && now - moved > 700) seen.ready = moved;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      seen.socket = this;
    }
  };
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function mainThread(cdp) {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
}

/** Does something; gives the median time of a frame, and the main thread's work in all. */
export async function measured(page, cdp, act) {
  await page.evaluate(() => Object.assign(window.__seen, { frames: [], isWatching: true }));
  const before = await mainThread(cdp);
  const result = await act();
  const work = (await mainThread(cdp)) - before;
  const frames = await page.evaluate(() => {
    window.__seen.isWatching = false;
    return window.__seen.frames;
  });
  return { result, frame: median(frames), worst: Math.max(...frames), frames: frames.length, work };
}

/** Waits until the main thread has had nothing to do for a while. */
export async function calm(page, cdp) {
  for (let quiet = 0; quiet < 3; ) {
    const before = await mainThread(cdp);
    await page.waitForTimeout(200);
    quiet = (await mainThread(cdp)) - before < 20 ? quiet + 1 : 0;
  }
}

/** Lets the page hear a message as if the server had sent it, and waits for the frame that shows it. */
export const hear = (page, messages) =>
  page.evaluate(async (texts) => {
    for (const data of texts) {
      window.__seen.socket.dispatchEvent(new MessageEvent("message", { data }));
      await new Promise(requestAnimationFrame);
    }
  }, messages);
