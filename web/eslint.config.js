import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "e2e/shots/", "extensions/"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: { "react-hooks/rules-of-hooks": "error", "react-hooks/exhaustive-deps": "error" },
  },
  {
    files: ["e2e/**/*.mjs"],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", setTimeout: "readonly", URL: "readonly", fetch: "readonly", document: "readonly", localStorage: "readonly", DataTransfer: "readonly", File: "readonly", DragEvent: "readonly", ClipboardEvent: "readonly", OffscreenCanvas: "readonly", createImageBitmap: "readonly", MutationObserver: "readonly", Blob: "readonly", Buffer: "readonly" },
    },
  },
);
