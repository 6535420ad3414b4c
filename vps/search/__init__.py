"""Search strategies, one a file."""

from vps.search.greedy import greedy
from vps.search.protocol import Search
from vps.search.random import random_order

SEARCHES: dict[str, Search] = {
    "greedy": greedy,
    "random": random_order,
}
"""Strategies by the name that settings use."""

__all__ = ["SEARCHES", "Search"]
