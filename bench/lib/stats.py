"""Medians, spreads and paired ratios of few, noisy samples."""

import itertools
import statistics

median = statistics.median


def spread(values):
    """(min, max)."""
    return min(values), max(values)


def paired_ratios(reference, values):
    """reference/value per round: above 1, value was the faster one."""
    return [a / b for a, b in zip(reference, values) if b > 0]


def relative_noise(values):
    """Half the range of the middle part, relative to the median.

    With five rounds that is the second to the fourth: one disturbed round
    does not make a measurement look noisy.
    """
    ordered = sorted(values)
    cut = len(ordered) // 4
    middle = ordered[cut:len(ordered) - cut]
    centre = median(ordered)
    return (middle[-1] - middle[0]) / 2 / centre if centre else 0.0


def rank_p_value(left, right):
    """Two-sided exact p of the rank-sum test: are these one population?

    Exact by enumeration, for up to 12 + 12 samples; few rounds make large p,
    which is what keeps a verdict from being drawn from noise.
    """
    left, right = left[:12], right[:12]
    if not left or not right:
        return 1.0
    pool = sorted([*left, *right])
    ranks = {v: median([i for i, x in enumerate(pool) if x == v])
             for v in set(pool)}
    total = [ranks[v] for v in pool]
    observed = sum(ranks[v] for v in left)
    centre = len(left) * (len(pool) - 1) / 2
    extreme = abs(observed - centre) - 1e-9
    if len(pool) > 16:
        return _normal_p(observed, centre, len(left), len(right))
    count = hits = 0
    for pick in itertools.combinations(total, len(left)):
        count += 1
        hits += abs(sum(pick) - centre) >= extreme
    return hits / count


def _normal_p(observed, centre, left, right):
    sigma = (left * right * (left + right + 1) / 12) ** 0.5
    z = abs(observed - centre) / sigma if sigma else 0.0
    return 2 * (1 - statistics.NormalDist().cdf(z))
