"""Florence-2 writes an answer: greedy decoding and beam search that keep the probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from detectors.florence2.checkpoint import Florence2Checkpoint
from detectors.florence2.encoder import Encoded, next_tokens
from detectors.hf.checkpoint import transformers
from vps.errors import DetectorError


@dataclass(frozen=True)
class WrittenAnswer:
    """What the model wrote about one image and prompt, without the decoder's prefix.

    Attributes:
        tokens: the n ids, the end token included unless the answer was cut off.
        said: n log-probabilities, of each token given those before it.
        located: n log-probabilities that a location token stands there, whichever.

    Raises:
        DetectorError: a probability is NaN; what was written then means nothing.
    """

    tokens: list[int]
    said: list[float]
    located: list[float]

    def __post_init__(self) -> None:
        if any(map(math.isnan, self.said)):
            raise DetectorError("the detector returned NaN for the probabilities of what it wrote")


@torch.no_grad()
def write_answers(
    checkpoint: Florence2Checkpoint, encoded: Encoded, *, beams: int, max_new_tokens: int
) -> list[WrittenAnswer]:
    """The most probable answer to each of R prompts, as far as the search finds it.

    Each row keeps its `beams` most probable beginnings, and ends with the best of its first `beams`
    complete answers by log-probability a token; with one beam that is greedy decoding. A row that
    has ended leaves the batch. This is `generate` of transformers with early stopping. Of the
    checkpoint's generation settings it keeps what belongs to the language: the token that all
    answers begin with, and the length of n-grams that must not repeat; no sampling, no penalties.
    Probabilities are the model's own, before n-grams are ruled out.

    Args:
        checkpoint: the model.
        encoded: R pairs of an image and a prompt.
        beams: how many beginnings each row keeps, at least 1.
        max_new_tokens: where an answer is cut off, at least 1.

    Raises:
        DetectorError: the model's probabilities are NaN.
    """
    search = _Search(checkpoint, encoded, beams)
    for step in range(max_new_tokens):
        if not search.step(last=step == max_new_tokens - 1):
            break
    return search.best()


class _Search:
    """Beam search over R rows, all of which have written the same number of tokens."""

    def __init__(self, checkpoint: Florence2Checkpoint, encoded: Encoded, beams: int) -> None:
        count, device = len(encoded.states), encoded.states.device
        self._checkpoint = checkpoint
        self._beams = beams
        self._locations = torch.tensor(checkpoint.locations, device=device)
        self._ended: list[list[tuple[float, WrittenAnswer]]] = [[] for _ in range(count)]
        # Of the rows that go on: which they are, what they read, and of each of their beams the
        # tokens, two facts about each token, and the log-probability of all.
        self._rows = torch.arange(count, device=device)
        self._encoded = encoded
        self._cache = transformers.EncoderDecoderCache(
            transformers.DynamicCache(), transformers.DynamicCache()
        )
        self._tokens = torch.tensor(checkpoint.prefix, device=device).expand(count, 1, -1)
        self._facts = torch.zeros(count, 1, 0, 2, device=device)
        self._totals = torch.zeros(count, 1, device=device)
        self._fed = self._tokens

    def step(self, *, last: bool) -> bool:
        """Write one more token; False when no row goes on."""
        fed = self._fed.flatten(0, 1)
        said = next_tokens(self._checkpoint, self._encoded, fed, self._cache)[:, -1]
        said = said.view(*self._totals.shape, -1)
        located = said[..., self._locations].logsumexp(-1)
        ruled_out = repeats(self._tokens, said.shape[-1], self._checkpoint.ngram)
        sums = self._totals[..., None] + said.masked_fill(ruled_out, -torch.inf)
        # Twice as many as go on, because half of them may end.
        totals, index = sums.flatten(1).topk(2 * self._beams)
        parents, token = index // said.shape[-1], index % said.shape[-1]
        fact = torch.stack([said.flatten(1).gather(1, index), located.gather(1, parents)], dim=-1)
        self._tokens = torch.cat([_pick(self._tokens, parents), token[..., None]], dim=-1)
        self._facts = torch.cat([_pick(self._facts, parents), fact[:, :, None]], dim=2)
        # NaN ranks first, and ends in the error of what it has written.
        ends = (token == self._checkpoint.end) | totals.isnan() | last
        self._collect(ends[:, : self._beams], totals)
        rows = self._rows.tolist()
        on = [row for row, name in enumerate(rows) if len(self._ended[name]) < self._beams]
        if last or not on:
            return False
        self._totals, order = totals[on].masked_fill(ends[on], -torch.inf).topk(self._beams)
        self._tokens, self._facts = _pick(self._tokens[on], order), _pick(self._facts[on], order)
        self._fed = self._tokens[..., -1:]
        self._go_on(on, parents[on].gather(1, order), located.shape[1])
        return True

    def best(self) -> list[WrittenAnswer]:
        """The best answer of each row."""
        return [max(answers, key=lambda pair: pair[0])[1] for answers in self._ended]

    def _collect(self, ends: Tensor, totals: Tensor) -> None:
        """Keep the answers of rows and beams that end, with their log-probability a token."""
        first = len(self._checkpoint.prefix)
        for row, beam in ends.nonzero().tolist():
            said, located = self._facts[row, beam].T.tolist()
            answer = WrittenAnswer(self._tokens[row, beam, first:].tolist(), said, located)
            # The prefix counts, all but the start: so does transformers count.
            rate = float(totals[row, beam]) / (first - 1 + len(said))
            self._ended[int(self._rows[row])].append((rate, answer))

    def _go_on(self, on: list[int], parents: Tensor, width: int) -> None:
        """Leave in the decoder's cache what beam (R', K) has of its parent, of `width` a row."""
        rows = torch.tensor(on, device=parents.device)
        source = (rows[:, None] * width + parents).flatten()
        if len(on) < len(self._rows) or width != self._beams:
            self._encoded = self._encoded.rows(source)
            self._cache.reorder_cache(source)
        elif self._beams > 1:
            # All beams of a row read the same, so that only what they wrote is moved.
            self._cache.self_attention_cache.reorder_cache(source)
        self._rows = self._rows[on]


def repeats(tokens: Tensor, words: int, ngram: int) -> Tensor:
    """Which tokens would repeat an n-gram.

    Args:
        tokens: (R, K, t) ids written so far.
        words: how many ids there are, V.
        ngram: n; 0 if anything may repeat.

    Returns:
        (R, K, V) bool.
    """
    found = torch.zeros(*tokens.shape[:2], words, device=tokens.device)
    if ngram and tokens.shape[-1] >= ngram:
        windows = tokens.unfold(-1, ngram, 1)
        end = tokens[..., None, tokens.shape[-1] - ngram + 1 :]
        same = (windows[..., :-1] == end).all(dim=-1)
        # Added up, because a token may follow the same beginning in one place and not in another.
        found.scatter_add_(-1, windows[..., -1], same.float())
    return found > 0


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """(R, K, ...) out of (R, J, ...) by indices (R, K)."""
    return values[torch.arange(len(values), device=values.device)[:, None], index]
