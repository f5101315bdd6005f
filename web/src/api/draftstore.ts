/** The browser's database of drafts, and which of its windows are alive. */

export interface Draft {
  /** The window that wrote it. */
  readonly session: string;
  readonly key: string;
  readonly order: number;
  readonly active: boolean;
  readonly name: string;
  readonly etag: string | null;
  readonly changed: boolean;
  readonly text: string;
  /** The workflow before and after the last steps, to undo and redo them. */
  readonly past?: readonly string[];
  readonly future?: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
}

export type DraftKey = Pick<Draft, "session" | "key">;

const [DATABASE, STORE, SESSION, LOCK] = ["darkroom", "drafts", "darkroom.session", "darkroom.window."];
/** Milliseconds that a page which is loaded again waits for its former self to go. */
const PATIENCE = 400;

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: ["session", "key"] });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error("no database"));
    opening.onblocked = () => reject(new Error("blocked"));
  });
}

async function inStore<Result>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<Result> | null): Promise<Result | undefined> {
  const base = await database();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = base.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onerror = () => reject(transaction.error ?? new Error("not written"));
      transaction.onabort = () => reject(transaction.error ?? new Error("not written"));
    });
  } finally {
    base.close();
  }
}

export async function allDrafts(): Promise<readonly Draft[]> {
  return (await inStore("readonly", (drafts) => drafts.getAll() as IDBRequest<Draft[]>)) ?? [];
}

export async function write(changed: readonly Draft[], gone: readonly DraftKey[]): Promise<void> {
  await inStore("readwrite", (drafts) => {
    for (const draft of changed) drafts.put(draft);
    for (const { session, key } of gone) drafts.delete([session, key]);
    return null;
  });
}

export async function forget(gone: readonly DraftKey[]): Promise<void> {
  if (gone.length) await write([], gone);
}

export interface Session {
  readonly session: string;
  /** The names of the windows that are alive; null where the browser does not tell. */
  readonly living: ReadonlySet<string> | null;
}

/** This window's name, which it has to itself and keeps over a reload, and the names of the others. */
export async function takeSession(): Promise<Session> {
  const last = sessionStorage.getItem(SESSION);
  const session = last && (await isFree(last)) ? last : await freshSession();
  sessionStorage.setItem(SESSION, session);
  return { session, living: await livingSessions() };
}

async function freshSession(): Promise<string> {
  const made = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
  await isFree(made);
  return made;
}

/** Holds a name for as long as the page lives; false where another page has it, as a duplicated tab does. */
function isFree(session: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true); // over plain HTTP from another machine there are none
  return new Promise((resolve) => {
    navigator.locks
      .request(LOCK + session, { signal: AbortSignal.timeout(PATIENCE) }, () => {
        resolve(true);
        return new Promise(() => undefined);
      })
      .catch(() => resolve(false));
  });
}

async function livingSessions(): Promise<ReadonlySet<string> | null> {
  if (!("locks" in navigator)) return null;
  const { held = [] } = await navigator.locks.query();
  return new Set(held.flatMap(({ name }) => (name?.startsWith(LOCK) ? [name.slice(LOCK.length)] : [])));
}
