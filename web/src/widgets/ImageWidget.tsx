import { useRef } from "react";
import { readFiles, trying } from "../actions";
import { upload } from "../api/client";
import type { Widget } from "../document/schema";
import { assetIn, inputNameOf } from "../jobs/dragging";
import { Icon } from "../panels/Icon";
import { T } from "../texts";
import { ChoiceWidget } from "./ChoiceWidget";
import type { WidgetProps } from "./Widget";

/** A picture of the input folder, or one to upload. The card shows it below. */
export function ImageWidget({ name, widget, value, set }: WidgetProps<Extract<Widget, { kind: "file" | "image" }>>) {
  const file = useRef<HTMLInputElement>(null);
  const take = (chosen: File | undefined): void => {
    if (!chosen) return;
    trying(async () => {
      const uploaded = await upload(chosen);
      await readFiles(widget.folder);
      set(uploaded);
    });
  };
  return (
    <div
      className="image-field nodrag"
      onDragOver={(event) => {
        event.preventDefault();
      }}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        const asset = assetIn(event.dataTransfer);
        if (asset) set(inputNameOf(asset));
        else take(event.dataTransfer.files[0]);
      }}
    >
      <ChoiceWidget name={name} widget={widget} value={value} set={set} />
      <button type="button" className="icon-button" aria-label={T.widget.upload} title={T.widget.upload} onClick={() => file.current?.click()}>
        <Icon name="upload" />
      </button>
      <input
        ref={file}
        hidden
        type="file"
        accept="image/*"
        aria-hidden
        onChange={(event) => {
          take(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
    </div>
  );
}
