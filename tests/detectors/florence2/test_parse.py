import random

import pytest
import torch

from detectors.florence2.parse import bins_to_boxes, boxes_to_bins, parse_boxes

START, PAD, END, POLY, BOX = 0, 1, 2, 3, 4
ADDED = {START, PAD, END, POLY, BOX, *range(100, 200)}
SILENT = {START, PAD, END}
BINS = {100 + k: k for k in range(100)}
DOG, RED, HAT = 10, 11, 12


def parse(tokens):
    """Labels as tuples of tokens, with the bins of their boxes."""
    found = parse_boxes(tokens, BINS, ADDED, SILENT)
    return [(tuple(tokens[at] for at in box.label), box.bins) for box in found]


def loc(*bins):
    return [100 + k for k in bins]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([], []),
        ([START, END], []),
        ([DOG, *loc(1, 2, 3, 4), END], [((DOG,), (1, 2, 3, 4))]),
        (
            [START, DOG, *loc(1, 2, 3, 4, 5, 6, 7, 8), RED, HAT, *loc(0, 0, 9, 9), END, PAD, PAD],
            [((DOG,), (1, 2, 3, 4)), ((DOG,), (5, 6, 7, 8)), ((RED, HAT), (0, 0, 9, 9))],
        ),
        # Cut off, or too many: what is left over is dropped.
        ([DOG, *loc(1, 2, 3)], []),
        ([DOG, *loc(1, 2, 3, 4, 5, 6)], [((DOG,), (1, 2, 3, 4))]),
        ([DOG, *loc(1, 2), HAT, *loc(1, 2, 3, 4)], [((HAT,), (1, 2, 3, 4))]),
        # No label, and no box.
        (loc(1, 2, 3, 4), []),
        ([DOG, RED, END], []),
        # Swapped corners drop a box but not its neighbours; an edge of no length does not.
        ([DOG, *loc(5, 2, 3, 4, 1, 2, 3, 4)], [((DOG,), (1, 2, 3, 4))]),
        ([DOG, *loc(1, 5, 3, 4)], []),
        ([DOG, *loc(3, 2, 3, 4)], [((DOG,), (3, 2, 3, 4))]),
        # Tags end labels and runs.
        ([DOG, POLY, *loc(1, 2, 3, 4)], []),
        ([DOG, BOX, HAT, *loc(1, 2, 3, 4), BOX], [((HAT,), (1, 2, 3, 4))]),
        ([DOG, *loc(1, 2), POLY, *loc(3, 4, 5, 6)], []),
        ([DOG, *loc(1, 2, 3, 4), POLY, *loc(5, 6, 7, 8)], [((DOG,), (1, 2, 3, 4))]),
        # Start, end and padding are nothing, wherever they stand.
        ([DOG, PAD, HAT, *loc(1, 2), END, *loc(3, 4)], [((DOG, HAT), (1, 2, 3, 4))]),
        # The same box twice is two boxes.
        ([DOG, *loc(1, 2, 3, 4) * 2], [((DOG,), (1, 2, 3, 4))] * 2),
    ],
)
def test_what_answers_mean(tokens, expected):
    assert parse(tokens) == expected


def test_places_are_those_of_the_tokens():
    (first, second) = parse_boxes(
        [START, RED, HAT, *loc(1, 2, 3, 4, 5, 6, 7, 8)], BINS, ADDED, SILENT
    )
    assert (first.label, first.place) == ((1, 2), 3)
    assert (second.label, second.place) == ((1, 2), 7)


def test_no_answer_is_an_error():
    chance = random.Random(0)
    kinds = [list(ADDED - set(BINS)), list(BINS), [DOG, RED, HAT]]
    for _ in range(2000):
        weights = [chance.random() for _ in kinds]
        length = chance.randrange(60)
        tokens = [chance.choice(kind) for kind in chance.choices(kinds, weights, k=length)]
        found = parse_boxes(tokens, BINS, ADDED, SILENT)
        assert 4 * len(found) <= sum(token in BINS for token in tokens)
        for box in found:
            assert box.label
            assert not ADDED.intersection(tokens[at] for at in box.label)
            assert max(box.label) < box.place
            assert box.bins[0] <= box.bins[2]
            assert box.bins[1] <= box.bins[3]


def test_well_formed_answers_mean_what_transformers_reads_in_them(tmp_path):
    transformers = pytest.importorskip("transformers")
    from tests.models.tiny_florence2 import write_tokenizer

    tokenizer = write_tokenizer(tmp_path)
    florence = transformers.models.florence2.processing_florence2
    theirs = florence.Florence2PostProcessor({"description_with_bboxes": {}}, tokenizer)
    added = set(tokenizer.get_added_vocab().values())
    silent = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}
    bins = {tokenizer.convert_tokens_to_ids(f"<loc_{k}>"): k for k in range(1000)}
    chance = random.Random(1)
    words = ["dog", "red hat", "a man, who stands", "T-shirt", "ice  cream", "the 2nd cat."]
    for _ in range(100):
        text = "".join(
            chance.choice(words) + "".join(map(random_box, [chance] * chance.randint(1, 3)))
            for _ in range(chance.randint(0, 4))
        )
        tokens = tokenizer(f"<s>{text}</s><pad>", add_special_tokens=False)["input_ids"]
        expected = theirs(
            text=tokenizer.decode(tokens),
            image_size=(1000, 1000),
            parse_tasks="description_with_bboxes",
        )["description_with_bboxes"]
        found = [
            {
                "bbox": list(box.bins),
                "cat_name": tokenizer.decode([tokens[at] for at in box.label]).strip(),
            }
            for box in parse_boxes(tokens, bins, added, silent)
        ]
        assert found == expected


def random_box(chance):
    x, y = (sorted(chance.sample(range(1000), 2)) for _ in range(2))
    return "".join(f"<loc_{k}>" for k in (x[0], y[0], x[1], y[1]))


def test_coordinates_are_the_centres_of_their_bins():
    boxes = bins_to_boxes(torch.tensor([[0, 10, 99, 50]]), 100)
    assert torch.allclose(boxes, torch.tensor([[0.005, 0.105, 0.995, 0.505]]))


def test_boxes_and_back():
    bins = torch.randint(0, 1000, (500, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(boxes_to_bins(bins_to_boxes(bins, 1000), 1000), bins)
    edges = torch.tensor([[-0.1, 0.0, 1.0, 1.3]])
    assert boxes_to_bins(edges, 1000).tolist() == [[0, 0, 999, 999]]
