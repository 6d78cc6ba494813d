"""The command line of the pure parts: ``python -m dispatch match FILE`` prints an answer with its proof."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from agents.matching.batch import match
from agents.matching.certificate import check
from agents.matching.flow import NoFlow
from agents.matching.gap import Gap
from agents.matching.gap_search import compile_search, solve_gap
from agents.matching.gap_text import read_gap
from agents.matching.model import Id, MatchingError
from agents.matching.plain import PlainAnswer, match_plain
from agents.matching.problem_json import ModelProblem, ScaledProblem, read_json

GAP_LIMIT_S = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 with an answer, 1 when there is none or none was found, 2 when the input is wrong."""
    parser = argparse.ArgumentParser(prog="python -m dispatch", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser("match", help="match a file")
    command.add_argument("file", type=Path)
    command.add_argument("--format", choices=("json", "gap"), default="json")
    command.add_argument("--limit", type=_positive, metavar="S", help="seconds, for each problem of the file")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the answer there, print only its summary")
    options = parser.parse_args(arguments)
    try:
        text = options.file.read_text(encoding="utf-8-sig")
        with _quiet_solvers():
            answer = _gaps(read_gap(text), options.limit) if options.format == "gap" else _matching(text, options.limit)
    except MatchingError as error:
        report = {"error": error.code, "message": str(error), "facts": error.facts}
        print(json.dumps(report, default=str, ensure_ascii=False), file=sys.stderr)
        return 2
    except NoFlow as error:
        report = {"error": "too_large", "message": f"the costs leave the solver's range: {error}"}
        print(json.dumps(report), file=sys.stderr)
        return 2
    except (OSError, UnicodeDecodeError) as error:
        print(json.dumps({"error": "unreadable", "message": str(error)}, ensure_ascii=False), file=sys.stderr)
        return 2
    if options.out is None:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        try:
            options.out.write_text(json.dumps(answer, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            print(json.dumps(answer, ensure_ascii=False))  # what was found is not lost
            print(json.dumps({"error": "unwritable", "message": str(error)}, ensure_ascii=False), file=sys.stderr)
            return 2
        print(json.dumps({k: v for k, v in answer.items() if not isinstance(v, list | dict)}, ensure_ascii=False))
    return 0 if answer["feasible"] else 1


def _positive(word: str) -> float:
    value = float(word)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{word} is not a positive number of seconds")
    return value


@contextmanager
def _quiet_solvers() -> Iterator[None]:
    """HiGHS sometimes writes to standard output by itself: that goes to standard error, the answer stays alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _matching(text: str, limit_s: float | None) -> dict[str, Any]:
    began = perf_counter()
    problem = read_json(text)
    answer = _plain(problem) if isinstance(problem, ScaledProblem) else _model(problem, limit_s)
    return {"feasible": True, **answer, "seconds": round(perf_counter() - began, 3)}


def _plain(scaled: ScaledProblem) -> dict[str, Any]:
    found, scale = match_plain(scaled.problem), scaled.scale
    if unplaced := [c for c, agent in found.agent.items() if agent is None and c in scaled.must_be_placed]:
        return _infeasible(scaled, found, unplaced)

    def unit(value: int) -> float:
        return value if scale == 1 else value / scale

    paid = {(case, agent): cost for case, agent, cost in scaled.problem.candidates}
    return {
        "objective": unit(found.objective),
        "bound": unit(found.bound),
        "proven": found.proven,
        "waiting": sum(1 for agent in found.agent.values() if agent is None),
        "assignment": [
            {"case": c, "agent": a, "cost": unit(scaled.problem.waiting[c] if a is None else paid[c, a])}
            for c, a in found.agent.items()
        ],
        "certificate": {
            "agents": [{"agent": a, "price": unit(p)} for a, p in found.shadow_prices.items()],
            "cases": [{"case": c, "value": unit(v)} for c, v in found.values.items()],
        },
    }


def _infeasible(scaled: ScaledProblem, found: PlainAnswer, unplaced: Sequence[Id]) -> dict[str, Any]:
    """No matching places every case that may not wait: which of them stay over in one that places the most, and why."""
    with_candidate = {case for case, _, _ in scaled.problem.candidates}
    reasons = {case: "no_slot" if case in with_candidate else "no_candidate" for case in unplaced}
    return {
        "feasible": False,
        "objective": None,
        "bound": None,
        "proven": found.proven,
        "infeasible": [{"case": case, "reason": reason} for case, reason in reasons.items()],
        "assignment": [{"case": case, "agent": agent} for case, agent in found.agent.items()],
    }


def _model(problem: ModelProblem, limit_s: float | None) -> dict[str, Any]:
    found = match(problem.needs, problem.agents, problem.network, problem.weights, limit_s=limit_s)
    proof = found.certificate
    wrong = check(problem.needs, problem.agents, problem.network, problem.weights, found)
    return {
        "objective": found.objective,
        "bound": proof.bound,
        "proven": proof.proven,
        "waiting": len(found.waiting),
        "assignment": [
            {
                "need": choice.need,
                "agent": choice.agent,
                "cost": choice.cost,
                "terms": {name: value for name, value in choice.terms._asdict().items() if value},
                "runners_up": [rival._asdict() for rival in choice.runners_up],
            }
            for choice in found.choices.values()
        ],
        "certificate": {
            "universe": proof.pairs,
            "agents": [{"agent": a, "price": p} for a, p in proof.shadow_prices.items()],
        },
        "scarcity": [{"agent": a, "worth": p} for a, p in found.scarcity.items()],
        "broken": wrong,
    }


def _gaps(problems: Sequence[Gap], limit_s: float | None) -> dict[str, Any]:
    compile_search()
    began = perf_counter()
    answers: list[dict[str, Any]] = []
    for number, problem in enumerate(problems, start=1):
        start = perf_counter()
        found = solve_gap(problem, limit_s=GAP_LIMIT_S if limit_s is None else limit_s)
        answers.append(
            {
                "problem": number,
                "agents": problem.cost.shape[0],
                "jobs": problem.cost.shape[1],
                "cost": found.cost,
                "bound": found.bound,
                "gap": None if found.gap is None else round(found.gap, 6),
                "proven": found.proven,
                "seconds": round(perf_counter() - start, 3),
                "assignment": None if found.agent is None else [int(a) + 1 for a in found.agent],
            }
        )
    feasible = all(a["cost"] is not None for a in answers)
    cost = sum(a["cost"] for a in answers) if feasible else None
    bound = sum(a["bound"] for a in answers)
    return {
        "cost": cost,
        "bound": bound,
        "gap": None if cost is None else round((cost - bound) / max(1, abs(bound)), 6),
        "proven": all(a["proven"] for a in answers),
        "feasible": feasible,
        "seconds": round(perf_counter() - began, 3),
        "problems": answers,
    }


if __name__ == "__main__":
    sys.exit(main())
