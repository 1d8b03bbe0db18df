"""Notes where no administrator of the database rules: in a folder, or by a command."""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from yibao.adapters.following.evidence.logs import LogName
from yibao.adapters.store import StoreError


def publish(note: str, size: int, log: LogName, places: Sequence[str]) -> list[StoreError]:
    """Publishes a note at every place; why it was not at some, one after the other.

    A place is a folder, in which the note stands as `LOG/SIZE.note` and the newest as
    `LOG/checkpoint`: one that is there, or is made where its name ends with a slash or is a path
    to nothing yet. Else it is a command, which gets the note on standard input.
    """
    failed: list[StoreError] = []
    for place in places:
        try:
            if _is_folder(place):
                _into_folder(note, size, Path(place, log))
            else:
                _by_command(note, place)
        except StoreError as error:
            failed.append(error)
    return failed


def lacks(place: str, size: int, log: LogName) -> bool:
    """Whether a place is a folder in which the note of so many entries does not stand."""
    return _is_folder(place) and not Path(place, log, f"{size}.note").is_file()


def _is_folder(place: str) -> bool:
    if place.endswith(os.sep) or os.path.isdir(place):
        return True
    return os.sep in place and not re.search(r"\s", place) and not os.path.exists(place)


def _into_folder(note: str, size: int, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (f"{size}.note", "checkpoint"):
            _put(note, folder / name)
    except OSError as error:
        raise StoreError(
            f"the note was not published in {str(folder)!r}: {error.strerror or error}"
        ) from error


def _put(note: str, to: Path) -> None:
    """Whoever reads it meanwhile reads the one before, or all of this one."""
    with NamedTemporaryFile("w", dir=to.parent, encoding="utf-8", delete=False) as new:
        try:
            new.write(note)
            new.flush()
            os.fsync(new.fileno())
            os.chmod(new.name, 0o644)  # it is for everybody
            os.replace(new.name, to)
        except BaseException:
            with suppress(OSError):
                os.unlink(new.name)
            raise


def _by_command(note: str, command: str) -> None:
    try:
        subprocess.run(shlex.split(command), input=note.encode(), check=True)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        told = type(error).__name__
        if isinstance(error, subprocess.CalledProcessError):
            told = f"exit {error.returncode}"
        raise StoreError(f"the command that publishes has failed: {told}") from None
