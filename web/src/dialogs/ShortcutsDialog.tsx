import { ShortcutList } from "../panels/ShortcutList";
import { T } from "../texts";
import { Frame } from "./Frame";

export default function ShortcutsDialog() {
  return (
    <Frame title={T.dialog.shortcuts} wide>
      <ShortcutList />
    </Frame>
  );
}
