/** The code that runs a workflow from elsewhere: curl, Python and the command line. */

import { Link, type Workflow } from "./document";
import { asText, isObject, Numeral, printJson, type Json } from "./json";

export interface Call {
  /** Where the server is, such as http://127.0.0.1:8188. */
  readonly server: string;
  /** The file that holds the workflow. */
  readonly file: string;
  /** What to set before it runs, by port or node.input. */
  readonly sets: ReadonlyMap<string, Json>;
  /** Whether the server asks for a token; it is read from the variable DARKROOM_TOKEN. */
  readonly token: boolean;
}

/** The values of a workflow's ports; where it has none, what most people would set. */
export function settable(workflow: Workflow): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const [name, port] of workflow.ports) {
    if (!isObject(port) || !port.has("input")) continue;
    const value = workflow.nodes.get(asText(port.get("node")))?.inputs.get(asText(port.get("input")));
    if (value !== undefined && !(value instanceof Link)) found.set(name, value);
  }
  if (found.size) return found;
  for (const [id, node] of workflow.nodes)
    for (const input of ["text", "seed", "noise_seed"]) {
      const value = node.inputs.get(input);
      if (value !== undefined && !(value instanceof Link)) found.set(`${id}.${input}`, value);
    }
  return found;
}

const shell = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const setsOf = (call: Call): string => printJson(call.sets);

export function curlCode(call: Call): string {
  const head = `{ printf '{"set": %s, "workflow": ' ${shell(setsOf(call))}; cat ${shell(call.file)}; printf '}'; } |`;
  const token = call.token ? ' -H "Authorization: Bearer $DARKROOM_TOKEN"' : "";
  return `${head}\n  curl -s ${shell(`${call.server}/api/v1/jobs?wait=true`)}${token} -H 'Content-Type: application/json' --data-binary @-\n`;
}

export function pythonCode(call: Call): string {
  const headers = call.token ? '{"Content-Type": "application/json", "Authorization": f"Bearer {os.environ[\'DARKROOM_TOKEN\']}"}' : '{"Content-Type": "application/json"}';
  return `import json
${call.token ? "import os\n" : ""}import urllib.request
from pathlib import Path

SERVER = ${pythonText(call.server)}
HEADERS = ${headers}

job = {
    "workflow": json.loads(Path(${pythonText(call.file)}).read_text("utf-8")),
    "set": ${pythonValue(call.sets)},
}
request = urllib.request.Request(f"{SERVER}/api/v1/jobs?wait=true", json.dumps(job).encode(), HEADERS)
with urllib.request.urlopen(request) as reply:
    done = json.load(reply)
print(done["state"], done["error"] or "")
for output in done["outputs"]:
    for file in output["files"]:
        picture = urllib.request.Request(SERVER + file["url"], headers=HEADERS)
        with urllib.request.urlopen(picture) as reply:
            Path(Path(file["name"]).name).write_bytes(reply.read())
        print(Path(file["name"]).name)
`;
}

export function commandLine(call: Call): string {
  const sets = [...call.sets].map(([name, value]) => ` \\\n  --set ${shell(`${name}=${typeof value === "string" ? value : printJson(value)}`)}`);
  return `./darkroom run ${shell(call.file)}${sets.join("")}\n`;
}

/** A text as Python writes it: JSON's escapes are Python's too. */
const pythonText = (text: string): string => JSON.stringify(text);

function pythonValue(sets: ReadonlyMap<string, Json>): string {
  if (!sets.size) return "{}";
  const lines = [...sets].map(([name, value]) => `        ${pythonText(name)}: ${literal(value)},`);
  return `{\n${lines.join("\n")}\n    }`;
}

function literal(value: Json): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object" || value instanceof Numeral) return printJson(value);
  return `json.loads(${pythonText(printJson(value))})`;
}
