"""`python -m traffic --stack NAME`: play a day against a deployed stack and report; fail if it does not add up."""

import argparse
import logging
import sys
import time

from traffic import report
from traffic.books import balance, final_wrongs
from traffic.client import Client
from traffic.day import Day
from traffic.receivers import Mood, Receivers
from traffic.stack import Stack


def main() -> int:
    """0 if the totals add up, 1 if they do not."""
    parser = argparse.ArgumentParser(prog="traffic", description=__doc__)
    parser.add_argument("--stack", default="form-processing", help="the stack's name")
    parser.add_argument("--api", help="the API's URL, if it is not the stack's ApiUrl or at AWS_ENDPOINT_URL")
    parser.add_argument("--receivers", help="the public URL that leads to --port here; needed against AWS itself")
    parser.add_argument("--port", type=int, default=0, help="where the receivers listen (any free port)")
    parser.add_argument("--submissions", type=int, default=30, help="good submissions of each of the three tenants")
    parser.add_argument("--length", type=float, default=20.0, help="seconds the day should last at least")
    parser.add_argument(
        "--patience", type=float, default=120.0, help="seconds to wait for everything to come to its end"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides what the forms say")
    options = parser.parse_args()
    logging.getLogger("httpx").setLevel(logging.WARNING)

    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    stack = Stack(options.stack)
    day = Day(stack, Client(options.api or stack.api), options.submissions, options.seed, say)
    receivers = Receivers(day.receivers, options.port)
    day.open(options.receivers or receivers.url)
    say(f"tenants {', '.join(signer.tenant for signer in day.signers.values())} are open for business")
    day.play(options.length / options.submissions)
    say("night: waiting for what is still on its way")
    until = time.monotonic() + options.patience
    while not (result := balance(day.books, stack, day.receivers)).settled and time.monotonic() < until:
        time.sleep(1)
    wrongs = final_wrongs(day.books, result, expected_dead={Mood.BROKEN, Mood.REFUSING})
    stack.forget(
        [signer.tenant for signer in day.signers.values()],
        [(receiver.tenant, receiver.name) for receiver in day.receivers],
    )
    receivers.close()
    print(f"one request to follow: {day.books.followed}")
    print("\n" + report.text(day.books, result, wrongs, time.monotonic() - began))
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
