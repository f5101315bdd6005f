import { tell } from "./editor";
import { T } from "./texts";

/** Copies a text; over plain HTTP from another machine browsers only allow the old way. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  tell(T.call.copied);
}
