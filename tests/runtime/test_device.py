"""Devices: their names, and how much memory is free."""

from pathlib import Path

import pytest
import torch

from photostyle.errors import DeviceError
from photostyle.runtime import device
from photostyle.runtime.device import fast_bfloat16, free_memory, in_threads, resolve_device


@pytest.mark.parametrize("name", ["abacus", "cpu:1", "auto:0", "cuda:x", "mps:0"])
def test_what_is_no_device_is_named(name: str) -> None:
    with pytest.raises(DeviceError, match=f"device {name} is no device"):
        resolve_device(name)


def test_a_gpu_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    found = [resolve_device(name) for name in ("auto", "cuda", "cuda:0", "cuda:1")]
    assert found == [torch.device(name) for name in ("cuda", "cuda:0", "cuda:0", "cuda:1")]
    with pytest.raises(DeviceError, match="device cuda:2: this PyTorch finds 2 CUDA GPUs"):
        resolve_device("cuda:2")


def test_free_memory_of_this_machine() -> None:
    found = free_memory(torch.device("cpu"))
    if not Path("/proc/meminfo").exists():
        assert found is None
    else:
        assert 2**20 < found < 2**50


def test_container_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert device._group_available(tmp_path) == 3000
    (tmp_path / "memory.max").write_text("max\n")
    assert device._group_available(tmp_path) is None
    assert device._group_available(tmp_path / "nowhere") is None


def test_memory_of_other_devices_is_not_known() -> None:
    assert free_memory(torch.device("meta")) is None


@pytest.mark.parametrize(
    ("able", "fast"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx2": True}, False),
        ({}, False),
    ],
)
def test_bfloat16_is_fast_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], fast: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    assert fast_bfloat16(torch.device("cpu")) is fast
    assert not fast_bfloat16(torch.device("meta"))


@pytest.mark.parametrize("threads", [1, 3])
def test_in_threads_does_all_parts_and_passes_faults_on(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            out = torch.zeros(20)

            def work(part: int) -> None:
                out[part] += part  # in a thread of another mode this would be refused

            in_threads(work, range(20), torch.device("cpu"))
        assert out.tolist() == list(range(20))
        with pytest.raises(ZeroDivisionError):
            in_threads(lambda part: 1 // part, [1, 0, 2], torch.device("cpu"))
    finally:
        torch.set_num_threads(before)
