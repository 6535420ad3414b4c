"""All metrics: the one place to which a new one is added."""

from __future__ import annotations

import math
from operator import attrgetter

from vps.metrics import functions
from vps.metrics.families import highest_score_metric, repaired_metric
from vps.metrics.metric import Metric
from vps.metrics.settings import HIGHEST_IOUS, REPAIR_SHARES
from vps.metrics.sparsity import gini

_ANY = (0.0, math.inf)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "insertion",
            "Insertion AUC",
            "area under the score s over the share of the area shown",
            attrgetter("explanation.insertion_auc"),
            higher_is_better=True,
            short="Ins.",
        ),
        Metric(
            "deletion",
            "Deletion AUC",
            "area under the score s over the share of the area hidden",
            attrgetter("explanation.deletion_auc"),
            higher_is_better=False,
            short="Del.",
        ),
        Metric(
            "insertion_class",
            "Insertion AUC, class",
            "the same of the class score of the box that attains s",
            attrgetter("explanation.insertion_class_auc"),
            higher_is_better=True,
            short="Ins. (class)",
            tables="main",
        ),
        Metric(
            "deletion_class",
            "Deletion AUC, class",
            "the same of the class score of the box that attains s",
            attrgetter("explanation.deletion_class_auc"),
            higher_is_better=False,
            short="Del. (class)",
            tables="main",
        ),
        Metric(
            "insertion_iou",
            "Insertion AUC, IoU",
            "the same of the IoU of the box that attains s",
            attrgetter("explanation.insertion_iou_auc"),
            higher_is_better=True,
            tables="none",
        ),
        Metric(
            "deletion_iou",
            "Deletion AUC, IoU",
            "the same of the IoU of the box that attains s",
            attrgetter("explanation.deletion_iou_auc"),
            higher_is_better=False,
            tables="none",
        ),
        Metric(
            "insertion_normalised",
            "Insertion AUC, normalised",
            "insertion AUC over the score of the whole image",
            lambda one: functions.of_whole(one.explanation.insertion_auc, one),
            higher_is_better=True,
            range=_ANY,
            tables="none",
        ),
        Metric(
            "deletion_normalised",
            "Deletion AUC, normalised",
            "deletion AUC over the score of the whole image",
            lambda one: functions.of_whole(one.explanation.deletion_auc, one),
            higher_is_better=False,
            range=_ANY,
            tables="none",
        ),
        *map(highest_score_metric, HIGHEST_IOUS),
        Metric(
            "success",
            "Explaining success rate",
            "share of cases whose highest score exceeds a threshold",
            functions.succeeds,
            higher_is_better=True,
            short="Success",
        ),
        Metric(
            "pointing",
            "Pointing game",
            "whether the maximum of the map lies in the box",
            functions.pointing,
            higher_is_better=True,
            short="Pointing",
        ),
        Metric(
            "energy_pointing",
            "Energy pointing game",
            "share of the energy of the map that lies in the box",
            functions.energy_in_box,
            higher_is_better=True,
            short="Energy",
        ),
        Metric(
            "energy_pointing_mask",
            "Energy pointing game, mask",
            "share of the energy of the map that lies in the mask",
            functions.energy_in_mask,
            higher_is_better=True,
            tables="none",
        ),
        Metric(
            "mu_fidelity",
            "Mu-fidelity",
            "rank correlation of score drop and attribution removed over random subsets",
            functions.fidelity_of_map,
            higher_is_better=True,
            range=(-1.0, 1.0),
            tables="none",
        ),
        Metric(
            "sparsity",
            "Sparsity",
            "Gini index of the map: 0 if constant, near 1 if a point",
            lambda one: gini(one.heatmap),
            higher_is_better=None,
            tables="none",
        ),
        Metric(
            "sufficient_area",
            "Sufficient area",
            "smallest share of the area that, shown alone, keeps most of the score",
            functions.sufficient_area,
            higher_is_better=False,
            tables="none",
        ),
        Metric(
            "necessary_area",
            "Necessary area",
            "smallest share of the area that, hidden, takes much of the score away",
            functions.necessary_area,
            higher_is_better=False,
            tables="none",
        ),
        Metric(
            "repaired",
            "Repaired",
            "share of failures that hiding some part repairs, under the study's own fill",
            functions.is_repaired_at_all,
            higher_is_better=True,
            tables="repairs",
        ),
        Metric(
            "repaired_all_fills",
            "Repaired, under all fills",
            "share of failures that hiding the same part repairs under every fill",
            functions.repaired_under_all_fills,
            higher_is_better=True,
            short="All fills",
            tables="repairs",
        ),
        Metric(
            "repaired_beside",
            "Repaired, without touching the object",
            "share of failures that hiding some part outside the object's box repairs",
            functions.repaired_beside_object,
            higher_is_better=True,
            short="Beside",
            tables="repairs",
        ),
        *map(repaired_metric, (0, *REPAIR_SHARES)),
        Metric(
            "repair_area",
            "Repair area",
            "share of the image that is hidden to repair; of what is repaired",
            functions.repair_area,
            # Who repairs only the easy ones hides the least.
            higher_is_better=None,
            short="Area",
            tables="repairs",
        ),
        Metric(
            "repair_auc",
            "Repair AUC",
            "area under the share of failures repaired over the share of the image hidden at most",
            functions.area_under_repairs,
            higher_is_better=True,
            short="AUC",
            tables="repairs",
        ),
        Metric(
            "repair_passes",
            "Repair passes",
            "masked images that looking for the repair took",
            functions.repair_passes,
            higher_is_better=False,
            range=_ANY,
            format=",.0f",
            tables="repairs",
            cost=True,
        ),
        Metric(
            "passes",
            "Passes",
            "masked images that the method sent through the detector",
            attrgetter("explanation.passes"),
            higher_is_better=False,
            range=_ANY,
            format=",.0f",
            tables="main",
            cost=True,
        ),
        Metric(
            "seconds",
            "Seconds",
            "wall-clock time that the method took",
            attrgetter("explanation.seconds"),
            higher_is_better=False,
            range=_ANY,
            format=".2f",
            tables="none",
            cost=True,
        ),
    )
}
"""By name, in the order of tables; the page, cases.csv and table.md have what is here."""
