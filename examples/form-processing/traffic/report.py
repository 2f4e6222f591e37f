"""The report: what arrived where, what was refused and why, what was retried, what is dead-lettered."""

from collections.abc import Iterable

from traffic.books import Balance, Books


def text(books: Books, result: Balance, wrongs: list[str], seconds: float) -> str:
    """The whole report."""
    parts = [
        "REQUESTS",
        _table(
            ("kind", "sent", "answers"),
            (
                (kind, sent, ", ".join(f"{outcome} × {count}" for outcome, count in books.outcomes[kind].most_common()))
                for kind, sent in books.sent.items()
            ),
        ),
        f"sent again because nobody answered: {books.repeated}",
        "",
        "SUBMISSIONS",
        _table(
            ("tenant", "accepted", "stored"),
            ((tenant, len(accepted), result.stored.get(tenant, 0)) for tenant, accepted in books.accepted.items()),
        ),
        "",
        "DELIVERIES",
        _table(
            ("destination", "accepted", "delivered", "repeats dropped", "attempts that failed", "dead-lettered"),
            (
                (
                    f"{row.receiver.tenant}/{row.receiver.name}",
                    row.accepted,
                    row.delivered,
                    row.receiver.repeats.total(),
                    ", ".join(f"{mood} × {count}" for mood, count in row.receiver.failed.items()) or "-",
                    ", ".join(f"{reason} × {count}" for reason, count in row.dead.items()) or "-",
                )
                for row in result.rows
            ),
        ),
        *(["", "OTHER DEAD LETTERS", *result.elsewhere] if result.elsewhere else []),
        "",
        *(f"DOES NOT ADD UP: {wrong}" for wrong in wrongs[:50]),
        f"{'The totals add up' if not wrongs else f'{len(wrongs)} things do not add up'}, after {seconds:.1f} s.",
    ]
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  " + "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)
