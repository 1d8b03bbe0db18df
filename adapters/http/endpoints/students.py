"""What is asked about one student."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from yibao.adapters.http.desk import Desk, is_theirs
from yibao.adapters.http.endpoints.documented import DOCUMENTED, Years, documented
from yibao.adapters.http.rights import What
from yibao.adapters.http.wire import BY_ITSELF, Problem, etag_of, language_of, wants_a_page
from yibao.adapters.service import Service, read_cutoff
from yibao.adapters.shapes import models
from yibao.adapters.views.dossier import Dossiers, dossier_json, dossier_of
from yibao.adapters.views.objects import as_json
from yibao.adapters.views.pages import dossier_page, timeline_svg
from yibao.adapters.views.words import Language, Words
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.record import Record

Ref = Annotated[str, Path(description="Her reference, an opaque key.")]
Year = Annotated[int, Path(ge=2000, le=2999, description="The benefit year.")]
At = Annotated[str | None, Query(description="The instant asked about; by default now.")]
KnownAt = Annotated[
    str | None, Query(description="By when it was known: an instant, or a version.")
]
#: What takes about as long as an answer; a history, or what moved an answer, asks for many.
_SOON: Final = frozenset({"answer", "facts", "moments", "possible", "quote"})

Lang = Annotated[Language | None, Query(description="Codes also in words.")]


def add(router: APIRouter, desk: Desk) -> None:
    """Adds them to a router."""

    async def told(
        request: Request,
        what: What,
        ref: str,
        year: int,
        question: Callable[[Service, Record], Any],
        lang: Language | None,
        explain: bool = False,
    ) -> Response:
        """What the library answers, as JSON, with the tag of what it stands on."""

        def asked(service: Service, record: Record) -> tuple[Any, Seen]:
            found = question(service, record)
            seen = getattr(found, "seen", None) or record.known_by(record.latest).seen
            return as_json(found, lang, explain, service.editions), seen

        soon = what in _SOON
        found, seen = await desk.look(request, what, EnrollmentId(ref, year), asked, soon=soon)
        return JSONResponse(found, headers={"ETag": etag_of(seen)})

    @router.get("/enrollments/{ref}", responses=documented(200, Years))
    async def years(request: Request, ref: Ref) -> Response:
        """The benefit years known of her, as far as they are for who asks."""
        who, granted = await desk.may(request, "answer")

        def asked(service: Service) -> list[int]:
            records = [service.read(EnrollmentId(ref, each)) for each in service.enrollments(ref)]
            return [each.enrollment.year for each in records if is_theirs(who, granted, each)]

        if not (found := await desk.run(asked)):
            raise Problem("not_found")
        await desk.note(request, who, "years", [EnrollmentId(ref, each) for each in found])
        return JSONResponse({"ref": ref, "years": found})

    @router.get("/enrollments/{ref}/{year}", responses=documented(200, models.Answer))
    async def answer(
        request: Request, ref: Ref, year: Year, at: At = None, known_at: KnownAt = None,
        explain: bool = False, lang: Lang = None,
    ) -> Response:  # fmt: skip
        """What holds of her at an instant, as known by an instant or a version."""
        cutoff = _cutoff(known_at)
        return await told(
            request, "answer", ref, year, lambda s, r: s.at(r, at, known_at=cutoff), lang, explain
        )

    @router.get("/enrollments/{ref}/{year}/facts", responses=documented(200, list[models.Event]))
    async def facts(
        request: Request, ref: Ref, year: Year, care: bool = False, lang: Lang = None
    ) -> Response:
        """Everything recorded of her enrollment in order, or else of her care."""
        return await told(
            request, "facts", ref, year,
            lambda s, r: s.care_facts(r) if care else s.facts(r), lang,
        )  # fmt: skip

    @router.get("/enrollments/{ref}/{year}/moments", responses=documented(200, list[str]))
    async def moments(request: Request, ref: Ref, year: Year) -> Response:
        """The instants at which what is known of her changed."""
        return await told(request, "moments", ref, year, lambda s, r: s.moments(r), None)

    @router.get("/enrollments/{ref}/{year}/compare", responses=documented(200, models.Comparison))
    async def compare(
        request: Request, ref: Ref, year: Year, then: str, now: str | None = None, at: At = None,
        lang: Lang = None,
    ) -> Response:  # fmt: skip
        """What changed in the answer between two cut-offs, and which facts changed it."""
        before, after = read_cutoff(then), _cutoff(now)
        return await told(
            request, "compare", ref, year, lambda s, r: s.compare(r, before, after, at=at), lang
        )

    @router.get(
        "/enrollments/{ref}/{year}/history/{part}", responses=documented(200, list[models.Held])
    )
    async def history(
        request: Request, ref: Ref, year: Year, part: str, at: At = None, lang: Lang = None
    ) -> Response:
        """Every answer that was ever given for a part of the answer."""
        return await told(
            request, "history", ref, year, lambda s, r: s.history(r, part, at=at), lang
        )

    @router.get(
        "/enrollments/{ref}/{year}/possible", responses=documented(200, list[models.Possible])
    )
    async def possible(
        request: Request, ref: Ref, year: Year, at: At = None, lang: Lang = None
    ) -> Response:
        """What could be done about her at an instant, and why not, guard by guard."""
        return await told(request, "possible", ref, year, lambda s, r: s.possible(r, at), lang)

    @router.get("/enrollments/{ref}/{year}/quote", responses=documented(200, models.Assessed))
    async def quote(
        request: Request, ref: Ref, year: Year, on: str, setting: str, cost: str,
        level: str | None = None, province: str | None = None, at: At = None,
        known_at: KnownAt = None, lang: Lang = None,
    ) -> Response:  # fmt: skip
        """What a piece of care would cost her; nothing is recorded."""
        cutoff = _cutoff(known_at)

        def asked(service: Service, record: Record) -> Any:
            return service.quote(
                record, on=on, setting=setting, cost=cost, level=level, province=province,
                at=at, known_at=cutoff,
            )  # fmt: skip

        return await told(request, "quote", ref, year, asked, lang)

    @router.get("/enrollments/{ref}/{year}/dossier", responses=_DOSSIER)
    async def dossier(
        request: Request, ref: Ref, year: Year, at: At = None, known_at: KnownAt = None
    ) -> Response:
        """Everything on record about her, as JSON or as a page, by `Accept`."""
        words, cutoff = Words(language_of(request)), _cutoff(known_at)
        as_page = wants_a_page(request)

        def asked(service: Service, record: Record) -> Response:
            when = service.at(record, at).at
            found = dossier_of(service, record, when, cutoff)
            if as_page:
                page = dossier_page(Dossiers((found,)), words)
                headers = {"Content-Security-Policy": BY_ITSELF}
                return Response(page, 200, headers, "text/html")
            return JSONResponse(dossier_json(found))

        return await desk.look(request, "dossier", EnrollmentId(ref, year), asked)

    @router.get("/enrollments/{ref}/{year}/timeline.svg", responses=_PICTURE)
    async def timeline(
        request: Request, ref: Ref, year: Year, at: At = None,
        known_at: Annotated[Sequence[str], Query(max_length=2)] = (),
        lang: Lang = None,
    ) -> Response:  # fmt: skip
        """Her lifecycle as a picture; as known by two instants, one beneath the other."""
        cutoffs = [_cutoff(each) for each in known_at] or [None]
        words = Words(lang or language_of(request))

        def asked(service: Service, record: Record) -> str:
            found = [service.at(record, at, known_at=each) for each in cutoffs]
            return timeline_svg(found, words.among(service.editions).of(found[0].policy))

        svg = await desk.look(request, "timeline", EnrollmentId(ref, year), asked)
        return Response(svg, 200, {"Content-Security-Policy": BY_ITSELF}, "image/svg+xml")


def _cutoff(given: str | None) -> Any:
    return None if given is None else read_cutoff(given)


_DOSSIER = DOCUMENTED | {
    200: {
        "description": "Everything on record about her.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/html": {"schema": {"type": "string"}},
        },
    }
}
_PICTURE = DOCUMENTED | {
    200: {
        "description": "The picture.",
        "content": {"image/svg+xml": {"schema": {"type": "string"}}},
    }
}
