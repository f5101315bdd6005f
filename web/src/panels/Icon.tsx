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
  play: "M5 3l8 5-8 5z",
} as const;

export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden>
      <path d={PATHS[name]} />
    </svg>
  );
}
