"""What a notice says, and where: cited values, each with its unit, and cited rules.

A citation is `stated` (the notice says it) or `assumed` (the notice is silent or contradicts
itself), and then it gives the reason.
"""

from datetime import time
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from yibao.domain.kept import kept
from yibao.domain.vocabulary import EditionId, GivenDay, Place

T = TypeVar("T")


class Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, ignored_types=(kept,)
    )


class Text(Model):
    """The same words in both languages."""

    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]


class Citation(Model):
    """Where something stands: the notice and its clause, and whether it is stated there."""

    clause: Annotated[str, Field(min_length=1)]
    basis: Literal["stated", "assumed"]
    reason: Text | None = None
    notice: EditionId

    @model_validator(mode="after")
    def _an_assumption_gives_its_reason(self) -> Self:
        if self.basis == "assumed" and self.reason is None:
            raise ValueError("an assumption needs a reason")
        return self


class Parameter(Citation, Generic[T]):
    """One cited value of an edition."""

    name: str
    value: T
    unit: str

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled as a parameter of anything: a class made for one type is found under no name.
        return partial(Parameter.model_construct, self.model_fields_set, **vars(self)), ()


def in_unit(unit: str) -> AfterValidator:
    """The parameter must be given in this unit, since the rules count in it."""

    def check(parameter: Parameter[Any]) -> Parameter[Any]:
        if parameter.unit != unit:
            raise ValueError(f"the unit must be {unit!r}")
        return parameter

    return AfterValidator(check)


Count = Annotated[int, Field(ge=0, le=10_000)]
DayParameter = Annotated[Parameter[GivenDay], in_unit("day")]
Flag = Annotated[Parameter[bool], in_unit("yes or no")]
Days = Annotated[Parameter[Count], in_unit("days")]
Minutes = Annotated[Parameter[Count], in_unit("minutes")]
Months = Annotated[Parameter[Count], in_unit("months")]
Hour = Annotated[Parameter[time], in_unit("time of day")]
Yuan = Annotated[Parameter[Decimal], in_unit("yuan")]
Phone = Annotated[Parameter[str], in_unit("phone number")]
Places = Annotated[Parameter[tuple[Place, ...]], in_unit("places")]
