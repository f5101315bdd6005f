/** Points that bend links, as ComfyUI's editor has them: seen, moved, added, taken away and kept. */

import assert from "node:assert/strict";
import { drop, middleOf, node } from "../canvas.mjs";

export const title = "Links are led through points";

const WORKFLOW = {
  format: "darkroom/1",
  nodes: {
    blank: { type: "EmptyImage", inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
    save: { type: "SaveImage", inputs: { images: { link: ["blank", "IMAGE"] }, filename_prefix: "bends" } },
  },
  layout: { blank: [0, 0], save: [700, 0] },
  bends: { reroutes: [{ id: 1, pos: [450, 260] }], links: [["save", "images", 1]] },
};

export async function play({ page, url, shot }) {
  await drop(page, "bends.json", "application/json", Buffer.from(JSON.stringify(WORKFLOW)));
  await node(page, "Save Image").waitFor();
  const first = page.getByRole("button", { name: "Bend 1 of a link" });
  const [x, y] = await middleOf(first);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x, y + 60, { steps: 4 });
  await page.mouse.up();
  const [, below] = await middleOf(first);
  assert.ok(Math.abs(below - y - 60) < 3, `the point follows the pointer: ${below - y}`);
  const [onLinkX, onLinkY] = await page.locator(".react-flow__edge-path").first().evaluate((path) => {
    const point = path.getPointAtLength(path.getTotalLength() / 4).matrixTransform(path.getScreenCTM());
    return [point.x, point.y];
  });
  await page.mouse.click(onLinkX, onLinkY, { button: "right" });
  await page.getByRole("menuitem", { name: "Bend it here" }).click();
  await page.getByRole("button", { name: "Bend 2 of a link" }).waitFor();
  await shot("bends");
  await first.focus();
  await page.keyboard.press("Delete");
  await first.waitFor({ state: "detached" });
  await page.getByRole("main").focus();
  await page.keyboard.press("Control+s");
  await page.getByText("Saved as bends.").waitFor();
  const { bends } = await (await fetch(`${url}/api/v1/workflows/bends`)).json();
  assert.deepEqual([bends.reroutes.map(({ id }) => id), bends.links], [[2], [["save", "images", 2]]]);
}
