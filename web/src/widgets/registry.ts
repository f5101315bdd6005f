/** Every kind of widget and what draws it: one more is one file and one row. */

import type { ComponentType } from "react";
import type { Widget, WidgetOf } from "../document/widgets";
import { ChoiceWidget } from "./ChoiceWidget";
import { ChoicesWidget } from "./ChoicesWidget";
import { ColourWidget } from "./ColourWidget";
import { FileWidget } from "./FileWidget";
import { JsonWidget } from "./JsonWidget";
import { NumberWidget } from "./NumberWidget";
import { PluginWidget } from "./PluginWidget";
import { PromptWidget } from "./PromptWidget";
import type { WidgetProps } from "./props";
import { SeedWidget } from "./SeedWidget";
import { TextWidget } from "./TextWidget";
import { ToggleWidget } from "./ToggleWidget";

type Rows = { readonly [Kind in Widget["kind"]]: ComponentType<WidgetProps<WidgetOf<Kind>>> };

const WIDGETS: Rows = {
  number: NumberWidget,
  seed: SeedWidget,
  choice: ChoiceWidget,
  choices: ChoicesWidget,
  file: FileWidget,
  image: FileWidget,
  text: TextWidget,
  prompt: PromptWidget,
  toggle: ToggleWidget,
  colour: ColourWidget,
  custom: PluginWidget,
  unknown: JsonWidget,
};

/** What draws a widget; the value of an unknown one is shown as JSON. */
export function drawnBy(kind: Widget["kind"]): ComponentType<WidgetProps> {
  return (Object.hasOwn(WIDGETS, kind) ? WIDGETS[kind] : JsonWidget) as ComponentType<WidgetProps>;
}
