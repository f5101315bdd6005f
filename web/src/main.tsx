import "@xyflow/react/dist/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { trying } from "./actions";
import { restoreDrafts } from "./drafts";
import { openFromAddress } from "./files";
import "./theme.css";

function show(): void {
  const root = document.getElementById("root");
  if (root)
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    );
}

void restoreDrafts()
  .then(show, show)
  .then(() => trying(openFromAddress));
