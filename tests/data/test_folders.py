import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oddgan import InputError
from oddgan.data import Options, is_anomaly, read, select_normal
from oddgan.data.folders import natural

RNG = np.random.default_rng(0)


def save(path, pixels=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, (10, 12), dtype=np.uint8) if pixels is None else pixels
    Image.fromarray(pixels).save(path, **options)
    return pixels


def test_sub_folders_are_labels(tmp_path):
    first = save(tmp_path / "normal" / "tile2.png")
    save(tmp_path / "normal" / "tile10.png")
    save(tmp_path / "crack" / "deep" / "a.PNG")
    dataset = read(tmp_path)
    assert dataset.ids.tolist() == ["crack/deep/a.PNG", "normal/tile2.png", "normal/tile10.png"]
    assert (dataset.x.shape, dataset.x.dtype, dataset.reading.colour) == ((3, 1, 10, 12), np.uint8, "grey")
    assert (dataset.x[1, 0] == first).all()
    assert is_anomaly(dataset.y).tolist() == [True, False, False]
    assert select_normal(dataset)[1] == 1
    assert select_normal(dataset, "normal")[1] == 1


def test_a_flat_folder_has_no_labels(tmp_path):
    save(tmp_path / "b.tiff")
    save(tmp_path / "a.jpg")
    save(tmp_path / ".hidden.png")
    (tmp_path / "readme.txt").write_text("hello")
    dataset = read(tmp_path)
    assert (dataset.ids.tolist(), dataset.y) == (["a.jpg", "b.tiff"], None)
    assert dataset.notes == (f"1 files of {tmp_path} were left out: they are not PNG, JPEG or TIFF.",)


def test_numbers_in_names_sort_as_numbers():
    assert sorted(["b1", "a10", "a9", "a", "10", "9"], key=natural) == ["9", "10", "a", "a9", "a10", "b1"]


def test_train_and_test_are_splits(tmp_path):
    save(tmp_path / "train" / "good" / "a.png")
    save(tmp_path / "train" / "good" / "b.png")
    save(tmp_path / "test" / "good" / "c.png")
    save(tmp_path / "test" / "hole" / "d.png")
    save(tmp_path / "ground_truth" / "hole" / "d.png")
    assert read(tmp_path).ids.tolist() == ["good/a.png", "good/b.png"]
    test = read(tmp_path, default_split="test")
    assert (is_anomaly(test.y).tolist(), test.reading.split) == ([False, True], "test")
    assert read(tmp_path, Options(split="train"), default_split="test").ids[0] == "good/a.png"


def test_a_split_of_a_folder_without_any(tmp_path):
    save(tmp_path / "a.png")
    with pytest.raises(InputError, match="has no sub-folders train and test"):
        read(tmp_path, Options(split="test"))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_stay(tmp_path, suffix):
    pixels = RNG.integers(0, 65536, (9, 9), dtype=np.uint16)
    for name in "ab":
        save(tmp_path / f"{name}{suffix}", pixels)
    dataset = read(tmp_path)
    assert dataset.x.dtype == np.uint16
    assert (dataset.x[0, 0] == pixels).all()
    assert read(tmp_path, Options(colour="rgb")).x.shape == (2, 3, 9, 9)
    assert read(tmp_path, Options(resize=(8, 8))).x.dtype == np.uint16


def test_colour_is_kept_unless_all_are_grey(tmp_path):
    save(tmp_path / "grey.png", np.full((8, 8), 77, np.uint8))
    save(tmp_path / "red.png", np.tile(np.array([255, 0, 0], np.uint8), (8, 8, 1)))
    dataset = read(tmp_path)
    assert dataset.reading.colour == "rgb"
    assert dataset.x[:, :, 0, 0].tolist() == [[77, 77, 77], [255, 0, 0]]
    grey = read(tmp_path, Options(colour="grey"))
    assert grey.x[:, 0, 0, 0].tolist() == [77, 76]  # 0.299 of 255


def test_new_images_are_read_like_the_old(tmp_path):
    for name in "ab":
        save(tmp_path / "old" / f"{name}.png", np.zeros((20, 30), np.uint8))
    save(tmp_path / "new" / "c.png", np.zeros((50, 40, 3), np.uint8))
    reading = read(tmp_path / "old", Options(resize=(16, 18))).reading
    new = read(tmp_path / "new", like=reading)
    assert new.x.shape == (1, 1, 16, 18)
    with pytest.raises(InputError, match=r"fitted with resize \(16, 18\), not \(8, 8\): remove --resize"):
        read(tmp_path / "new", Options(resize=(8, 8)), like=reading)
    with pytest.raises(InputError, match="fitted with colour grey, not rgb: remove --colour"):
        read(tmp_path / "new", Options(colour="rgb"), like=reading)


@pytest.mark.parametrize("mode", ["1", "LA", "P", "RGBA", "CMYK"])
def test_other_modes(tmp_path, mode):
    suffix = ".tif" if mode == "CMYK" else ".png"
    for name in "ab":
        Image.new("RGB", (9, 8), "white").convert(mode).save(tmp_path / f"{name}{suffix}")
    assert read(tmp_path, Options(colour="grey")).x.min() == 255


def test_the_orientation_of_photographs_is_followed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    save(tmp_path / "a.jpg", np.zeros((10, 12), np.uint8), exif=exif)
    save(tmp_path / "b.jpg", np.zeros((12, 10), np.uint8))
    assert read(tmp_path).x.shape == (2, 1, 12, 10)


def test_mixed_sizes_need_resize(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png")
    save(tmp_path / "c.png", np.zeros((5, 6), np.uint8))
    with pytest.raises(InputError, match=r"2 sizes, height x width: 10x12 \(2 files\), 5x6 \(1 files\); .*--resize 64"):
        read(tmp_path)
    assert read(tmp_path, Options(resize=(8, 8))).x.shape == (3, 1, 8, 8)


def test_mixed_depths_are_refused(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png", np.zeros((10, 12), np.uint16))
    with pytest.raises(InputError, match="1 images of 16 bits and 1 of 8 bits"):
        read(tmp_path)


def cut_short(folder, suffix):
    path = folder / f"cut{suffix}"
    save(path, RNG.integers(0, 256, (40, 40), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-400])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_truncated_images_are_named_and_counted(tmp_path, suffix):
    for name in "ab":
        save(tmp_path / f"{name}{suffix}", np.zeros((40, 40), np.uint8))
    cut_short(tmp_path, suffix)
    with pytest.raises(InputError, match=rf"1 image of .* can't be read: cut\{suffix} .*out with --skip-bad"):
        read(tmp_path)
    dataset = read(tmp_path, Options(skip_bad=True))
    assert len(dataset) == 2
    assert "can't be read: cut" in dataset.notes[0]


def test_many_unreadable_images(tmp_path):
    for i in range(7):
        (tmp_path / f"{i}.png").write_bytes(b"no image" * (i > 0))
    with pytest.raises(InputError, match=r"7 images of .* can't be read: 0\.png .* 4\.png .* and 2 more; repair"):
        read(tmp_path)
    with pytest.raises(InputError, match="holds no readable image"):
        read(tmp_path, Options(skip_bad=True))


def test_pages_and_float_pixels_are_no_images(tmp_path):
    pages = [Image.new("L", (8, 8)), Image.new("L", (8, 8))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    save(tmp_path / "b.tif", np.zeros((8, 8), np.float32))
    save(tmp_path / "c.tif", np.full((8, 8), 70000, np.int32))
    with pytest.raises(InputError, match=r"3 images .*it has 2 pages.*pixels are floats.*exceed 16 bits"):
        read(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match=r"holds no readable image; expected \.png"):
        read(tmp_path)


def test_images_beside_sub_folders(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "normal" / "b.png")
    with pytest.raises(InputError, match=r"1 images beside its sub-folders, e\.g\. a\.png"):
        read(tmp_path)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize("content", [EPS, b"GIF89a" + bytes(40), b"%PDF-1.4\n", b"8BPS" + bytes(60), b"BM" + bytes(60)])
def test_other_formats_under_the_name_of_an_image_start_nothing(tmp_path, content):
    started = []

    def hook(event, arguments):
        if event in {"subprocess.Popen", "os.exec", "os.system", "os.posix_spawn"}:
            started.append(arguments)

    sys.addaudithook(hook)
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png \(it is damaged or no PNG, JPEG or TIFF image\)"):
        read(tmp_path)
    assert started == []


def png_of(width, height):
    """A PNG whose header claims a size that its data doesn't have."""
    parts = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), zlib.compress(bytes(9)), b""
    chunks = zip((b"IHDR", b"IDAT", b"IEND"), parts, strict=True)
    made = [struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [
        (2**31 - 1, 2**31 - 1, "it claims more than 178 million pixels"),
        (17000, 17000, "it claims more than 178 million pixels"),  # 289 million
        (30000, 5900, r"it claims 30000 x 5900 pixels, more than \d\d bytes can hold"),
        (800, 300, r"it claims 800 x 300 pixels, more than \d\d bytes can hold"),
    ],
)
def test_sizes_that_lie(tmp_path, width, height, message):
    (tmp_path / "a.png").write_bytes(png_of(width, height))
    with pytest.raises(InputError, match=message):
        read(tmp_path, Options(max_memory=10**8))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_plain_images_are_not_taken_for_lies(tmp_path, suffix):
    """One colour is what compresses best."""
    options = {"compression": "tiff_lzw"} if suffix == ".tif" else {"optimize": True}
    for name, size in (("a", 2000), ("b", 2000)):
        save(tmp_path / f"{name}{suffix}", np.full((size, size, 3), 200, np.uint8), **options)
    assert read(tmp_path, Options(resize=(8, 8))).x.shape == (2, 3, 8, 8)
    with pytest.raises(InputError, match=r"its 2000 x 2000 pixels take 16 MB: allow that with --max-memory"):
        read(tmp_path, Options(resize=(8, 8), max_memory=10**6))


def test_all_images_together_must_fit(tmp_path):
    for name in "abc":
        save(tmp_path / f"{name}.png")
    with pytest.raises(InputError, match="and 720 bytes in memory, but 700 bytes are allowed"):
        read(tmp_path, Options(max_memory=700))  # 3 times 10 x 12 pixels, and once more while they are stacked
    assert len(read(tmp_path, Options(max_memory=720))) == 3


def test_pipes_links_and_odd_names_are_named(tmp_path):
    save(tmp_path / "good.png")
    save(tmp_path / "other.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "lost.png").symlink_to("nowhere.png")
    save(tmp_path / "line\nbreak.png")
    (tmp_path / "good.png").with_name("sep\u2028.png").write_bytes((tmp_path / "good.png").read_bytes())
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bytes\xff.png")).write_bytes((tmp_path / "good.png").read_bytes())
    with pytest.raises(
        InputError, match=r"6 images of .* can't be read: .*it is a pipe.* and 1 more; repair"
    ) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()  # the bytes that are no UTF-8 are shown as an escape
    dataset = read(tmp_path, Options(skip_bad=True))
    assert dataset.ids.tolist() == ["good.png", "other.png"]


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    save(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "good").symlink_to(tmp_path / "elsewhere")
    save(tmp_path / "data" / "bad" / "b.png")
    assert read(tmp_path / "data").ids.tolist() == ["bad/b.png", "good/a.png"]
    (tmp_path / "elsewhere" / "deep").symlink_to(tmp_path / "data")
    with pytest.raises(InputError, match="are one folder: remove the link, so that no file is read twice"):
        read(tmp_path / "data")


def test_pages_in_a_circle(tmp_path):
    """The second page of a TIFF says that it is followed by the first."""
    pages = [Image.new("L", (8, 8)), Image.new("L", (8, 8))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    data = bytearray((tmp_path / "a.tif").read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    second_at = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    second = struct.unpack_from("<I", data, second_at)[0]
    struct.pack_into("<I", data, second + 2 + 12 * struct.unpack_from("<H", data, second)[0], first)
    (tmp_path / "a.tif").write_bytes(data)
    for name in "bc":
        save(tmp_path / f"{name}.tif", np.zeros((8, 8), np.uint8))
    with pytest.raises(InputError, match=r"a\.tif \(it has 2 pages\)"):
        read(tmp_path)
    assert read(tmp_path, Options(skip_bad=True)).ids.tolist() == ["b.tif", "c.tif"]


@pytest.mark.parametrize("mapped", [False, True])
def test_a_damaged_tiff_among_good_ones(tmp_path, mapped):
    for name in "abc":
        save(tmp_path / f"{name}.tif")
    data = bytearray((tmp_path / "b.tif").read_bytes())
    data[4:8] = b"\xff\xff\xff\x7f"  # where the first page is said to be
    (tmp_path / "b.tif").write_bytes(data)
    with pytest.raises(InputError, match=r"1 image of .* can't be read: b\.tif \("):
        read(tmp_path, Options(mapped=mapped))
    dataset = read(tmp_path, Options(skip_bad=True, mapped=mapped))
    assert dataset.ids.tolist() == ["a.tif", "c.tif"]
    assert "b.tif" in dataset.notes[0]


def test_what_images_lose_when_they_are_read_is_told(tmp_path):
    for i in range(2):
        save(tmp_path / f"grey{i}.png")
        save(tmp_path / f"clear{i}.png", RNG.integers(0, 256, (10, 12, 4), dtype=np.uint8))
    _deep_colours(tmp_path / "deep.png")
    assert read(tmp_path).notes == (
        f"2 of 5 images of {tmp_path} are grey, the others in colour: all were read as rgb.",
        f"2 of 5 images of {tmp_path} were read without transparency.",
        f"1 of 5 images of {tmp_path} were read without the lower 8 of the 16 bits of each colour, which only grey "
        "images keep.",
    )


def _deep_colours(path):
    """A PNG image of 10 x 12 pixels with 16 bits a colour, which Pillow can't write."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 12, 10, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(10 * 73)))]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in [*parts, (b"IEND", b"")]:
        data += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    path.write_bytes(data)


def test_a_folder_of_bad_images_says_what_is_wrong_with_them(tmp_path):
    (tmp_path / "x.png").touch()
    with pytest.raises(InputError, match=r"holds no readable image; .*1 image of .*x\.png \(it is damaged or no PNG"):
        read(tmp_path, Options(skip_bad=True))
