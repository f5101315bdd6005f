const PATHS = {
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  undo: "M6 3L3 6l3 3M3 6h6a4 4 0 0 1 0 8H6",
  redo: "M10 3l3 3-3 3M13 6H7a4 4 0 0 0 0 8h3",
  add: "M3 3h10v10H3zM8 5.5v5M5.5 8h5",
  fit: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
  theme: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
  help: "M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.3 8.7 8 9.1 8 10M8 12.5v.1",
  dice: "M3 3h10v10H3zM6 6v.1M10 6v.1M8 8v.1M6 10v.1M10 10v.1",
  upload: "M8 10V3M5 6l3-3 3 3M3 11v2h10v-2",
  retry: "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3",
  down: "M4 6l4 4 4-4",
  left: "M10 3L5 8l5 5",
  right: "M6 3l5 5-5 5",
  history: "M3 8a5 5 0 1 1 1.6 3.7M3 4v3h3M8 5.5V8l2 1.5",
  pen: "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2z",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  bin: "M3.5 5h9M6 5V3h4v2M5 5l.6 8h4.8L11 5",
  gear: "M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4zM8 2v2M8 12v2M2 8h2M12 8h2M3.8 3.8l1.4 1.4M10.8 10.8l1.4 1.4M12.2 3.8l-1.4 1.4M5.2 10.8l-1.4 1.4",
  form: "M3 3h10v10H3zM5.5 6h5M5.5 8.5h5M5.5 11h3",
  check: "M3.5 8.5l3 3 6-7",
  star: "M8 2.5l1.7 3.5 3.8.5-2.8 2.7.7 3.8L8 11.2 4.6 13l.7-3.8L2.5 6.5l3.8-.5z",
  up: "M4 10l4-4 4 4",
  brush: "M13 3L7.5 8.5M7.5 8.5c-1.8-.6-3.2.3-3.6 2-.2 1-.7 1.6-1.4 2 2.4 1 5.6.6 6-2.4.1-.7-.2-1.2-1-1.6z",
  eraser: "M9 3l4 4-6 6H4.5L3 11.5zM6 6l4 4",
  bucket: "M7 3l5.5 5.5-4.7 4.7L3 8.5zM7 3v5M13.5 11v2",
  rectangle: "M3 4h10v8H3z",
  lasso: "M4.5 11C2.5 10 2 8 3 6.3 4.3 4 8 3 11 4.2c2.6 1 3 3.6 1 5.2-1.7 1.4-4.7 1.8-7.5 1.6zm0 0c1 .6 1.2 1.6.5 2.5",
  polygon: "M3 6l5-3 5 4-2 6H5z",
  play: "M5 3l8 5-8 5z",
  grid: "M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM9 9h4v4H9z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  enter: "M3 8h7M7 5l3 3-3 3M10 3h3v10h-3",
  more: "M8 3.5v.1M8 8v.1M8 12.5v.1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden>
      <path d={PATHS[name]} />
    </svg>
  );
}
