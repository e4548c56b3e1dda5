"""Post-processing of finished pictures: operations, chains, metadata, pairing."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from photostyle.errors import ImageError, OptionError
from photostyle.finish.postprocess import joint_bilateral, median
from photostyle.images.picture import Metadata, load_image
from photostyle.images.saving import FORMATS, save_image
from photostyle.jobs.chains import Operation, PostJob, content_of, parse_operation, post_jobs
from photostyle.runtime.memory import Memory


def picture(seed: int, height: int = 40, width: int = 56) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    soft = torch.rand(1, 3, 5, 7, generator=generator)
    image = torch.nn.functional.interpolate(soft, (height, width), mode="bicubic")
    return (image + 0.1 * torch.rand(1, 3, height, width, generator=generator)).clamp(0, 1)


def test_parse() -> None:
    assert parse_operation("bilateral:d=9,sigma_color=0.1") == Operation(
        "bilateral", (("d", 9), ("sigma_color", 0.1))
    )
    assert str(parse_operation("guided")) == "guided:radius=5,epsilon=0.0001"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bilaterl", "did you mean bilateral"),
        ("median:s=3", "no 's'"),
        ("median:d=3.5", "a whole number"),
        ("median:d=1", "from 3 to 200"),
        ("guided:epsilon=nan", "from 1e-09"),
        ("guided:epsilon=", "a number"),
    ],
)
def test_refusals(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        parse_operation(text)


def test_median_against_opencv() -> None:
    image = picture(1, 64, 512)
    expected = cv2.medianBlur(image[0].permute(1, 2, 0).contiguous().numpy(), 5)
    ours = median(image, 5)[0].permute(1, 2, 0).numpy()
    assert np.array_equal(ours, expected)
    assert np.array_equal(
        ours[..., 0], ndimage.median_filter(image[0, 0].numpy(), 5, mode="nearest")
    )


def test_joint_bilateral_against_its_definition() -> None:
    """Petschnigg et al. 2004, equation 5, pixel by pixel in float64."""
    image, content = picture(1, 12, 512)[..., :20], picture(2, 12, 512)[..., :20]
    wide = [torch.zeros(1, 3, 12, 512) for _ in range(2)]
    for target, source in zip(wide, (image, content), strict=True):
        target[..., :20] = source
    ours = joint_bilateral(*wide, diameter=6, color=0.2)
    values, guide = (x[0].double().numpy() for x in wide)
    for y, x in ((0, 0), (5, 7), (11, 12)):
        total, norm = np.zeros(3), 0.0
        for j in range(max(0, y - 3), min(12, y + 4)):
            for i in range(max(0, x - 3), x + 4):
                near = ((y - j) ** 2 + (x - i) ** 2) / 2
                like = ((guide[:, y, x] - guide[:, j, i]) ** 2).sum() / (2 * 0.2**2)
                total += np.exp(-near - like) * values[:, j, i]
                norm += np.exp(-near - like)
        assert ours[0, :, y, x].numpy() == pytest.approx(total / norm, abs=1e-5)


def test_joint_bilateral_keeps_the_content_s_edges() -> None:
    content = torch.zeros(1, 3, 40, 60)
    content[..., 30:] = 1.0
    noisy = (0.3 + 0.4 * content + 0.1 * torch.randn(1, 3, 40, 60)).clamp(0, 1)
    out = parse_operation("joint-bilateral:d=60,sigma_color=0.1").apply(noisy, content)
    assert out[..., :30].std() < 0.5 * noisy[..., :30].std()
    assert (out[..., 30].mean() - out[..., 29].mean()) == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("name", ["bilateral", "guided", "joint-bilateral", "affine", "median"])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_depth_alpha_and_metadata_stay(tmp_path: Path, name: str, suffix: str) -> None:
    alpha = torch.rand(40, 56, generator=torch.Generator().manual_seed(5)).numpy()
    deep = suffix != ".jpg"
    given = Metadata(bit_depth=16 if deep else 8, alpha=alpha if deep else None)
    save_image(tmp_path / f"r{suffix}", picture(1), given)
    save_image(tmp_path / "c.png", picture(2, 80, 112))
    operation = parse_operation(name)
    job = post_jobs([tmp_path / f"r{suffix}"], (operation,), tmp_path / "c.png", tuple(FORMATS))[0]
    record = job.run(tmp_path / "out", Memory())
    before, after = load_image(job.picture), load_image(tmp_path / "out" / record["picture"])
    assert after.metadata.bit_depth == before.metadata.bit_depth
    assert after.image.shape == before.image.shape
    assert not torch.equal(after.image, before.image)
    if deep:
        assert np.array_equal(after.metadata.alpha, before.metadata.alpha)  # type: ignore[arg-type]


def test_a_chain_is_its_operations_in_order(tmp_path: Path) -> None:
    save_image(tmp_path / "r.png", picture(1))
    a, b = parse_operation("median:d=30"), parse_operation("bilateral:d=40,sigma_color=0.3")
    image = load_image(tmp_path / "r.png").image
    outs = []
    for n, chain in enumerate(((a, b), (b, a))):
        PostJob(f"o{n}", tmp_path / "r.png", chain).run(tmp_path, Memory())
        outs.append(load_image(tmp_path / f"o{n}.png").image)
        expected = chain[1].apply(chain[0].apply(image, None), None)
        assert torch.allclose(outs[n], expected, atol=0.51 / 255)
    assert not torch.equal(*outs)
    keys = {PostJob("o", tmp_path / "r.png", c).key for c in ((a,), (a, b), (b, a), (b,))}
    assert len(keys) == 4


def test_contents_are_paired_by_name(tmp_path: Path) -> None:
    (tmp_path / "contents").mkdir()
    save_image(tmp_path / "contents" / "r.jpg", picture(2))
    (tmp_path / "contents" / "r.ini").write_text("no picture")
    save_image(tmp_path / "r.png", picture(1))
    assert content_of(tmp_path / "r.png", tmp_path / "contents").name == "r.jpg"
    with pytest.raises(OptionError, match="no picture called s"):
        content_of(tmp_path / "s.png", tmp_path / "contents")
    with pytest.raises(OptionError, match="give it with content"):
        content_of(tmp_path / "r.png", None)


def test_a_content_of_other_proportions_is_refused(tmp_path: Path) -> None:
    save_image(tmp_path / "r.png", picture(1))
    save_image(tmp_path / "c.png", picture(1, 40, 40))
    job = PostJob("o", tmp_path / "r.png", (parse_operation("guided"),), tmp_path / "c.png")
    with pytest.raises(ImageError, match="other proportions"):
        job.run(tmp_path, Memory())
