import { describe, expect, it } from "vitest";
import type { Draft } from "./api/draftstore";
import { chosen } from "./drafts";

const draft = (session: string, key: string, more: Partial<Draft> = {}): Draft => ({
  session, key, order: 0, active: false, name: key, etag: null, changed: false, text: "", at: 0, ...more,
});
const names = (drafts: readonly Draft[]): string[] => drafts.map((item) => item.key);

describe("the drafts that a window opens", () => {
  it("are its own, in their order, after it was loaded again", () => {
    const drafts = [draft("me", "b", { order: 1 }), draft("me", "a"), draft("other", "c", { changed: true })];
    const { open, taken } = chosen(drafts, "me", new Set(["me"]));
    expect([names(open), names(taken)]).toEqual([["a", "b"], []]);
  });

  it("are those of the last window, after all are gone, with unsaved work of the others", () => {
    const drafts = [draft("old", "a", { at: 1, changed: true }), draft("old", "b", { at: 1 }), draft("new", "c", { at: 2 })];
    const { open, taken } = chosen(drafts, "me", new Set(["me"]));
    expect([names(open), names(taken)]).toEqual([["c", "a"], ["a", "b", "c"]]);
  });

  it("are copies of what another window shows that is alive, whose own stay", () => {
    const drafts = [draft("alive", "a", { at: 1, changed: true }), draft("dead", "b", { at: 2 })];
    const { open, taken } = chosen(drafts, "me", new Set(["me", "alive"]));
    expect([names(open), names(taken)]).toEqual([["a"], ["b"]]);
  });

  it("are copies only, where the browser does not tell which windows are alive", () => {
    const { open, taken } = chosen([draft("a", "a", { at: 1 }), draft("b", "b", { at: 2 })], "me", null);
    expect([names(open), names(taken)]).toEqual([["b"], []]);
  });

  it("are none where nothing was kept", () => {
    expect(chosen([], "me", new Set())).toEqual({ open: [], taken: [] });
  });
});
