/** A colour as a widget: it is given to every input of the type EXAMPLE_COLOUR. */

const hex = (part) => Math.round(part * 255).toString(16).padStart(2, "0");
const text = (colour) => `#${colour.map(hex).join("")}`;
const parts = (shown) => [1, 3, 5].map((at) => parseInt(shown.slice(at, at + 2), 16) / 255);

export default function start(editor) {
  editor.widget(
    "EXAMPLE_COLOUR",
    (element, { value, set, input }) => {
      const field = document.createElement("input");
      field.type = "color";
      field.setAttribute("aria-label", input.label);
      const show = (colour) => { field.value = text(Array.isArray(colour) ? colour : [1, 0.8, 0.5]); };
      show(value);
      field.addEventListener("change", () => { set(parts(field.value)); });
      element.append(field);
      return { update: show, unmount: () => { field.remove(); } };
    },
    { height: 32, initial: [1, 0.8, 0.5] },
  );
}
