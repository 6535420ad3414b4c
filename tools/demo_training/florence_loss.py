"""What the demo Florence-2 learns from: its answers, and what its encoder says of each place."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss
from transformers import Florence2ForConditionalGeneration

from tools.demo_training.backbone import owned, owners
from tools.demo_training.florence_batches import BINS, FlorenceBatch
from tools.demo_training.florence_model import WIDTH, grid
from tools.demo_training.pool import COLOUR_NAMES
from vps.core.boxes import cxcywh_to_xyxy
from vps.data.scenes.layouts import CATEGORIES

_BLUR = 6.0  # bins; 1,000 of them are 128 pixels
_SHAKE = 4.0  # bins by which locations are off that the decoder reads


class Pupil(nn.Module):
    """Florence-2 with a head, thrown away afterwards, that reads its encoder's image tokens.

    The head says for every token of the image which category is there, in which colour, whether the
    prompt asks for it, and where its box ends - the last in the model's own location tokens. So
    the encoder learns within minutes what the decoder is to read from it.
    """

    def __init__(self, model: Florence2ForConditionalGeneration, first_location: int) -> None:
        super().__init__()
        self.model = model
        self.first_location = first_location
        self.kinds = nn.Linear(WIDTH, len(CATEGORIES) + len(COLOUR_NAMES) + 1)
        self.corners = nn.Linear(WIDTH, 4 * WIDTH)
        with torch.no_grad():
            self.kinds.bias.fill_(-3.0)

    @property
    def locations(self) -> Tensor:
        """The (BINS, WIDTH) embeddings of the location tokens."""
        return self.model.lm_head.weight[self.first_location : self.first_location + BINS]

    def encode(self, pixels: Tensor, batch: FlorenceBatch) -> tuple[Tensor, Tensor]:
        """The encoder's states (R, S, WIDTH) of all questions, and their mask (R, S)."""
        images = self.model.get_image_features(pixels)[batch.image]
        words = self.model.get_input_embeddings()(batch.input_ids)
        mask = F.pad(batch.attention_mask, (images.shape[1], 0), value=1)
        encoder = self.model.get_encoder()
        inputs = torch.cat([images, words], dim=1)
        return encoder(inputs_embeds=inputs, attention_mask=mask)[0], mask


def florence_loss(
    pupil: Pupil, pixels: Tensor, batch: FlorenceBatch
) -> tuple[Tensor, dict[str, float]]:
    """The loss of answers and of the head, and its parts."""
    states, mask = pupil.encode(pixels, batch)
    losses = answer_losses(pupil, states, mask, batch) | head_losses(pupil, states, batch)
    return torch.stack(list(losses.values())).sum(), {k: v.item() for k, v in losses.items()}


def answer_losses(
    pupil: Pupil, states: Tensor, mask: Tensor, batch: FlorenceBatch
) -> dict[str, Tensor]:
    """The negative log-likelihood of the answers, taken apart.

    A token's probability is that of its kind, a certain word or the end or any location, times,
    for a location, that of its bin among all bins. Of kinds the mean is taken over words, ends and
    first locations: these are the decisions. For bins the target is a Gaussian around the
    coordinate.
    """
    first = pupil.first_location
    hidden = _decode(pupil, states, mask, batch)
    wanted = batch.answers != -100
    tokens, places = batch.answers[wanted], batch.places[wanted]
    logits = pupil.model.lm_head(hidden[wanted])
    bins = logits[:, first : first + BINS]
    located = ~places.isnan()
    whole = logits.logsumexp(1)
    kind = torch.where(located, bins.logsumexp(1), logits.gather(1, tokens[:, None]).squeeze(1))
    lost = whole - kind
    ends = tokens == pupil.model.config.text_config.eos_token_id
    decisions = len(tokens) - int(located.sum()) * 3 // 4
    return {
        "word": lost[~located & ~ends].sum() / decisions,
        "end": lost[ends].sum() / decisions,
        "box": lost[located].sum() / decisions,
        "place": blurred_loss(bins[located], places[located]),
    }


def _decode(pupil: Pupil, states: Tensor, mask: Tensor, batch: FlorenceBatch) -> Tensor:
    """The decoder's states (R, U, WIDTH) before each token of the answers.

    The locations that it reads are shaken a little, because its own will not be exact either. The
    long answers of <OD>, one an image, and the others are read apart, to save padding.
    """
    text = pupil.model.config.text_config
    read = batch.answers.masked_fill(batch.answers == -100, text.pad_token_id)
    located = ~batch.places.isnan()
    bins = read[located] - pupil.first_location
    shaken = (bins + _SHAKE * torch.randn(len(bins))).round().long().clamp(0, BINS - 1)
    read[located] = shaken + pupil.first_location
    read = F.pad(read[:, :-1], (1, 0), value=text.decoder_start_token_id)
    hidden = states.new_zeros(*read.shape, states.shape[-1])
    count = len(batch.pixels)
    for rows in (slice(0, count), slice(count, None)):
        length = int((batch.answers[rows] != -100).sum(dim=1).max())
        hidden[rows, :length] = pupil.model.get_decoder()(
            input_ids=read[rows, :length],
            encoder_hidden_states=states[rows],
            encoder_attention_mask=mask[rows],
            use_cache=False,
        )[0]
    return hidden


def head_losses(pupil: Pupil, states: Tensor, batch: FlorenceBatch) -> dict[str, Tensor]:
    """What the head misses: categories, colours and corners in <OD>, what is asked in all."""
    side = grid()
    tokens = states[:, 1 : side * side + 1]
    kinds = pupil.kinds(tokens)
    count = len(batch.pixels)
    image, place, item = owners(batch.boxes, (side, side))
    categories, colours, _ = kinds[:count].split([len(CATEGORIES), len(COLOUR_NAMES), 1], dim=2)
    target = torch.zeros_like(categories)
    target[image, place, owned(batch.categories, image, item)] = 1
    read = pupil.corners(tokens[image, place]).view(-1, 4, WIDTH) @ pupil.locations.T
    corners = cxcywh_to_xyxy(owned(batch.boxes, image, item))
    asked = kinds[..., -1]
    wanted = torch.zeros_like(asked)
    row, place_asked, item_asked = owners([batch.boxes[i] for i in batch.image], (side, side))
    wanted[row, place_asked] = owned(batch.asked_for, row, item_asked).float()
    return {
        "head category": sigmoid_focal_loss(categories, target, reduction="sum") / len(image) * 4,
        "head colour": 0.5
        * F.cross_entropy(colours[image, place], owned(batch.colours, image, item)),
        "head corners": 0.5 * blurred_loss(read.flatten(0, 1), corners.flatten()),
        "head asked": sigmoid_focal_loss(asked, wanted, reduction="sum") / len(image),
    }


def blurred_loss(logits: Tensor, places: Tensor) -> Tensor:
    """Cross entropy of bins with a narrow Gaussian around each place, less the least possible.

    Args:
        logits: (n, BINS).
        places: (n,) in [0, 1].
    """
    centre = (places * BINS - 0.5)[:, None]
    near = centre.round().long() + torch.arange(-15, 16)
    weights = torch.exp(-0.5 * ((near - centre) / _BLUR) ** 2) * ((near >= 0) & (near < BINS))
    weights = weights / weights.sum(dim=1, keepdim=True)
    said = logits.log_softmax(dim=1).gather(1, near.clamp(0, BINS - 1))
    least = torch.special.entr(weights).sum(dim=1)
    return (-(weights * said).sum(dim=1) - least).mean()
