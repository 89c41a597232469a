"""Simulate the demo company."""

from __future__ import annotations

import gc
from datetime import date

from demo.company import render_hubspot, render_stripe, render_typeform, usage
from demo.company.clock import Clock
from demo.company.life import Life
from demo.company.owners import Roster
from demo.company.versions import Records, World

START = date(2024, 7, 1)


def simulate(seed: int = 7, customers: int = 420, start: date = START, days: int = 790) -> World:
    """The company from before ``start`` to the end of day ``days``.

    The same arguments give the same world; more days or more customers only add to it.
    """
    collecting = gc.isenabled()
    gc.disable()  # as in load: millions of objects that live as long as the world does
    try:
        clock, roster = Clock(start), Roster(seed)
        lives = [Life(seed, index, clock, roster) for index in range(customers)]
        for life in lives:
            life.run(days)
        records: Records = {}
        render_hubspot.render(records, lives, roster, clock, days)
        render_stripe.render(records, lives, clock, days)
        render_typeform.render(records, lives, clock, days)
        events = usage.simulate_usage(lives, clock, days)
    finally:
        if collecting:
            gc.enable()
    truth = {life.profile.company_id: life.truth for life in lives if life.facts.kinds}
    return World(seed, customers, start, days, records, events, truth)
