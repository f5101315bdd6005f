/** The live events of all jobs over one WebSocket, which comes back after every break. */

import type { JobEvent } from "./jobs";

export interface Listener {
  /** The socket is open: read what happened meanwhile, then let events through. */
  opened(): Promise<void>;
  closed(): void;
  event(event: JobEvent): void;
  preview(node: string, job: string, picture: Blob): void;
  queue(remaining: number): void;
  /** A worker loaded plugins: node types may have changed. */
  plugins(): void;
}

const PLUGINS_LOADED = "darkroom.plugins";

type Message = JobEvent | { kind: "message"; data: { name: string } } | { kind: "preview"; job: string; data: { node: string; type: string } } | { kind: "queue"; data: { remaining: number } };

const SHORTEST = 300;
const LONGEST = 5000;

export function follow(listener: Listener): () => void {
  let [wait, stopped] = [SHORTEST, false];
  let socket: WebSocket | undefined;

  function connect(): void {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/events/socket`);
    socket.binaryType = "arraybuffer";
    let held: Message[] | null = [];
    let following: { node: string; job: string; type: string } | undefined;

    const tell = (message: Message): void => {
      if (message.kind === "queue") listener.queue((message.data as { remaining: number }).remaining);
      else if (message.kind === "message") {
        if ((message.data as { name: string }).name === PLUGINS_LOADED) listener.plugins();
      } else if ("number" in message) listener.event(message);
    };
    socket.onopen = () => {
      wait = SHORTEST;
      const letThrough = (): void => {
        for (const message of held ?? []) tell(message);
        held = null;
      };
      void listener.opened().then(letThrough, letThrough);
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== "string") {
        if (following) listener.preview(following.node, following.job, new Blob([data], { type: following.type }));
        return;
      }
      const message = JSON.parse(data) as Message;
      if (message.kind === "preview") following = { job: (message as JobEvent).job, ...(message.data as { node: string; type: string }) };
      else if (held) held.push(message);
      else tell(message);
    };
    socket.onclose = () => {
      if (stopped) return;
      listener.closed();
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST);
    };
  }

  connect();
  return () => {
    stopped = true;
    socket?.close();
  };
}
