"""The film that README.md opens with: made by the course's own code, small, and not out of date."""

import io
import re
from collections import deque

import numpy as np
from PIL import Image, ImageSequence

from tools.notebooks.compare import difference_of_pictures
from tools.present import film
from tools.settings import ROOT
from utils.data import circles


def test_the_readme_opens_with_the_film_and_has_a_still_where_no_motion_is_wanted():
    opening = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## ")[0]
    (still,) = re.findall(
        r'<source media="\(prefers-reduced-motion: reduce\)" srcset="(.+)">', opening
    )
    (shown,) = re.findall(r'<img src="(.+?)" width="720" alt="[A-Z][^"]{40,250}\."', opening)
    assert (ROOT / still, ROOT / shown) == (film.STILL, film.FILM)


def test_the_film_is_small_ends_and_its_last_picture_is_the_still():
    assert film.FILM.stat().st_size < 500_000
    with Image.open(film.FILM) as shown, Image.open(film.STILL) as still:
        assert shown.n_frames == film.EPOCHS + 1 and shown.info["loop"] == film.TIMES
        *_, last = (frame.convert("RGB") for frame in ImageSequence.Iterator(shown))
        assert (np.asarray(last) == np.asarray(still)).all()
        assert still.getpixel((1, still.height - 1)) == (255, 255, 255), "an opaque white ground"


def test_the_still_shows_what_the_network_of_today_has_learned():
    points, labels = circles()
    epoch, model = deque(film.training(points, labels), maxlen=1).pop()
    right = ((model(points.double())[:, 0] > 0) == labels.bool()).double().mean().item()
    assert right > 0.985, "99 % of the points, as README.md says"
    fresh = io.BytesIO()
    Image.fromarray(film.picture(model, points, labels, epoch)).save(fresh, "png")
    assert difference_of_pictures([film.STILL.read_bytes()], [fresh.getvalue()]) == [], (
        "docs/ is out of date: type `python3 course.py film`"
    )


def test_the_film_is_the_same_each_time(monkeypatch):
    monkeypatch.setattr(film, "EPOCHS", 1)
    monkeypatch.setattr(film, "DOTS_PER_INCH", 50)
    assert film.make(film.pictures()) == film.make(film.pictures())


def test_a_picture_is_painted_in_its_commonest_colours(monkeypatch):
    monkeypatch.setattr(film, "COLOURS", 2)
    row = [[255, 255, 255]] * 3 + [[0, 114, 178]] * 2 + [[10, 100, 170]]
    pixels = np.array([row], dtype=np.uint8)
    colours = film.commonest(pixels)
    assert colours.tolist() == [[255, 255, 255], [0, 114, 178]]
    assert film.painted(pixels, colours).tolist() == [[*row[:5], [0, 114, 178]]]
