import { useRef, useState, type DragEvent } from "react";
import { trying } from "../actions";
import { assetIn, inputNameOf } from "../jobs/dragging";
import { Icon } from "../panels/Icon";
import { ChoiceWidget } from "./ChoiceWidget";
import { MASKABLE, paintMask } from "./mask/painting";
import { holdsPicture, uploaded } from "./pictures";
import type { WidgetOf } from "../document/widgets";
import type { WidgetProps } from "./props";
import { M, W } from "./texts";

/** A file of a folder; where files may come in, one to upload, to drop or to paste, and a mask to paint. */
export function FileWidget(props: WidgetProps<WidgetOf<"file" | "image">>) {
  const { widget, value, set, id, input } = props;
  const [busy, setBusy] = useState(0);
  const [isOver, setOver] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  if (!widget.accept) return <ChoiceWidget {...props} />;
  const take = (file: File | undefined): void => {
    if (!file) return;
    trying(async () => {
      setBusy((count) => count + 1);
      try {
        set(await uploaded(file, widget));
      } finally {
        setBusy((count) => count - 1);
      }
    });
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    const asset = assetIn(event.dataTransfer);
    if (asset) set(asset.kind === widget.folder ? asset.name : inputNameOf(asset));
    else take(event.dataTransfer.files[0]);
  };
  const label = widget.kind === "image" ? W.upload : W.uploadFile;
  return (
    <div
      className={`image-field nodrag${isOver ? " over" : ""}`}
      aria-busy={busy > 0}
      onDragOver={(event) => {
        if (!holdsPicture(event.dataTransfer)) return;
        event.preventDefault();
        event.stopPropagation();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={onDrop}
      onPaste={(event) => {
        const [file] = event.clipboardData.files;
        if (!file) return;
        event.preventDefault();
        event.stopPropagation();
        take(file);
      }}
    >
      <ChoiceWidget {...props} />
      {widget.folder === MASKABLE && widget.kind === "image" && (
        <button type="button" className="icon-button" aria-label={M.open} title={M.open} disabled={!value} onClick={() => paintMask(id, input.name)}>
          <Icon name="brush" />
        </button>
      )}
      <button type="button" className="icon-button" aria-label={label} title={label} onClick={() => field.current?.click()}>
        {busy ? <span className="spinner" role="status" aria-label={W.uploading} /> : <Icon name="upload" />}
      </button>
      <input
        ref={field}
        hidden
        type="file"
        accept={widget.accept}
        aria-hidden
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          take(file);
        }}
      />
    </div>
  );
}
