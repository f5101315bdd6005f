import { describe, expect, it } from "vitest";
import { addBend, bendsOf, endKey, moveBend, removeBend } from "./bends";
import { EMPTY, readWorkflow, writeWorkflow, type Workflow } from "./document";

const TEXT = `{"format": "darkroom/1", "nodes": {}, "bends": {"reroutes": [{"id": 1, "pos": [10, 0]}, {"id": 2, "parentId": 1, "pos": [20, 5], "floating": null}], "links": [["save", "images", 2], ["show", "images", 1]]}}`;
const SAMPLE = readWorkflow(TEXT);
const chain = (workflow: Workflow, node = "save"): (number | readonly number[])[] => (bendsOf(workflow).get(endKey(node, "images")) ?? []).flatMap(({ id, at }) => [id, at]);

describe("the points of links", () => {
  it("are told from the source on, those that links share too", () => {
    expect(chain(SAMPLE)).toEqual([1, [10, 0], 2, [20, 5]]);
    expect(chain(SAMPLE, "show")).toEqual([1, [10, 0]]);
    expect(bendsOf(EMPTY).size).toBe(0);
  });

  it("are moved, and keep what else is said of them", () => {
    const moved = moveBend(2, [31.4, 7])(SAMPLE);
    expect(chain(moved)).toEqual([1, [10, 0], 2, [31, 7]]);
    expect(writeWorkflow(moved)).toContain('"floating": null');
    expect(moveBend(9, [0, 0])(SAMPLE).nodes).toBe(SAMPLE.nodes);
  });

  it("are taken away one by one, until nothing is left", () => {
    expect(chain(removeBend(1)(SAMPLE))).toEqual([2, [20, 5]]);
    expect(chain(removeBend(1)(SAMPLE), "show")).toEqual([]);
    expect(chain(removeBend(2)(SAMPLE))).toEqual([1, [10, 0]]);
    expect(removeBend(1)(removeBend(2)(SAMPLE)).extra.has("bends")).toBe(false);
  });

  it("come to a link at its end, its start or between", () => {
    expect(chain(addBend("save", "images", [30, 5], [0, 0])(SAMPLE))).toEqual([1, [10, 0], 2, [20, 5], 3, [30, 5]]);
    expect(chain(addBend("save", "images", [5, 0], [0, 0])(SAMPLE))).toEqual([3, [5, 0], 1, [10, 0], 2, [20, 5]]);
    expect(chain(addBend("save", "images", [15, 0], [0, 0])(SAMPLE))).toEqual([1, [10, 0], 3, [15, 0], 2, [20, 5]]);
    expect(chain(addBend("save", "images", [1, 2], [0, 0])(EMPTY))).toEqual([1, [1, 2]]);
  });

  it("in a circle come to an end, and what is no point is passed over", () => {
    const round = readWorkflow(TEXT.replace('{"id": 1, ', '{"id": 1, "parentId": 2, ').replace('["show", "images", 1]', '["show"], 7'));
    expect(chain(round)).toEqual([1, [10, 0], 2, [20, 5]]);
  });
});
