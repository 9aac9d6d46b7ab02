"""python -m tests.e2e.exactness --log embedded|kafka --events 1000000 --kills 20."""

from __future__ import annotations

import argparse
import sys

from tests.e2e.exactness.proof import Size, prove
from tests.support.kafka_broker import NamedBroker, find_broker, unavailable_reason, work_place


def main() -> int:
    """Run the proof and print its table; 0 when it is exact and no process was too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.exactness", description=__doc__)
    parser.add_argument("--log", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20, help="of each: projector, PostgreSQL, broker")
    parser.add_argument("--parcel", type=int, default=4_000, help="events in one request")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    broker = find_broker() if given.log == "kafka" else None
    if given.log == "kafka" and (broker is None or isinstance(broker, NamedBroker)):
        parser.error(f"a broker that may be killed is needed: {unavailable_reason()}")
    with work_place("exactness", broker) as folder:
        proof = prove(folder, Size(given.events, given.kills, given.parcel), broker, given.seed)
    print(proof.report())
    print(f"too large: {', '.join(proof.too_large) or 'no process'}")
    return 0 if proof.exact and not proof.too_large else 1


if __name__ == "__main__":
    sys.exit(main())
