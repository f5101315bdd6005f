import { useEffect, useState, type ComponentType } from "react";
import { tell } from "../editor";
import { useFiles } from "../files";
import { T } from "../texts";

/** The place of the form, which is loaded when it is first wanted. */
export function Form() {
  const isForm = useFiles((state) => state.isForm);
  const [page, setPage] = useState<{ readonly Shown: ComponentType } | null>(null);
  useEffect(() => {
    if (!isForm || page) return;
    import("./FormPage").then(
      ({ FormPage }) => {
        setPage({ Shown: FormPage });
      },
      () => {
        useFiles.setState({ isForm: false });
        tell(T.told.noServer);
      },
    );
  }, [isForm, page]);
  return isForm && page ? <page.Shown /> : null;
}
