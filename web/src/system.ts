/** What the server runs on: asked again while somebody looks, and soon after something changed. */

import { create } from "zustand";
import { system, type System, type WorkerTold } from "./api/system";
import { tell } from "./editor";
import { useRuns } from "./runs";
import { R } from "./texts-runs";

export const useSystem = create<{ readonly told: System | null }>(() => ({ told: null }));

const RARELY = 15_000;
const OFTEN = 2_000;
const SOON = 400;

const isSettled = (worker: WorkerTold): boolean => worker.state === "idle" || worker.state === "busy";

const restartsIn = (told: System | null): number => (told?.workers ?? []).reduce((sum, worker) => sum + worker.restarts, 0);

/** Whether jobs would wait because no worker is ready yet. */
export const isLoading = ({ told }: { readonly told: System | null }): boolean => told !== null && !told.workers.some(isSettled);

async function read(): Promise<void> {
  const told = await system();
  const before = useSystem.getState().told;
  if (before && restartsIn(told) > restartsIn(before)) tell(R.device.crashed);
  useSystem.setState({ told });
}

/** Keeps what is known of the server fresh, until the function it gives is called. */
export function followSystem(): () => void {
  let [timer, isStopped] = [0, false];
  const next = (after: number): void => {
    clearTimeout(timer);
    if (!isStopped) timer = window.setTimeout(() => void ask(), after);
  };
  const ask = async (): Promise<void> => {
    if (!document.hidden && useRuns.getState().isConnected) await read().catch(() => undefined); // the bar says that there is no connection
    next(useSystem.getState().told?.workers.every(isSettled) ? RARELY : OFTEN);
  };
  const stop = useRuns.subscribe((state, old) => {
    if (state.isConnected !== old.isConnected || state.changes !== old.changes) next(SOON);
  });
  const onSeen = (): void => {
    if (!document.hidden) next(SOON);
  };
  document.addEventListener("visibilitychange", onSeen);
  next(0);
  return () => {
    isStopped = true;
    clearTimeout(timer);
    stop();
    document.removeEventListener("visibilitychange", onSeen);
  };
}

export { read as readSystem };
