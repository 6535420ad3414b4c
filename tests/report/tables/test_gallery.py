import html
import json
import re
import shutil
import subprocess

import pytest

from tests.helpers.study_rows import repair_rows, study_rows
from vps.report.tables.gallery import pack_cases, write_gallery
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import summarise

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
HOSTILE = "</script><script>alert(1)</script><!--"


def write(folder, rows, **settings):
    summary = summarise(rows, name="A <b>study</b>", settings=ReportSettings(draws=5))
    return write_gallery(folder / "index.html", rows, summary, **settings)


def data_of(page):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return json.loads(found.group(1))


def key_of(row):
    return f"{row['dataset']}/{row['image_id']}/{row['case']}"


def test_the_data_hold_each_case_once_with_all_methods():
    rows = study_rows()
    # A case that one method lacks, and a picture in another folder.
    rows = [row for row in rows if not (row["method"] == "drise" and row["image_id"] == 100)]
    rows[-1]["picture"] = "elsewhere/a b.jpg"
    data = pack_cases(rows, summarise(rows, name="study", settings=ReportSettings(draws=5)))
    assert data["methods"] == ["vps", "random", "drise"]
    assert len(data["cases"]) == 12
    first, last = data["cases"][0], data["cases"][-1]
    assert first[1:4] == [100, "d1", "000000000100.jpg"]
    assert first[10] == "cases/coco/100/0"
    assert first[11][0][0] == "vps.jpg"
    assert first[11][2] is None
    assert last[11][1][0] == "elsewhere/a b.jpg"
    names = [metric[0] for metric in data["metrics"]]
    values = first[11][0][1]
    assert values[names.index("insertion")] == round(rows[0]["metrics"]["insertion"], 4)
    missed = data["cases"][1]
    assert missed[11][0][1][names.index("pointing")] is None


def test_the_page_escapes_what_it_is_given(tmp_path):
    rows = study_rows(4)
    rows[0]["label"] = HOSTILE
    rows[0]["warnings"] = [HOSTILE]
    failure = {"dataset": "coco", "image_id": 1, "case": "d1", "method": "vps", "error": HOSTILE}
    page = write(tmp_path, rows, failed=[failure]).read_text()
    assert "alert(1)</script>" not in page
    assert "A &lt;b&gt;study" in page
    assert HOSTILE in html.unescape(page)
    assert HOSTILE in data_of(page)["labels"]
    assert page.count("<script") == 2


def test_the_page_needs_nothing_from_elsewhere(tmp_path):
    page = write(tmp_path, study_rows(4)).read_text()
    assert "http" not in page
    assert "//" not in re.sub(r"^\s*//.*$", "", page, flags=re.M)


def test_controls_have_labels(tmp_path):
    page = write(tmp_path, study_rows(4)).read_text()
    for control in re.findall(r"<(?:select|input)[^>]*>", page):
        before = page[: page.index(control)]
        inside = before.rfind("<label") > before.rfind("</label>")
        assert inside or "aria-label" in control


def shown(page, state):
    """The document that a browser makes of the page, with a hash."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--allow-file-access-from-files", "--virtual-time-budget=3000"]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"{page.as_uri()}#{state}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def keys(document):
    return re.findall(r'<article class="card" data-case="([^"]+)"', document)


needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium")


@needs_browser
def test_the_browser_shows_the_chosen_cases_in_order(tmp_path):
    rows = study_rows(24) + study_rows(8, "lvis")
    page = write(tmp_path, rows)
    document = shown(page, "kind=missed&method=drise&sort=insertion")
    chosen = [row for row in rows if row["kind"] == "missed" and row["method"] == "drise"]
    chosen.sort(key=lambda row: -row["metrics"]["insertion"])
    assert keys(document) == [key_of(row) for row in chosen]
    assert "8 of 32 cases" in document
    # All methods side by side, the pictures loaded when they come into view.
    images = re.findall(r"<img [^>]*>", document)
    assert len(images) == 8 * 3
    assert all('loading="lazy"' in image and re.search(r'alt="[^"]+"', image) for image in images)
    assert f'src="{chosen[0]["picture"]}"' in document


@needs_browser
def test_the_browser_filters_by_range_text_and_data_set(tmp_path):
    rows = study_rows(24) + study_rows(8, "lvis")
    page = write(tmp_path, rows)
    document = shown(page, "dataset=coco&sort=deletion&order=asc&max=0.15&q=dog+0001&others=0")
    chosen = [
        row
        for row in rows
        if row["dataset"] == "coco"
        and row["method"] == "vps"
        and row["label"] == "dog"
        and row["metrics"]["deletion"] <= 0.15
    ]
    chosen.sort(key=lambda row: row["metrics"]["deletion"])
    assert chosen
    assert keys(document) == [key_of(row) for row in chosen]
    assert set(re.findall(r'data-method="([^"]+)"', document)) == {"vps"}


@needs_browser
def test_the_controls_filter_and_write_the_address(tmp_path):
    rows = study_rows(24)
    page = write(tmp_path, rows)
    act = """<script>
      const form = document.getElementById("controls").elements;
      const choose = (name, value) => {
        form[name].value = value;
        form[name].dispatchEvent(new Event("change", { bubbles: true }));
      };
      choose("sort", "deletion"); choose("kind", "missed"); choose("method", "random");
      document.querySelector(".card details").open = true;
      setTimeout(() => { document.body.dataset.hash = location.hash; });
    </script>"""
    page.write_text(page.read_text().replace("</body>", f"{act}</body>"))
    document = shown(page, "max=0.5")
    assert 'data-hash="#kind=missed&amp;method=random&amp;sort=deletion"' in document
    chosen = [row for row in rows if row["kind"] == "missed" and row["method"] == "random"]
    chosen.sort(key=lambda row: -row["metrics"]["deletion"])
    assert keys(document) == [key_of(row) for row in chosen]
    # The numbers of a card are filled in when it is opened.
    card = document[document.index('<article class="card"') :].split("</article>")[0]
    assert f"<td>{chosen[0]['metrics']['deletion']:.3f}</td>" in card
    assert "<td>5,000</td>" in card


@needs_browser
def test_the_browser_puts_cases_without_a_value_last_and_ignores_unknown_choices(tmp_path):
    rows = study_rows(8)
    page = write(tmp_path, rows)
    for order in ("asc", "desc"):
        listed = keys(shown(page, f"kind=nonsense&sort=pointing&order={order}"))
        missed = {key_of(row) for row in rows if row["kind"] == "missed"}
        assert len(listed) == 8
        assert set(listed[-2:]) == missed


@needs_browser
def test_the_browser_shows_hostile_texts_as_texts(tmp_path):
    rows = study_rows(4)
    for row in rows[:3]:
        row["label"] = HOSTILE
        row["picture"] = "cases/a#b?/c%d.jpg"
    document = shown(write(tmp_path, rows), "")
    assert len(keys(document)) == 4
    assert HOSTILE not in re.sub(r"<script type.*?</script>", "", document, flags=re.S)
    assert 'src="cases/a%23b%3F/c%25d.jpg"' in document


@needs_browser
def test_the_browser_says_how_much_is_to_be_hidden(tmp_path):
    rows = repair_rows(4)
    document = shown(write(tmp_path, rows), "method=vps&others=0")
    told = re.findall(r'<span class="repair">([^<]*)</span>', document)
    # The cases of two images: correct, missed by 2 % x 2, classification, background by 2 % x 4.
    assert told == ["hide 4 %", "not repaired", "hide 9 %"]
    assert 'id="hidden"><' in document
    rows[3]["metrics"] |= {"repair_area": 0.0, "repaired_0": 1.0}
    document = shown(write(tmp_path, rows), "method=vps&others=0&kind=missed")
    assert re.findall(r'<span class="repair">([^<]*)</span>', document) == ["nothing to hide"]
    assert 'id="hidden" hidden' in shown(write(tmp_path, study_rows(4)), "")
