"""Writes tests/vectors/attribution.json: random journeys, and what each attribution model makes of them.

The answers are exact fractions, computed from the definitions: Shapley over all sets of channels, Markov by solving the
chain again without each channel. Independent packages must agree before a vector is written.

    python3 -m venv v && v/bin/pip install do-attribution==0.0.2 channelattribution==2.2.5 matplotlib
    v/bin/python tests/vectors/attribution.py
"""

import contextlib
import io
import json
import random
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import combinations
from math import factorial
from pathlib import Path

import pandas

with contextlib.redirect_stdout(io.StringIO()):
    import ChannelAttribution
from do_attribution import MarkovAttribution

getcontext().prec = 60
MODELS = ["last", "first", "linear", "position:40:40", "position:30:20", "timeDecay:86400", "markov", "shapley"]


def credit_of(model, journey):
    """The weight of each touch of a journey, as fractions that add up to 1."""
    touches = journey["touches"]
    last = len(touches) - 1
    if model == "last":
        weights = [int(index == last) for index in range(len(touches))]
    elif model == "first":
        weights = [int(index == 0) for index in range(len(touches))]
    elif model == "linear":
        weights = [1] * len(touches)
    elif model.startswith("position"):
        first, end = (int(part) for part in model.split(":")[1:])
        between = 100 - first - end
        if last == 0:
            weights = [1]
        elif last == 1:
            weights = [first + Fraction(between, 2), end + Fraction(between, 2)]
        else:
            weights = [first] + [Fraction(between, last - 1)] * (last - 1) + [end]
    else:
        half_life = Decimal(model.split(":")[1])
        weights = [Fraction(Decimal(2) ** (-Decimal(age) / half_life)) for _, age in touches]
    return [Fraction(weight) / sum(weights) for weight in weights]


def by_touches(model, journeys, channels):
    conversions = dict.fromkeys(channels, Fraction(0))
    payouts = dict.fromkeys(channels, Fraction(0))
    for journey in journeys:
        if journey["converted"]:
            for (channel, _), part in zip(journey["touches"], credit_of(model, journey)):
                conversions[channel] += part
                payouts[channel] += part * Fraction(journey["payout"])
    return conversions, payouts


def shapley(journeys, channels):
    """The definition: the mean of what a channel adds to every set of other channels."""
    answers = []
    for value in (lambda _: Fraction(1), lambda journey: Fraction(journey["payout"])):
        def worth(members):
            inside = (j for j in journeys if j["converted"] and {c for c, _ in j["touches"]} <= members)
            return sum((value(journey) for journey in inside), Fraction(0))

        answer = {}
        for channel in channels:
            others = [other for other in channels if other != channel]
            answer[channel] = Fraction(0)
            for size in range(len(others) + 1):
                weight = Fraction(factorial(size) * factorial(len(channels) - size - 1), factorial(len(channels)))
                for members in combinations(others, size):
                    answer[channel] += weight * (worth({*members, channel}) - worth({*members}))
        answers.append(answer)
    return answers


def chance(journeys, channels, removed):
    """The chance of a conversion from the start, where a removed channel ends the journey."""
    moves = {state: [] for state in ["start", *channels]}
    for journey in journeys:
        state = "start"
        for channel, _ in journey["touches"]:
            moves[state].append(channel)
            state = channel
        moves[state].append("sold" if journey["converted"] else "lost")
    states = [state for state in moves if state != removed]
    # Gauss: chance(state) - sum of the moves' chances = the part of moves that sells.
    rows = []
    for state in states:
        part = Fraction(1, len(moves[state]))
        row = [Fraction(int(other == state)) - part * moves[state].count(other) for other in states]
        rows.append([*row, part * moves[state].count("sold")])
    for at in range(len(rows)):
        pivot = next(index for index in range(at, len(rows)) if rows[index][at] != 0)
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [entry / rows[at][at] for entry in rows[at]]
        for index, row in enumerate(rows):
            if index != at:
                rows[index] = [entry - row[at] * of_pivot for entry, of_pivot in zip(row, rows[at])]
    return rows[0][-1]


def markov(journeys, channels):
    whole = chance(journeys, channels, None)
    effects = {channel: 1 - chance(journeys, channels, channel) / whole for channel in channels}
    total = sum(effects.values())
    sold = [journey for journey in journeys if journey["converted"]]
    payout = sum(Fraction(journey["payout"]) for journey in sold)
    shares = {channel: effect / total for channel, effect in effects.items()}
    return (
        {channel: share * len(sold) for channel, share in shares.items()},
        {channel: share * payout for channel, share in shares.items()},
        effects,
    )


def rounded(payouts, unit):
    """Whole units: each rounded down, the rest to the largest remainders; of equal ones to the first by name."""
    units = {channel: payout / unit for channel, payout in payouts.items()}
    whole = {channel: amount.__floor__() for channel, amount in units.items()}
    left = sum(units.values()) - sum(whole.values())
    for channel in sorted(units, key=lambda channel: (whole[channel] - units[channel], channel.encode()))[: int(left)]:
        whole[channel] += 1
    return whole


def agree(name, ours, theirs):
    for channel, value in ours.items():
        assert abs(float(value) - theirs.get(channel, 0.0)) < 1e-9, (name, channel, float(value), theirs)


def check_packages(journeys, channels, answers):
    """What the packages compute too: conversions by touches, and removal effects."""
    paths = [" > ".join(channel for channel, _ in journey["touches"]) for journey in journeys]
    converted = [int(journey["converted"]) for journey in journeys]
    model = MarkovAttribution(removal_strategy="redirect_to_null")
    agree("markov", answers["markov"][2], model.fit(paths, converted)["removal_effects"])
    data = pandas.DataFrame({"path": paths, "conversions": converted})
    with contextlib.redirect_stdout(io.StringIO()):
        found = ChannelAttribution.heuristic_models(data, "path", "conversions", sep=">")
    for model, column in [("first", "first_touch"), ("last", "last_touch"), ("linear", "linear_touch")]:
        theirs = dict(zip(found["channel_name"].str.strip(), found[column]))
        agree(model, answers[model][0], theirs)


def journey(names, converted, payout="0", ages=None):
    ages = ages or [0] * len(names)
    return {"touches": [[name, age] for name, age in zip(names, ages)], "converted": converted, "payout": payout}


def random_journeys(source, count):
    channels = [f"channel {letter}" for letter in "ABCDEFGH"[: 2 + count % 6]]
    journeys = []
    for _ in range(4 + source.randrange(12)):
        names = source.choices(channels, weights=range(1, len(channels) + 1), k=1 + source.randrange(6))
        ages = sorted((source.randrange(30 * 86_400) for _ in names), reverse=True)
        cents = source.choice([0, 1, 1800, source.randrange(1_000_000), source.randrange(1_000)])
        payout = f"{cents // 100}.{cents % 100:02}"
        # Ten-thousandths in some cases, and a payout that was taken back.
        if count % 7 == 5:
            payout += f"{source.randrange(100):02}"
        if count % 5 == 3 and source.random() < 0.3:
            payout = "-" + payout
        converted = source.random() < 0.5
        journeys.append(journey(names, converted, payout if converted else "0", ages))
    journeys.append(journey([channels[0]], False))
    journeys.append(journey(channels[:2], True, "18.00", [7_200, 60]))
    return journeys


def main():
    source = random.Random(17)
    cases = [
        [journey(["C1", "C2", "C3"], True, "10.00"), journey(["C1"], False), journey(["C2", "C3"], False)],
        # Repeats, one channel alone, names beyond ASCII, and remainders that are equal.
        [journey(["A", "A", "B", "A", "A"], True, "0.05"), journey(["B", "B"], False)],
        [journey(["only"], True, "18.00"), journey(["only"], False)],
        [journey(["検索", "بريد", "検索"], True, "1.00"), journey(["بريد"], False), journey(["Ärger"], True, "0.01")],
        [
            journey(["A", "B", "C"], True, "0.01"),
            journey(["A", "B"], True, "0.01"),
            journey(["B", "C"], True, "0.01"),
            journey(["C"], False),
        ],
        [journey(["A"], True, "100.00"), journey(["B"], True, "-100.00"), journey(["A", "B"], False)],
        *(random_journeys(source, count) for count in range(30)),
    ]
    vectors = []
    for journeys in cases:
        channels = sorted({channel for each in journeys for channel, _ in each["touches"]}, key=str.encode)
        whole = {"markov": markov, "shapley": shapley}
        answers = {model: whole[model](journeys, channels) for model in whole}
        answers |= {model: by_touches(model, journeys, channels) for model in MODELS if model not in whole}
        check_packages(journeys, channels, answers)
        payout = sum(Fraction(each["payout"]) for each in journeys if each["converted"])
        unit = Fraction(1, 100) if (payout * 100).denominator == 1 else Fraction(1, 10_000)
        models = {}
        for model in MODELS:
            conversions, payouts, *effects = answers[model]
            units = rounded(payouts, unit)
            assert sum(units.values()) * unit == payout
            models[model] = {
                channel: {
                    "payout": units[channel] * (1 if unit.denominator == 10_000 else 100),
                    "conversions": float(conversions[channel]),
                    **({"removalEffect": float(effects[0][channel])} if effects else {}),
                }
                for channel in channels
            }
        vectors.append({"journeys": journeys, "models": models})
    about = "Journeys (touches: channel and age in seconds), and the credit of each model (payout in ten-thousandths), by attribution.py."
    lines = ",\n    ".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
    text = f'{{\n  "about": {json.dumps(about)},\n  "cases": [\n    {lines}\n  ]\n}}\n'
    Path(__file__).with_suffix(".json").write_text(text, encoding="utf-8")


main()
