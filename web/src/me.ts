/** Who looks at this page and what they may do. Until the server says, everything. */

import { create } from "zustand";
import { API, json } from "./api/client";
import { T } from "./texts";

export type Role = "viewer" | "runner" | "editor" | "admin";

interface Me {
  readonly role: Role;
  readonly may: readonly Role[];
  readonly user: string;
  readonly multi_user: boolean;
  readonly token: boolean;
}

export const useMe = create<Me>(() => ({ role: "admin", may: ["viewer", "runner", "editor", "admin"], user: "", multi_user: false, token: false }));

/** Whether what needs a role is allowed. */
export const may =
  (role: Role) =>
  (me: Me): boolean =>
    me.may.includes(role);

/** Why something that needs a role is switched off; "" where it is allowed. */
export const lacking =
  (role: Role | undefined) =>
  (me: Me): string =>
    role === undefined || may(role)(me) ? "" : T.me.needs(role);

export async function readMe(): Promise<void> {
  useMe.setState(await json<Me>(`${API}/me`));
}
