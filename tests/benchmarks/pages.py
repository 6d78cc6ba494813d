"""Times the pages and one API call of a running server as many clients see them: p50, p95 and p99.

python tests/benchmarks/pages.py --url http://127.0.0.1:8000 --login zuzhang --password … --clients 16 --seconds 20
"""

import argparse
import re
import statistics
import threading
import time
from dataclasses import dataclass, field

import requests

PAGES = ("/team", "/team/inbox", "/team/projects", "/team/agents", "/team/runs", "/team/outbox")


@dataclass
class Tally:
    """The times of one address, in milliseconds, and what went wrong."""

    times_ms: list[float] = field(default_factory=list)
    failures: int = 0


def signed_in(url: str, login: str, password: str) -> requests.Session:
    """A browser's session."""
    session = requests.Session()
    page = session.get(f"{url}/login", timeout=30).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    names = re.findall(r'<input[^>]*name="([^"]+)"', page)
    name = next(n for n in names if n not in {"csrf_token", "password", "next"})
    sent = {"csrf_token": token.group(1) if token else "", name: login, "password": password}
    answer = session.post(f"{url}/login", data=sent, timeout=30)
    answer.raise_for_status()
    return session


def first_case(session: requests.Session, url: str) -> str:
    """A case to read."""
    items = session.get(f"{url}/api/v1/cases?limit=1", timeout=60).json()["items"]
    return f"/api/v1/cases/{items[0]['case_no']}"


def main() -> None:
    """Every client walks the addresses in turn until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--login", default="zuzhang")
    parser.add_argument("--password", required=True)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    session = signed_in(asked.url, asked.login, asked.password)
    paths = (*PAGES, first_case(session, asked.url))
    tallies = {path: Tally() for path in paths}
    ends = time.monotonic() + asked.seconds
    lock = threading.Lock()

    def client(number: int) -> None:
        own = requests.Session()
        own.cookies.update(session.cookies)
        turn = number
        while time.monotonic() < ends:
            path = paths[turn % len(paths)]
            turn += 1
            began = time.perf_counter()
            answer = own.get(asked.url + path, timeout=60)
            spent = (time.perf_counter() - began) * 1000
            with lock:
                tallies[path].times_ms.append(spent)
                tallies[path].failures += answer.status_code != 200

    threads = [threading.Thread(target=client, args=(n,)) for n in range(asked.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("| address | n | p50 ms | p95 ms | p99 ms | not 200 |")
    print("|---|---|---|---|---|---|")
    for path, tally in tallies.items():
        times = sorted(tally.times_ms)
        cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
        shown = path if "/api/" not in path else "/api/v1/cases/{case_no}"
        print(f"| `{shown}` | {len(times)} | {cuts[49]:.0f} | {cuts[94]:.0f} | {cuts[98]:.0f} | {tally.failures} |")
    total = sum(len(t.times_ms) for t in tallies.values())
    print(f"\n{asked.clients} clients, {total / asked.seconds:.1f} answers a second")


if __name__ == "__main__":
    main()
