import { useEffect, useState } from "react";
import { trying } from "../actions";
import { folderPaths, pluginsTold, switchPlugin, systemTold, type PluginTold, type SystemTold } from "../api/about";
import { useMe } from "../me";
import { isBroken } from "../plugins";
import { T } from "../texts";
import { useModules } from "../widgets/modules";
import { Frame } from "./Frame";

interface Told {
  readonly system: SystemTold;
  readonly plugins: readonly PluginTold[];
  readonly clashes: readonly string[];
  readonly folders: Readonly<Record<string, readonly string[]>>;
}

/** What this is, what it runs on, what plugins it has, and where its files lie. */
export default function AboutDialog() {
  const me = useMe();
  const troubles = useModules((state) => state.troubles);
  const [told, setTold] = useState<Told | null>(null);
  useEffect(() => {
    trying(async () => {
      const [system, { plugins, clashes }] = await Promise.all([systemTold(), pluginsTold()]);
      setTold({ system, plugins, clashes, folders: me.role === "admin" ? await folderPaths() : {} });
    });
  }, [me.role]);
  const turn = (name: string, isOn: boolean): void => {
    trying(async () => {
      await switchPlugin(name, isOn);
      const { plugins, clashes } = await pluginsTold();
      setTold((before) => before && { ...before, plugins, clashes });
    });
  };
  return (
    <Frame title={T.about.title} wide>
      <div className="dialog-body about-page">
        <p>{T.about.text}</p>
        {told && (
          <>
            <Facts system={told.system} role={me.role} />
            <h3>{T.about.plugins}</h3>
            {!told.plugins.length && <p>{T.about.noPlugins}</p>}
            <ul>
              {told.plugins.map((plugin) => (
                <Plugin key={plugin.name} plugin={plugin} turn={me.role === "admin" ? turn : undefined} />
              ))}
              {[...troubles, ...told.clashes].map((sentence) => (
                <li key={sentence} className="clash">
                  {sentence}
                </li>
              ))}
            </ul>
            {Object.keys(told.folders).length > 0 && (
              <details>
                <summary>{T.about.folders}</summary>
                <dl>
                  {Object.entries(told.folders).map(([kind, paths]) => (
                    <div key={kind}>
                      <dt>{kind}</dt>
                      <dd>{paths.join("\n")}</dd>
                    </div>
                  ))}
                </dl>
              </details>
            )}
          </>
        )}
        <p>
          <small>{T.about.licence}</small>
        </p>
      </div>
    </Frame>
  );
}

function Facts({ system, role }: { readonly system: SystemTold; readonly role: string }) {
  const devices = system.workers.map((worker) => [worker.facts.name, worker.device, T.about.states[worker.state] ?? worker.state].filter(Boolean).join(" · "));
  const facts = [
    [T.about.version, system.version],
    [T.about.device, devices.join("\n")],
    [T.about.memory, T.about.free(T.size(system.memory_free), T.size(system.memory_total))],
    [T.about.python, `${system.python} · ${system.os}`],
    [T.about.role, role],
  ];
  return (
    <dl>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface PluginProps {
  readonly plugin: PluginTold;
  readonly turn: ((name: string, isOn: boolean) => void) | undefined;
}

function Plugin({ plugin, turn }: PluginProps) {
  const { name, version, state, nodes, message, trace, notes } = plugin;
  return (
    <li className={isBroken(plugin) ? "failed" : ""}>
      <b>{[name, version].filter(Boolean).join(" ")}</b> <small>{state === "loaded" ? T.about.nodes(nodes.length) : T.about.plugin[state]}</small>
      {turn && (
        <button
          className="turn"
          aria-label={T.about.turnNamed(name, state === "disabled")}
          onClick={() => {
            turn(name, state === "disabled");
          }}
        >
          {T.about.turn(state === "disabled")}
        </button>
      )}
      {[message, ...notes].filter(Boolean).map((line) => (
        <p key={line}>{line}</p>
      ))}
      {trace && (
        <details>
          <summary>{T.run.trace}</summary>
          <pre>{trace}</pre>
        </details>
      )}
    </li>
  );
}
