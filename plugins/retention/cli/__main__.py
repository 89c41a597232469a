"""Run `python -m retention.cli` when the program `retention` is not on the path."""

from __future__ import annotations

from retention.cli import main

main()
