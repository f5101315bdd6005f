/** What a person does on the canvas, by role and label. */

export const node = (page, title) => page.getByRole("article", { name: `${title} node`, exact: true });
export const output = (card, name) => card.getByLabel(`${name} out`, { exact: true });
export const input = (card, name) => card.getByLabel(`${name} in`, { exact: true });

export async function middleOf(locator) {
  const box = await locator.boundingBox();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

async function dragFrom(page, socket, x, y) {
  await page.mouse.move(...(await middleOf(socket)));
  await page.mouse.down();
  await page.mouse.move(x - 20, y - 10, { steps: 4 });
  await page.mouse.move(x, y, { steps: 3 });
}

/** Draws a link between two sockets. */
export async function link(page, from, to) {
  await dragFrom(page, from, ...(await middleOf(to)));
  await page.mouse.up();
}

/** Draws a link as far as a socket and holds it there. */
export async function hover(page, from, to) {
  await dragFrom(page, from, ...(await middleOf(to)));
}

/** Searches for a node and adds the first that is found. */
export async function choose(page, words) {
  const field = page.getByRole("combobox", { name: "Search nodes" });
  await field.fill(words);
  await page.getByRole("listbox", { name: "Nodes found" }).getByRole("option").first().waitFor();
  await field.press("Enter");
}

/** Double-clicks the empty canvas and adds a node. */
export async function add(page, x, y, words) {
  await page.mouse.dblclick(x, y);
  await choose(page, words);
}

/** Drops a link on the empty canvas and adds a node there. */
export async function grow(page, socket, x, y, words) {
  await dragFrom(page, socket, x, y);
  await page.mouse.up();
  await choose(page, words);
}

export async function type(card, name, text) {
  const field = card.getByLabel(name, { exact: true });
  await field.fill(text);
  await field.press("Tab");
}

/** The bytes of the picture that was saved last. */
export async function pictureOf(page) {
  const { assets } = await (await fetch(new URL("/api/v1/assets?kind=output&limit=1", page.url()))).json();
  return Buffer.from(await (await fetch(new URL(assets[0].url, page.url()))).arrayBuffer());
}

/** Drops a file on the canvas. */
export async function drop(page, name, type, bytes) {
  await page.getByRole("main").evaluate(
    (main, file) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(file.bytes)], file.name, { type: file.type }));
      main.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    },
    { name, type, bytes: [...bytes] },
  );
}
