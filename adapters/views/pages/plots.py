"""Pictures of everybody, day by day: as SVG or PNG, and in words beside them."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from yibao.adapters.following.cohort import CohortDays
from yibao.adapters.store.files import NotWritten, written
from yibao.adapters.views.pages.everybody import picture_of, told_of
from yibao.adapters.views.words import LANGUAGES, Language, Words
from yibao.domain.refusals import BadValue

__all__ = ["FORMATS", "check_plots", "lettered", "plot", "told_of", "write"]

#: What a picture may be written as, by the ending of its file.
FORMATS: Final = (".svg", ".png")


def plot(
    days: CohortDays,
    to: str | os.PathLike[str] | None = None,
    *,
    then: CohortDays | None = None,
    lang: Language = "en",
    force: bool = False,
) -> str:
    """Draws what `service.cohort(…).days(…)` counts, and tells it in words.

    The picture goes into a new file that ends in `.svg` or `.png`, and the words into one that ends
    in `.txt` beside it; without `to` they are only told. Who is covered may be drawn beside who was
    as known `then`. Nothing is told by color alone. Where no font has what a PNG in Chinese needs,
    it is in English. With `force` files are replaced.

    Raises BadValue for another ending, another language, and a `then` that cannot stand beside it;
    NotWritten where the files cannot be written, or `yibao[analysis]` is not installed.
    """
    if lang not in LANGUAGES:
        raise BadValue("lang", f"there is none of that name; there are {', '.join(LANGUAGES)}")
    words = Words(lang)
    text = told_of(days, then, words)
    if to is not None:
        write([Path(to)], days, then, words, force=force)
    return text


def write(
    files: Sequence[Path],
    days: CohortDays,
    then: CohortDays | None,
    words: Words,
    *,
    force: bool = False,
) -> None:
    """Writes a picture into each of some files, and what it tells beside it; raises as `plot`."""
    for file in files:
        if file.suffix not in FORMATS:
            raise BadValue("to", "must end in .svg or .png")
    check_plots()
    from yibao.adapters.views.pages.drawing import png, svg

    text = told_of(days, then, words)
    with ExitStack() as closing:
        for beside in {file.with_suffix(".txt"): None for file in files}:
            new = closing.enter_context(written(beside, force=force))
            new.write_text(text, encoding="utf-8")
        for file in files:
            new = closing.enter_context(written(file, force=force))
            if file.suffix == ".svg":
                new.write_bytes(svg(picture_of(days, then, words), text))
            else:
                new.write_bytes(png(picture_of(days, then, lettered(words)), text))


def lettered(words: Words) -> Words:
    """The words in which a PNG can be written: English, where no font has the others.

    Raises NotWritten where what draws is not installed.
    """
    check_plots()
    from yibao.adapters.views.pages.drawing import fonts_for

    return words if fonts_for(words) else Words("en")


def check_plots() -> None:
    """Raises NotWritten where what draws is not installed."""
    if find_spec("matplotlib") is None:
        raise NotWritten("for pictures yibao needs matplotlib: pip install 'yibao[analysis]'")
