"""`python -m retention.cli`, where the program `retention` is not on the path."""

from __future__ import annotations

from retention.cli import main

main()
