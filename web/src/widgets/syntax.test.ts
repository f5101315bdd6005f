import { describe, expect, it } from "vitest";
import { completionAt, embeddingWord, partsOf, toggleComment } from "./syntax";

const meanings = (text: string, dynamic = true): string[] => partsOf(text, dynamic).map((part) => `${part.meaning} ${part.text}`);

describe("the parts of a prompt", () => {
  it("are weights, choices, comments and embeddings; all of them together are the prompt", () => {
    const text = "a (red:1.2) {cat|dog} embedding:tree, <lora:a b:1>, /* not\nthis */ \\{x\\} // nor this\nend";
    expect(meanings(text)).toEqual([
      "plain a ",
      "weight (",
      "plain red",
      "weight :1.2)",
      "plain  ",
      "choice {",
      "plain cat",
      "choice |",
      "plain dog",
      "choice }",
      "plain  ",
      "embedding embedding:tree",
      "plain , ",
      "lora <lora:a b:1>",
      "plain , ",
      "comment /* not\nthis */",
      "plain  ",
      "plain \\{",
      "plain x",
      "plain \\}",
      "plain  ",
      "comment // nor this",
      "plain \nend",
    ]);
    expect(partsOf(text, true).map((part) => part.text).join("")).toBe(text);
  });

  it("have no choices or comments where the node does not know them", () => {
    expect(meanings("{a|b} // c", false)).toEqual(["plain {a|b} // c"]);
  });
});

describe("a completion", () => {
  it.each([
    ["a embedding:tr", { kinds: ["embedding"], from: 2, to: 14, words: "tr" }],
    ["a (embedding:", { kinds: ["embedding"], from: 3, to: 13, words: "" }],
    ["a <tr", { kinds: ["embedding", "lora"], from: 2, to: 5, words: "tr" }],
    ["emb", { kinds: ["embedding"], from: 0, to: 3, words: "" }],
    ["a <", { kinds: ["embedding", "lora"], from: 2, to: 3, words: "" }],
    ["a <lo", { kinds: ["lora"], from: 2, to: 5, words: "" }],
    ["a <lora:my sty", { kinds: ["lora"], from: 2, to: 14, words: "my sty" }],
  ])("begins at the end of %j", (text, found) => {
    expect(completionAt(text, text.length)).toEqual(found);
  });

  it.each(["a red", "em", "embedding", "embedding:tree,", "embedding:tree more", "<lora:a:0.8", "<lora:a>"])("of %j is %#", (text) => {
    const found = completionAt(text, text.length);
    if (text === "embedding") expect(found).toEqual({ kinds: ["embedding"], from: 0, to: 9, words: "" });
    else expect(found).toBeUndefined();
  });

  it("writes the name of a file as prompts name it, where they can", () => {
    expect(embeddingWord("sub/tree.safetensors")).toBe("embedding:sub/tree");
    expect(embeddingWord("two words.pt")).toBe("");
  });
});

describe("comments", () => {
  it("are put before every line that is touched, and taken away again", () => {
    const text = "one\ntwo\nthree";
    const put = toggleComment(text, 1, 5);
    expect(put).toEqual({ text: "// one\n// two\nthree", start: 0, end: 13 });
    expect(toggleComment(put.text, put.start, put.end).text).toBe(text);
  });
});
