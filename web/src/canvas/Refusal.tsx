import { useConnection } from "@xyflow/react";
import { refusal } from "./connect";
import { endsOf } from "./linking";

/** Why the socket under the pointer refuses the link that is being drawn. */
export function Refusal() {
  const reason = useConnection((state) =>
    state.inProgress && state.toHandle && state.isValid === false ? refusal(endsOf(state.fromHandle, state.toHandle)) : "",
  );
  const [x, y] = [useConnection((state) => state.pointer?.x ?? 0), useConnection((state) => state.pointer?.y ?? 0)];
  if (!reason) return null;
  return (
    <div className="refusal" role="status" style={{ left: x + 16, top: y + 16 }}>
      {reason}
    </div>
  );
}
