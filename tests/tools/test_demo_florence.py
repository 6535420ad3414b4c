import numpy as np
import pytest
import torch
from torch.nn import functional as F

from vps.data.scenes.layouts import CATEGORIES

transformers = pytest.importorskip("transformers")
pytest.importorskip("pycocotools")

from torch.optim.swa_utils import AveragedModel  # noqa: E402

from tools.demo_training import florence_batches as batches  # noqa: E402
from tools.demo_training import florence_loss as losses  # noqa: E402
from tools.demo_training import florence_model as model  # noqa: E402
from tools.demo_training import pool  # noqa: E402
from tools.demo_training.florence_export import export_florence  # noqa: E402

SIZE = (400, 320)  # width, height of the images that boxes are read back for


@pytest.fixture(scope="module")
def buckets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool")
    pool.build_pool(folder, seed=11, start=0, stop=12, workers=1, resized=pool.square_size)
    return pool.read_pool(folder)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return model.build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def processor(tokenizer):
    return model.build_processor(tokenizer)


@pytest.fixture(scope="module")
def writer(tokenizer):
    return batches.Writer(tokenizer)


def fresh_pupil(tokenizer, writer):
    torch.manual_seed(0)
    return losses.Pupil(model.build_model(tokenizer), writer.first_location)


def draw(buckets, writer, seed=0, size=2):
    return batches.draw_florence_batch(buckets, size, writer, np.random.default_rng(seed))


def questions(buckets, count):
    """Questions about scenes, with the objects that they are about."""
    bucket = buckets[0]
    for seed in range(count):
        rng = np.random.default_rng(seed)
        index = rng.integers(len(bucket.images))
        rows = bucket.objects[index, : bucket.counts[index]]
        yield rows, batches.ask(rows, [], rng)


def test_the_words_of_scenes_and_prompts_are_single_tokens(tokenizer):
    words = "Locate the phrases in caption circle wheel red leftmost below above objects category"
    for word in words.split():
        assert len(tokenizer.tokenize(word)) == len(tokenizer.tokenize(f" {word}")) == 1
    text = "a Zebra & 3 more, naïve<loc_17>the red ring<loc_999>"
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert tokenizer.unk_token_id not in ids


def test_prompts_are_those_of_the_processor(buckets, writer, processor):
    image = np.zeros((320, 400, 3), np.uint8)
    asked = [batches.list_all(buckets[0].objects[0]), *(q for _, q in questions(buckets, 8))]
    assert {question.task for question in asked} == set(batches.TASKS)
    for question in asked:
        inputs = processor(images=image, text=question.task + question.asked)
        of_image = model.grid() ** 2 + 1
        assert inputs["input_ids"][0][:of_image] == [processor.image_token_id] * of_image
        assert inputs["input_ids"][0][of_image:] == writer.prompt(question.prompt)


def test_answers_are_read_back_as_boxes_by_the_processor(buckets, writer, processor):
    asked = list(questions(buckets, 20))
    asked += [(rows, batches.list_all(rows)) for rows, _ in asked[:5]]
    for rows, question in asked:
        tokens, _ = writer.answer(question, rows[:, 2:6])
        read = processor.post_process_generation(
            sequence=[writer.end, *tokens], task=question.task, image_size=SIZE
        )[question.task]
        labels = read["bboxes_labels"] if "bboxes_labels" in read else read["labels"]
        expected = [(phrase, n) for phrase, objects in question.phrases for n in objects]
        assert labels == [phrase for phrase, _ in expected]
        boxes = np.array([rows[n, 2:6] * (*SIZE, *SIZE) for _, n in expected]).reshape(-1, 4)
        # A bin is 0.4 pixels wide, and the processor rounds down to whole pixels.
        assert np.abs(np.array(read["bboxes"]).reshape(-1, 4) - boxes).max(initial=0) <= 1.2


def test_answers_hold_what_bears_the_name_and_nothing_where_nothing_does(buckets):
    absent = 0
    for rows, question in questions(buckets, 200):
        names = batches._names(rows)
        absent += not question.phrases
        if not question.phrases:
            assert question.asked.removeprefix("the ") not in names
        for phrase, objects in question.phrases:
            assert phrase in question.asked
            assert objects
            if phrase in CATEGORIES:
                assert sorted(objects) == [
                    n for n, row in enumerate(rows) if CATEGORIES[int(row[0])] == phrase
                ]
    assert 0 < absent < 200


def test_all_objects_are_listed_by_category_and_from_left_to_right(buckets):
    bucket = buckets[0]
    for objects, count in zip(bucket.objects, bucket.counts, strict=True):
        rows = objects[:count]
        listed = batches.list_all(rows).phrases
        assert sorted(n for _, numbers in listed for n in numbers) == list(range(count))
        assert [name for name, _ in listed] == [
            name for name in CATEGORIES if name in {phrase for phrase, _ in listed}
        ]
        assert all((np.diff(rows[list(numbers), 2]) >= 0).all() for _, numbers in listed)


def test_a_hidden_object_is_asked_for_as_absent(buckets):
    rows = buckets[0].objects[0, : buckets[0].counts[0]]
    gone = ["unheard of"]
    absent = [batches._absent(rows, gone, np.random.default_rng(seed)) for seed in range(50)]
    assert 5 < sum("unheard of" in name for name in absent) < 45


def test_a_batch_asks_first_for_all_objects_of_each_image(buckets, writer):
    batch = draw(buckets, writer, size=3)
    assert batch.pixels.shape == (3, 3, 128, 128)
    assert batch.image[:3].tolist() == [0, 1, 2]
    assert all(bool(mark.all()) for mark in batch.asked_for[:3])
    assert len(batch.image) == len(batch.input_ids) == len(batch.answers) == 9
    located = ~batch.places.isnan()
    bins = batch.answers[located] - writer.first_location
    assert torch.equal(bins, (batch.places[located] * 1000).floor().clamp(max=999).long())
    assert ((batch.answers == writer.end).sum(dim=1) == 1).all()


def test_blurred_loss_is_least_at_the_place_itself():
    places = torch.tensor([0.0, 0.3004, 0.9999])
    centres = (torch.arange(1000) + 0.5) / 1000
    exact = -0.5 * ((centres - places[:, None]) * 1000 / losses._BLUR) ** 2
    assert losses.blurred_loss(exact, places).item() == pytest.approx(0, abs=0.01)
    for shift in (-20, 20):
        assert losses.blurred_loss(exact.roll(shift, dims=1), places).item() > 1


def test_the_parts_of_an_answer_add_up_to_its_likelihood(buckets, tokenizer, writer, monkeypatch):
    monkeypatch.setattr(losses, "_SHAKE", 0.0)
    pupil = fresh_pupil(tokenizer, writer)
    batch = draw(buckets, writer)
    states, mask = pupil.encode(batch.pixels, batch)
    parts = losses.answer_losses(pupil, states, mask, batch)
    # The same through the model's own forward pass.
    images = pupil.model.get_image_features(batch.pixels).shape[1]
    token = pupil.model.config.image_token_id
    logits = pupil.model(
        input_ids=F.pad(batch.input_ids, (images, 0), value=token),
        attention_mask=mask,
        pixel_values=batch.pixels[batch.image],
        labels=batch.answers,
    ).logits
    said = logits.log_softmax(dim=-1)
    first = writer.first_location
    located = ~batch.places.isnan()
    words = (batch.answers != -100) & ~located
    whole = -said[words].gather(1, batch.answers[words][:, None]).sum()
    whole -= said[located][:, first : first + 1000].logsumexp(dim=1).sum()
    decisions = int(words.sum()) + int(located.sum()) // 4
    total = parts["word"] + parts["end"] + parts["box"]
    assert total.item() == pytest.approx(whole.item() / decisions, rel=1e-4)
    bins = said[located][:, first : first + 1000]
    place = losses.blurred_loss(bins, batch.places[located])
    assert parts["place"].item() == pytest.approx(place.item(), rel=1e-4)


def test_the_loss_falls_on_one_batch(buckets, tokenizer, writer):
    pupil = fresh_pupil(tokenizer, writer)
    batch = draw(buckets, writer)
    optimiser = torch.optim.AdamW(pupil.parameters(), 2e-3)
    values = []
    for _ in range(15):
        total, parts = losses.florence_loss(pupil, (batch.pixels - 0.45) / 0.22, batch)
        assert total.item() == pytest.approx(sum(parts.values()), rel=1e-4)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        values.append(total.item())
    assert values[-1] < 0.7 * values[0]


def test_what_is_exported_is_what_was_trained(tokenizer, writer, tmp_path):
    pupil = fresh_pupil(tokenizer, writer)
    average = AveragedModel(pupil)
    torch.save({"average": average.state_dict(), "step": 7}, tmp_path / "detector.pt")
    folder = tmp_path / "model"
    assert export_florence(tmp_path / "detector.pt", folder) == 7
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".txt"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5e6
    loaded = transformers.Florence2ForConditionalGeneration.from_pretrained(folder)
    weights = dict(loaded.named_parameters())
    for name, weight in pupil.model.named_parameters():
        assert torch.allclose(weights[name].float(), weight, rtol=1e-3, atol=1e-6), name
    processor = transformers.AutoProcessor.from_pretrained(folder)
    assert processor.num_image_tokens == model.grid() ** 2 + 1
    text = "Locate the red circle in the image.<loc_3>"
    assert processor.tokenizer.encode(text) == tokenizer.encode(text)


def test_the_pool_holds_what_florence_will_see(processor):
    scene = pool.make_scene(11, 2)
    image, rows = pool.encode(scene, pool.square_size)
    seen = processor.image_processor(images=scene.image, do_normalize=False, return_tensors="np")
    pixels = seen["pixel_values"][0].transpose(1, 2, 0) * 255
    assert np.abs(pixels - image).max() <= 1
    assert len(rows) == len(scene.objects)
