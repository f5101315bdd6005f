import { describe, expect, it } from "vitest";
import type { Problem } from "../api/client";
import { addNode } from "./commands";
import { EMPTY } from "./document";
import { withTodo } from "./todo";

const problem = (code: string, node: string | null, severity: Problem["severity"] = "error"): Problem => ({ code, node, severity, message: "", fix: "", input: "model" });
const unlinked = problem("missing_input", "a");
const severities = (problems: readonly Problem[], expected = EMPTY): string[] => withTodo(problems, expected).map(({ severity }) => severity);

describe("what is to do", () => {
  it("is an input without a link at a node that was added, and an output that nobody has added yet", () => {
    expect(severities([unlinked, problem("no_outputs", null)])).toEqual(["todo", "todo"]);
  });

  it("is wrong once the workflow was run or opened like that", () => {
    const expected = addNode("a", "KSampler", [0, 0])(EMPTY);
    const told = withTodo([unlinked, problem("no_outputs", null)], EMPTY);
    expect(severities(told, expected)).toEqual(["error", "error"]);
    expect(severities([problem("missing_input", "b")], expected)).toEqual(["todo"]);
  });

  it("is also what a node lacks that no output needs yet, which the server warns of", () => {
    const told = withTodo([problem("missing_input", "a", "warning")], EMPTY);
    expect(severities(told)).toEqual(["todo"]);
    expect(severities(told, addNode("a", "KSampler", [0, 0])(EMPTY))).toEqual(["warning"]);
  });

  it("is never a wrong value, a wrong link or a node that is not there, and other warnings stay", () => {
    const others = ["bad_value", "bad_link", "unknown_node_type"].map((code) => problem(code, "a"));
    expect(severities([...others, problem("unknown_input", "a", "warning")])).toEqual(["error", "error", "error", "warning"]);
  });
});
