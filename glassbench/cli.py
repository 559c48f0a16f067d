"""The command line: thin over the Python interface."""

from __future__ import annotations

import argparse
import sys

from glassbench.errors import GlassbenchError


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="glassbench")
    sub = parser.add_subparsers(dest="command", required=True)
    r = sub.add_parser("run")
    r.add_argument("spec")
    r.add_argument("--scale", default="laptop")
    r.add_argument("--store")
    r.add_argument("--until")
    r.add_argument("--workers", type=int)
    args = parser.parse_args()
    from glassbench.api import run
    from glassbench.engine.progress import reporting
    from glassbench.engine.provenance import command_line
    from rich.console import Console
    try:
        with reporting(Console()) as reporter:
            done = run(args.spec, args.scale, store=args.store, until=args.until, workers=args.workers, command=command_line(), reporter=reporter)
        for f in done.failures:
            print(f.message, f.traceback)
    except GlassbenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
