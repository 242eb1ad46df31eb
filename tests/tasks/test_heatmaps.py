import dataclasses

import numpy as np
import pytest
from PIL import Image

from oddgan._core.errors import InputError
from oddgan._core.locks import lock_file
from oddgan.data import Options, read
from oddgan.report.pictures import overlay
from oddgan.tasks import FitSpec, ScoreSpec, fit, score
from oddgan.tasks.heatmaps import draw_heatmaps
from oddgan.tasks.models import open_model


@pytest.fixture
def images(tmp_path):
    """Five digits as PNG files, the first of them alone in a folder of its own."""
    x = read("builtin:digits", default_split="test").x[:5, 0]
    for i, image in enumerate(x):
        for folder in ("five",) if i else ("five", "one"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / folder / f"tile{i}.png")
    return tmp_path


def test_a_heatmap_does_not_depend_on_the_other_images(trained, images):
    for name in ("five", "one"):
        spec = ScoreSpec(model=trained.model, source=str(images / name), heatmaps=images / f"{name}-maps")
        score(spec, draw=overlay)
    assert sorted(p.name for p in (images / "five-maps").iterdir()) == [f"tile{i}.png" for i in range(5)]
    assert (images / "five-maps" / "tile0.png").read_bytes() == (images / "one-maps" / "tile0.png").read_bytes()
    with Image.open(images / "five-maps" / "tile0.png") as picture:
        assert (picture.size, picture.mode) == ((8, 8), "RGB")


def test_heat_is_1_where_the_map_reaches_the_scale_of_the_model(trained, images):
    heats, shades = [], []

    def draw(image, heat):
        shades.append(image)
        heats.append(heat)
        return np.zeros((8, 8, 3), dtype=np.uint8)

    score(ScoreSpec(model=trained.model, source=str(images / "five"), heatmaps=images / "maps"), draw=draw)
    x = read(str(images / "five"), Options(), default_split="test").x
    maps = trained.detector.anomaly_map(x) / trained.detector.reading_["map_scale"]
    np.testing.assert_allclose(np.stack(heats), np.minimum(maps, 1))
    np.testing.assert_allclose(np.stack(shades), x / 16, atol=1e-6)  # the digits' pixels go from 0 to 16


def test_no_heatmap_takes_the_place_of_another(trained, images):
    x = read("builtin:digits", default_split="test").x[:6, 0]
    names = ["a/x.png", "b/x.png", "a/x.jpg", "a/x.jpg.png", "a/x.jpg.png.png", "a/x.tif"]
    for name, image in zip(names, x, strict=True):
        (images / "many" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(images / "many" / name)
    score(ScoreSpec(model=trained.model, source=str(images / "many"), heatmaps=images / "maps"), draw=overlay)
    found = {p.relative_to(images / "maps").as_posix() for p in (images / "maps").rglob("*.png")}
    assert found == {
        "a/x.png", "b/x.png", "a/x.jpg.png", "a/x.jpg.png.png", "a/x.jpg.png.png.png", "a/x.tif.png",
    }  # fmt: skip


def test_a_table_has_no_heatmaps(tmp_path):
    np.savez(tmp_path / "table.npz", X=np.random.default_rng(0).normal(size=(30, 3)))
    source = str(tmp_path / "table.npz")
    model = fit(FitSpec(method="knn", source=source)).model
    with pytest.raises(InputError, match="Heatmaps are drawn over images, but these are table data"):
        score(ScoreSpec(model=model, source=source, out="s.csv", heatmaps="maps"), draw=overlay)
    assert not (tmp_path / "s.csv").exists()
    assert not (tmp_path / "maps").exists()


def test_pictures_that_are_drawn_stay_when_a_killed_run_goes_on(trained, images):
    spec = ScoreSpec(model=trained.model, source=str(images / "five"), out=images / "s.csv", heatmaps=images / "maps")
    whole = dataclasses.replace(spec, out=images / "w.csv", heatmaps=images / "whole")
    score(whole, draw=overlay)
    drawn = []

    def killed(x, heat):
        if len(drawn) == 2:
            raise KeyboardInterrupt
        drawn.append(heat)
        return overlay(x, heat)

    with pytest.raises(KeyboardInterrupt):
        score(spec, draw=killed)
    part = images / "maps.part"
    assert sorted(p.name for p in part.iterdir()) == [".unfinished", "tile0.png", "tile1.png"]
    half = ".tile2.png.0123abcd.part.png"
    (part / half).write_bytes(b"half a picture")
    lock_file(part / "tile2.png").write_text(f'{{"pid": 1}}\n{{"name": "{half}"}}\n')
    assert not (images / "maps").exists()
    times = {p.name: p.stat().st_mtime_ns for p in part.glob("tile*")}
    score(dataclasses.replace(spec, resume=True), draw=overlay)
    assert not part.exists()
    assert {name: (images / "maps" / name).stat().st_mtime_ns for name in times} == times
    for picture in (images / "whole").iterdir():
        assert (images / "maps" / picture.name).read_bytes() == picture.read_bytes()
    assert len(list((images / "maps").iterdir())) == 5
    assert (images / "s.csv").read_bytes() == (images / "w.csv").read_bytes()


def test_a_folder_of_an_unknown_run_is_neither_gone_on_with_nor_removed(trained, images):
    (images / "maps.part").mkdir()
    (images / "maps.part" / "tile0.png").write_bytes(b"mine")
    spec = ScoreSpec(model=trained.model, source=str(images / "one"), out=images / "s.csv", heatmaps=images / "maps")
    for more in ({"resume": True}, {"force": True}, {}):
        with pytest.raises(InputError, match=r"maps\.part is no unfinished result of oddgan: move it elsewhere"):
            score(dataclasses.replace(spec, **more), draw=overlay)
    assert (images / "maps.part" / "tile0.png").read_bytes() == b"mine"
    assert not (images / "s.csv").exists()


def test_pictures_of_other_data_are_not_gone_on_with(trained, images):
    spec = ScoreSpec(model=trained.model, source=str(images / "five"), out=images / "s.csv", heatmaps=images / "maps")

    def killed(x, heat):
        if (images / "maps.part" / "tile0.png").exists():
            raise KeyboardInterrupt
        return overlay(x, heat)

    with pytest.raises(KeyboardInterrupt):
        score(spec, draw=killed)
    other = dataclasses.replace(spec, source=str(images / "one"), out=images / "t.csv")
    with pytest.raises(InputError, match=r"maps\.part holds 1 files of an interrupted run: go on with --resume"):
        score(other, draw=overlay)
    with pytest.raises(InputError, match=r"maps\.part was begun with another model or other data: give what"):
        score(dataclasses.replace(other, resume=True), draw=overlay)
    score(dataclasses.replace(other, force=True), draw=overlay)
    assert len(list((images / "maps").iterdir())) == 1


def test_names_that_are_one_to_the_file_system_do_not_share_a_heatmap(trained, images):
    # As "X.png" and "x.png" are where upper case is not told from lower case; "a/./x.png" is "a/x.png" everywhere.
    data = read(str(images / "five")).take(np.arange(2))
    data = dataclasses.replace(data, ids=np.array(["a/x.png", "a/./x.png"]))
    with pytest.raises(InputError, match="is the heatmap of another row already: rename one of the two images"):
        draw_heatmaps(images / "maps", open_model(trained.model), data, overlay)
