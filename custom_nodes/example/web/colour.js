/** A colour as a widget: it is given to every input of the type EXAMPLE_COLOUR. */

const hex = (part) => Math.round(part * 255).toString(16).padStart(2, "0");
const text = (colour) => `#${colour.map(hex).join("")}`;
const parts = (shown) => [1, 3, 5].map((at) => parseInt(shown.slice(at, at + 2), 16) / 255);
const LOOK = `display: flex; justify-content: space-between; align-items: center; height: 100%; padding: 0 4px 0 10px;
  border-radius: 7px; background: var(--field); color: var(--soft)`;

export default function start(editor) {
  editor.widget(
    "EXAMPLE_COLOUR",
    (element, { value, set, input }) => {
      const label = document.createElement("label");
      label.textContent = input.label;
      label.style.cssText = LOOK;
      const field = document.createElement("input");
      Object.assign(field, { type: "color", ariaLabel: input.label });
      field.style.cssText = "width: 40px; height: 22px";
      const show = (colour) => { field.value = text(Array.isArray(colour) ? colour : [1, 0.8, 0.5]); };
      show(value);
      field.addEventListener("change", () => { set(parts(field.value)); });
      label.append(field);
      element.append(label);
      return { update: show, unmount: () => { label.remove(); } };
    },
    { height: 32, initial: [1, 0.8, 0.5] },
  );
}
