"""A detector with random weights: what an explanation of it must not share with the trained one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from vps.core.detector import Detector, OpenVocabularyDetector
from vps.errors import InputError


def torch_model(detector: Detector) -> nn.Module:
    """The torch module inside a detector.

    Raises:
        InputError: it has none, as one that runs elsewhere.
    """
    for holder in (detector, getattr(detector, "checkpoint", None)):
        model = getattr(holder, "model", None)
        if isinstance(model, nn.Module):
            return model
    raise InputError(f"{detector.name} has no torch module whose weights could be changed")


@contextmanager
def randomised(detector: Detector, share: float, seed: int) -> Iterator[Detector]:
    """Within the block, the detector with the last part of its layers made random.

    Cascading randomisation (Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018): from
    the output down. Layers are the modules that hold parameters, in the order in which the model
    has them, which is that of its forward pass in the models that adapters know. Each parameter's
    numbers change places among themselves, so that sizes stay what the model computes with. The
    weights are put back at the end, also after an exception.

    Args:
        detector: with a torch module; may be asked through what is yielded only.
        share: of the layers, in (0, 1]; 1 for all.
        seed: of the draws.

    Raises:
        InputError: no torch module, or one without parameters.
    """
    model = torch_model(detector)
    layers = [each for each in model.modules() if list(each.parameters(recurse=False))]
    if not layers:
        raise InputError(f"{detector.name} has no weights that could be changed")
    chosen = layers[len(layers) - max(1, round(share * len(layers))) :]
    parameters = {
        id(parameter): parameter
        for layer in chosen
        for parameter in layer.parameters(recurse=False)
    }
    kept = [(parameter, parameter.detach().clone()) for parameter in parameters.values()]
    generator = torch.Generator().manual_seed(seed)
    try:
        with torch.no_grad():
            for parameter, values in kept:
                order = torch.randperm(values.numel(), generator=generator).to(values.device)
                parameter.copy_(values.flatten()[order].view_as(values))
        # What it has read of its labels with the old weights is of no more use.
        if isinstance(detector, OpenVocabularyDetector):
            yield detector.with_labels(detector.labels)
        else:
            yield detector
    finally:
        with torch.no_grad():
            for parameter, values in kept:
                parameter.copy_(values)
