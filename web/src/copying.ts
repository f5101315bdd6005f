import { tell } from "./editor";
import { T } from "./texts";

/** Copies a text and says so. */
export async function copyText(text: string): Promise<void> {
  await putText(text);
  tell(T.call.copied);
}

/** Puts a text into the clipboard; over plain HTTP from another machine browsers only allow the old way. */
export async function putText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const focused = document.activeElement;
    const field = document.createElement("textarea");
    field.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
