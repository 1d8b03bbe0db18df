"""The templates, of one language each."""

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from yibao.adapters.views.words import Language, Words

#: In the package itself: a template lies beside the module that fills it in.
TEMPLATES: Final = ""


@cache
def environment(language: Language) -> Environment:
    """The templates of one language, with its `words`; whatever is filled in is escaped.

    A name that a template uses and nobody gave is an error, not silence.
    """
    templates = Environment(
        loader=PackageLoader("yibao.adapters.views.pages", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["words"] = Words(language)
    return templates
