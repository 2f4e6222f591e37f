"""Scenarios: a workload, and what must hold of it whatever fails."""

from __future__ import annotations

from collections.abc import Callable

from stratolite.testing.cloud import TestCloud

from . import asynchronous, buses, forms, moves, queues, schedules, stacks, streams, vaults

Scenario = Callable[[TestCloud], None]

ALL: dict[str, Scenario] = {
    "queue-to-table": queues.to_table,
    "fifo-to-table": queues.fifo_to_table,
    "bus-to-queue": buses.to_queue,
    "asynchronous": asynchronous.with_destinations,
    "stream-to-queue": streams.to_queue,
    "schedule": schedules.a_day,
    "scheduler": schedules.planned,
    "dead-letters-moved": moves.back_again,
    "secrets-and-parameters": vaults.changing,
    "stack": stacks.a_life,
    "form-processing": forms.a_day,
}
