import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandLine, curlCode, pythonCode, settable, type Call } from "./callcode";
import { setValue } from "./commands";
import { readWorkflow, type Workflow } from "./document";
import { Numeral, type Json } from "./json";

const FILE = join(import.meta.dirname, "../../../workflows/txt2img.json");
const WORKFLOW = readWorkflow(readFileSync(FILE, "utf8"));
const NASTY = "it's a \"fox\" — $HOME `x` \\ %s\nnew";
const SETS = new Map<string, Json>([["prompt", NASTY], ["sampler.seed", new Numeral("18446744073709551615")], ["flag", true], ["none", null]]);
const call = (more: Partial<Call> = {}): Call => ({ server: "http://127.0.0.1:1", file: "my fox.json", sets: SETS, token: false, ...more });

describe("the code of a call", () => {
  it("sets the ports of a workflow, and prompts and seeds where it has none", () => {
    expect(settable(WORKFLOW).get("prompt")).toBe("a large red circle above a small blue square on a dark background");
    const bare: Workflow = { ...WORKFLOW, ports: new Map() };
    expect([...settable(setValue("sampler", "seed", 5)(bare))]).toContainEqual(["sampler.seed", 5]);
  });

  it("posts by the shell what was set, whatever its letters are", async () => {
    const posted = await handedIn((server, folder) => ["sh", ["-c", curlCode(call({ server }))], folder]);
    expect(JSON.parse(posted.body)).toMatchObject({ set: { prompt: NASTY, flag: true, none: null }, workflow: { format: "darkroom/1" } });
    expect(posted.body).toContain("18446744073709551615");
    expect(posted.url).toBe("/api/v1/jobs?wait=true");
  });

  it("posts by Python what was set, and sends the token", async () => {
    const posted = await handedIn((server, folder) => ["python3", ["-c", pythonCode(call({ server, token: true }))], folder]);
    expect(JSON.parse(posted.body)).toMatchObject({ set: { prompt: NASTY, flag: true, none: null } });
    expect(posted.body).toContain("18446744073709551615");
    expect(posted.token).toBe("Bearer secret");
  });

  it("quotes the command line", () => {
    expect(commandLine(call({ sets: new Map<string, Json>([["a", "b c"]]) }))).toBe("./darkroom run 'my fox.json' \\\n  --set 'a=b c'\n");
  });
});

interface Posted {
  readonly url: string;
  readonly body: string;
  readonly token: string;
}

/** What a program sends to a server that answers as ours does. */
async function handedIn(program: (server: string, folder: string) => [string, string[], string]): Promise<Posted> {
  const folder = mkdtempSync(join(tmpdir(), "call-"));
  writeFileSync(join(folder, "my fox.json"), readFileSync(FILE));
  let resolve: (posted: Posted) => void = () => undefined;
  const promise = new Promise<Posted>((given) => (resolve = given));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.end('{"state": "done", "error": null, "outputs": []}');
      resolve({ url: request.url ?? "", body: Buffer.concat(chunks).toString(), token: request.headers.authorization ?? "" });
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const [command, values, cwd] = program(`http://127.0.0.1:${port}`, folder);
  execFile(command, values, { cwd, env: { ...process.env, DARKROOM_TOKEN: "secret" } });
  const posted = await promise;
  server.close();
  rmSync(folder, { recursive: true });
  return posted;
}
