import json

import pytest

pytest.importorskip("transformers")
pytest.importorskip("pycocotools")

from tools import train_demo_detectors as command  # noqa: E402
from tools.demo_training.export import write_card  # noqa: E402


@pytest.mark.parametrize("architecture", command.RECIPES)
def test_each_architecture_brings_its_own_stages_and_defaults(architecture):
    recipe = command.RECIPES[architecture]
    arguments = command.parse_arguments(["--architecture", architecture, "--seed", "5"])
    assert arguments.stages == ["draw", *recipe.training, "export", "evaluate"]
    assert arguments.model == recipe.folder
    assert arguments.seed == 5
    for name, value in recipe.defaults.items():
        assert getattr(arguments, name) == value


def test_what_is_given_wins_over_the_defaults():
    arguments = command.parse_arguments(["export", "--detector-steps", "3", "--work", "x"])
    assert arguments.architecture == "grounding-dino"
    assert arguments.stages == ["export"]
    assert arguments.detector_steps == 3
    assert str(arguments.work) == "x"


def test_an_unknown_stage_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.parse_arguments(["backbone", "--architecture", "florence-2"])
    assert "unknown stage backbone; the stages are draw, detector" in capsys.readouterr().err


@pytest.mark.parametrize("recipe", command.RECIPES.values(), ids=list(command.RECIPES))
def test_the_card_names_the_model_and_holds_all_numbers(recipe, tmp_path):
    write_card(tmp_path, recipe, {"command": "make it"}, {"AP50 plain": "0.900"})
    card = (tmp_path / "README.md").read_text()
    assert card.startswith(f"# demo-{recipe.folder.name.replace('_', '-')}\n")
    assert "| AP50 plain | 0.900 |" in card
    assert json.loads((tmp_path / "metrics.json").read_text())["command"] == "make it"
