import { useId, useRef, useState } from "react";
import { trying } from "../actions";
import { free, type System, type WorkerTold } from "../api/system";
import { tell } from "../editor";
import { bytes } from "../jobs/words";
import { readSystem, useSystem } from "../system";
import { R } from "../texts-runs";
import { placeBelow } from "./ActionMenu";
import { togglePanel } from "./viewing";

/** What computes and how it is, in the bar; more of it in a panel below. */
export function Device() {
  const told = useSystem((state) => state.told);
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  if (!told) return null;
  const worker = told.workers.find((item) => item.state === "busy") ?? told.workers[0];
  const state = worker?.state ?? "none";
  const words = worker ? `${nameOf(worker)}, ${R.device.states[worker.state]}` : R.device.none;
  const isPlain = state === "idle" || state === "busy";
  return (
    <>
      <button ref={button} type="button" className={`badge device ${state}`} aria-label={`${R.device.label}: ${words}`} title={words} popoverTarget={id}>
        <i aria-hidden />
        {[worker?.facts.name && shortNameOf(worker), isPlain ? "" : (worker ? R.device.states[worker.state] : R.device.none)].filter(Boolean).join(" · ")}
      </button>
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={R.device.label}
        className="action-menu device-panel"
        onToggle={(event) => {
          setOpen(event.newState === "open");
          if (event.newState !== "open" || !button.current) return;
          placeBelow(event.currentTarget, button.current.getBoundingClientRect());
          trying(readSystem);
        }}
      >
        {isOpen && <Details told={told} />}
      </div>
    </>
  );
}

const nameOf = ({ facts, device }: WorkerTold): string => (facts.type === "cpu" ? R.device.cpu : (facts.name ?? device));

/** "CPU", or a GPU's name without its maker. */
function shortNameOf(worker: WorkerTold): string {
  return nameOf(worker).replace(/^(NVIDIA|AMD|Intel)( GeForce| Radeon)? /, "").slice(0, 18);
}

function Details({ told }: { readonly told: System }) {
  const letGo = async (all: boolean): Promise<void> => {
    await free(all);
    tell(R.device.freed);
  };
  return (
    <>
      {told.trouble && <p className="trouble">{told.trouble}</p>}
      {told.workers.map((worker) => (
        <Worker key={worker.device} worker={worker} told={told} />
      ))}
      <footer>
        <button type="button" onClick={() => trying(() => letGo(false))}>
          {R.device.freeModels}
        </button>
        <button type="button" onClick={() => trying(() => letGo(true))}>
          {R.device.freeAll}
        </button>
        <button type="button" onClick={() => togglePanel("log")}>
          {R.device.log}
        </button>
      </footer>
    </>
  );
}

function Worker({ worker, told }: { readonly worker: WorkerTold; readonly told: System }) {
  const { facts, cache } = worker;
  const isOwn = facts.type !== undefined && facts.type !== "cpu" && facts.vram_total !== undefined;
  const [total, unused] = isOwn ? [facts.vram_total ?? 0, facts.vram_free ?? 0] : [told.memory_total, told.memory_free];
  return (
    <section>
      <h3>
        {nameOf(worker)} <span className="state">{R.device.states[worker.state]}</span>
      </h3>
      <dl>
        <dt>{R.device.memory}</dt>
        <dd>{R.device.of(bytes(total - unused), bytes(total))}</dd>
        <meter aria-label={R.device.memory} min={0} max={total} low={total * 0.75} high={total * 0.92} optimum={0} value={total - unused} />
        <dt>{R.device.process}</dt>
        <dd>{bytes(worker.memory)}</dd>
        {cache.entries !== undefined && (
          <>
            <dt>{R.device.results}</dt>
            <dd>{R.device.kept(cache.entries, bytes(cache.bytes ?? 0))}</dd>
          </>
        )}
        {cache.models !== undefined && (
          <>
            <dt>{R.device.models}</dt>
            <dd>{R.device.loaded(cache.models, bytes(cache.model_bytes ?? 0))}</dd>
          </>
        )}
      </dl>
      {worker.restarts > 0 && <small>{R.device.restarts(worker.restarts)}</small>}
    </section>
  );
}
