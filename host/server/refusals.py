"""Requests that cannot be met, told as problems with a status of their own."""

from collections.abc import Generator
from contextlib import contextmanager


class Refused(Exception):
    """A request that is refused: `status` and a problem's code, message and fix."""

    def __init__(self, status: int, code: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fix = status, code, message, fix


def missing(what: str, name: str, fix: str = "") -> Refused:
    """A 404: `missing("workflow", "fox")`."""
    return Refused(404, f"no_{what}", f"There is no {what} {name[:200]}.", fix)


@contextmanager
def writing(what: str) -> Generator[None]:
    """Failures of the disk within become refusals: 409 where a file and a folder clash, else 507."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        fix = "Choose another name."
        raise Refused(
            409, "name_taken", f"{what[:200]}: a file and a folder cannot share a name.", fix
        ) from None
    except OSError as error:
        message = f"{what[:200]} cannot be written: {error.strerror or error}."
        raise Refused(507, "not_stored", message, "Free space, or check who may write there.") from None
