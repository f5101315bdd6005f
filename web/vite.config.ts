import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  base: "./",
  build: { target: "es2022", assetsDir: "editor" },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
