/** Ports: names for inputs of a workflow, from which forms, flags and calls follow. */

import type { Command } from "./commands";
import { Link, type Id, type Workflow } from "./document";
import { asText, isObject, type Json } from "./json";

export interface Port {
  readonly name: string;
  readonly node: Id;
  readonly input: string;
}

/** The ports that are inputs of nodes that are there. */
export function inputPorts(workflow: Workflow): readonly Port[] {
  return [...workflow.ports].flatMap(([name, port]) => {
    if (!isObject(port) || !port.has("input")) return [];
    const found = { name, node: asText(port.get("node")), input: asText(port.get("input")) };
    return workflow.nodes.has(found.node) ? [found] : [];
  });
}

export function portAt(workflow: Workflow, node: Id, input: string): string | undefined {
  return inputPorts(workflow).find((port) => port.node === node && port.input === input)?.name;
}

/** Makes an input a port, or takes its name away where it is one. */
export function togglePort(node: Id, input: string): Command {
  return (workflow) => {
    const known = portAt(workflow, node, input);
    return known === undefined ? addPort(node, input)(workflow) : removePort(known)(workflow);
  };
}

export function addPort(node: Id, input: string): Command {
  return (workflow) => {
    const name = freshName(workflow, node, input);
    const port: Json = new Map([["node", node], ["input", input]]);
    return { ...workflow, ports: new Map(workflow.ports).set(name, port) };
  };
}

/** The input's own name where it is free, else with the node's title before it. */
function freshName(workflow: Workflow, node: Id, input: string): string {
  const title = (workflow.nodes.get(node)?.title || node).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_");
  const stem = workflow.ports.has(input) || input === "text" ? (input === "text" ? title : `${title}_${input}`) : input;
  let [name, count] = [stem, 1];
  while (workflow.ports.has(name)) name = `${stem}_${(count += 1)}`;
  return name;
}

export function removePort(name: string): Command {
  return (workflow) =>
    workflow.ports.has(name) ? { ...workflow, ports: new Map([...workflow.ports].filter(([other]) => other !== name)) } : workflow;
}

/** Gives a port another name in its place; a name that is taken changes nothing. */
export function renamePort(name: string, to: string): Command {
  return (workflow) => {
    if (!to || name === to || workflow.ports.has(to)) return workflow;
    return { ...workflow, ports: new Map([...workflow.ports].map(([other, port]) => [other === name ? to : other, port])) };
  };
}

/** Moves a port to another place in the order, which is that of the form. */
export function movePort(name: string, by: number): Command {
  return (workflow) => {
    const entries = [...workflow.ports];
    const from = entries.findIndex(([other]) => other === name);
    const to = Math.min(Math.max(from + by, 0), entries.length - 1);
    const [entry] = from < 0 || from === to ? [] : entries.splice(from, 1);
    if (!entry) return workflow;
    entries.splice(to, 0, entry);
    return { ...workflow, ports: new Map(entries) };
  };
}

/** Inputs with a value of their own that are no ports yet. */
export function possiblePorts(workflow: Workflow): readonly Omit<Port, "name">[] {
  const taken = new Set(inputPorts(workflow).map((port) => `${port.node} ${port.input}`));
  return [...workflow.nodes].flatMap(([node, { inputs }]) =>
    [...inputs].flatMap(([input, value]) => (value instanceof Link || taken.has(`${node} ${input}`) ? [] : [{ node, input }])),
  );
}
