"""What the README claims: each claim with its figure, its limit and its command, out of what the commands last wrote.

`python -m bench claims` reads the reports under `build/`, fails where one is missing or a claim does not hold, keeps
the figures in `bench/claims.json`, and writes the README's table. `--check` compares the README with the kept figures.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, shown

MADE_BY: Mapping[str, str] = {"bench": "make bench", "incident": "make incident", "chaos": "make chaos"}
BEGIN, END = "<!-- claims: written by `make claims` -->", "<!-- end of the claims -->"
HEADER = ("claim", "figure", "limit", "beside it", "command")
NOT_YET = "No figures are kept yet: `make bench`, `make incident`, `make chaos`, then `make claims`."

Reports = Mapping[str, Any]
Kept = Mapping[str, Any]


@dataclass(frozen=True)
class Places:
    """Where the claims are declared, where their figures are kept and shown, and where the reports lie by source."""

    declared: Path = Path(__file__).parent / "claims.toml"
    kept: Path = Path(__file__).parent / "claims.json"
    readme: Path = Path("README.md")
    build: Path = Path("build")

    def report(self, source: str) -> Path:
        return self.build / f"{source}.json"


PLACES = Places()


class ClaimError(Exception):
    """A claim can't be made; the message is a sentence that names it and the way out."""


@dataclass(frozen=True)
class Claim:
    """``take`` finds its figure in the report of ``source``, and ``beside`` what it is compared with.

    In a benchmark's report that is ``[benchmark, of, name]``. Elsewhere it is a list of paths such as
    ``seconds.failover_total``, which are added up; a path to a list counts its entries that are as ``where`` says.
    """

    sentence: str
    source: str
    take: tuple[str, ...]
    command: str
    unit: str = ""
    most: float | None = None
    least: float | None = None
    beside: tuple[str, ...] = ()
    where: Mapping[str, Any] | None = None

    def figure(self, value: float | None) -> Figure:
        return Figure(self.sentence, value, self.unit, most=self.most, least=self.least)


@dataclass(frozen=True)
class Stated:
    """A claim's figure, and that of its peer."""

    value: float
    beside: float | None = None


def declared(file: Path) -> list[Claim]:
    """The claims in their order. Raises ClaimError where the file is unsound."""
    claims = [_claim(each) for each in tomllib.loads(file.read_text(encoding="utf-8"))["claim"]]
    for claim in claims:
        if claim.source not in MADE_BY:
            raise ClaimError(f"{claim.sentence!r} has the source {claim.source!r}; there are {', '.join(MADE_BY)}.")
        if claim.most is None and claim.least is None:
            raise ClaimError(f"{claim.sentence!r} has no limit: give it most or least.")
    return claims


def _claim(table: dict[str, Any]) -> Claim:
    return Claim(**table | {key: tuple(table[key]) for key in ("take", "beside") if key in table})


def reports(claims: Sequence[Claim], places: Places) -> Reports:
    """The reports that the claims need. Raises ClaimError for those that are missing, with what makes them."""
    files = {name: places.report(name) for name in MADE_BY if any(claim.source == name for claim in claims)}
    missing = [f"There is no {file}: `{MADE_BY[name]}` writes it." for name, file in files.items() if not file.exists()]
    if missing:
        raise ClaimError(" ".join(missing))
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}


def stated(claim: Claim, report: Any) -> Stated:
    """Raises ClaimError where the report has no such figure."""
    value = _taken(claim, claim.take, report)
    return Stated(value, _taken(claim, claim.beside, report) if claim.beside else None)


def broken(claims: Sequence[Claim], found: Mapping[str, Stated]) -> Iterator[str]:
    """A sentence for each claim that does not hold."""
    for claim in claims:
        figure = claim.figure(found[claim.sentence].value)
        if not figure.holds:
            unit = f" {claim.unit}" if claim.unit else ""
            yield f"{claim.sentence!r} does not hold: {shown(figure.value)}{unit}, and it claims {figure.limit}{unit}."


def table(claims: Sequence[Claim], kept: Kept) -> str:
    """The README's section: a row for each claim that has a kept figure, and on what they were measured."""
    figures = of_kept(kept)
    rows = [_row(claim, figures[claim.sentence]) for claim in claims if claim.sentence in figures]
    if not rows:
        return NOT_YET
    head = [_cells(HEADER), _cells(["---"] * len(HEADER))]
    return "\n".join([*head, *(_cells(row) for row in rows), "", _measured(kept["measured"])])


def to_keep(claims: Sequence[Claim], found: Mapping[str, Stated], read: Reports) -> Kept:
    """The figures that the README states, and where they come from."""
    return {
        "measured": {name: {key: report.get(key) for key in ("at", "machine")} for name, report in read.items()},
        "figures": {
            claim.sentence: {"value": found[claim.sentence].value, "beside": found[claim.sentence].beside}
            for claim in claims
        },
    }


def of_kept(kept: Kept) -> dict[str, Stated]:
    """By the claims' sentences."""
    return {sentence: Stated(**each) for sentence, each in kept.get("figures", {}).items()}


def load(file: Path) -> Kept:
    """What was kept; nothing before the claims were first made."""
    kept: Kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return kept


def written(text: str, section: str) -> str:
    """The README's text with this section between its marks. Raises ClaimError where it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ClaimError(f"README.md has no place for the claims: it needs the lines {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def check(places: Places) -> Iterator[str]:
    """What is wrong with the kept figures and the README, as sentences. Needs no report."""
    claims, kept, readme = declared(places.declared), load(places.kept), places.readme.read_text(encoding="utf-8")
    figures = of_kept(kept)
    for claim in claims:
        if claim.sentence not in figures:
            yield f"{claim.sentence!r} has no kept figure: run `{claim.command}`, then `make claims`."
    yield from broken([claim for claim in claims if claim.sentence in figures], figures)
    if readme != written(readme, table(claims, kept)):
        yield "README.md does not show the kept figures: run `make claims`."


def write(places: Places) -> list[str]:
    """What stands in the way of the claims, as sentences; where nothing does, figures and README are written."""
    claims = declared(places.declared)
    read = reports(claims, places)
    found: dict[str, Stated] = {}
    problems = []
    for claim in claims:
        try:
            found[claim.sentence] = stated(claim, read[claim.source])
        except ClaimError as problem:
            problems.append(str(problem))
    problems += broken([claim for claim in claims if claim.sentence in found], found)
    if not problems:
        kept = to_keep(claims, found, read)
        readme = written(places.readme.read_text(encoding="utf-8"), table(claims, kept))
        places.kept.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        places.readme.write_text(readme, encoding="utf-8")
    return problems


def _taken(claim: Claim, take: Sequence[str], report: Any) -> float:
    if claim.source == "bench":
        return _measured_figure(claim, take, report)
    return sum(_at(claim, path, report) for path in take)


def _measured_figure(claim: Claim, take: Sequence[str], report: Any) -> float:
    benchmark, of, name = take
    for each in report["results"].get(benchmark, ()):
        if (each["of"], each["name"]) == (of, name) and each["value"] is not None:
            return float(each["value"])
    which = ": ".join(filter(None, take))
    raise ClaimError(f"{claim.sentence!r} has no figure: bench.json has no {which!r}; run `{claim.command}`.")


def _at(claim: Claim, path: str, report: Any) -> float:
    found = report
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    if isinstance(found, list):
        where = claim.where or {}
        return sum(all(entry.get(key) == value for key, value in where.items()) for entry in found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ClaimError(
            f"{claim.sentence!r} has no figure: {claim.source}.json has no number {path!r}; run `{claim.command}`."
        )
    return float(found)


def _row(claim: Claim, found: Stated) -> list[str]:
    unit = f" {claim.unit}" if claim.unit else ""
    beside = "" if found.beside is None else f"{_of(claim.beside)}: {shown(found.beside)}{unit}"
    limit = f"{claim.figure(None).limit}{unit}"
    return [claim.sentence, f"{shown(found.value)}{unit}", limit, beside, f"`{claim.command}`"]


def _of(take: Sequence[str]) -> str:
    """What the figure beside a claim is one of: a benchmark's column, else its own name."""
    return take[1] if len(take) > 1 and take[1] else take[-1]


def _measured(sources: Mapping[str, Any]) -> str:
    places = [f"{MADE_BY[name]} on {str(each['at'])[:10]}" for name, each in sources.items() if each.get("at")]
    machine: dict[str, Any] = next((each["machine"] for each in sources.values() if each.get("machine")), {})
    on = f" with {machine['cores']} cores ({machine['processor']}), Python {machine['python']}" if machine else ""
    return f"Measured by {', '.join(places) or 'the commands'}{on}."


def _cells(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"
