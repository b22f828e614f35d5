"""Downloads: resumed when cut, proved before they count, never half-read, clear where they cannot be had."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dlexplain.data import fetch, folders
from dlexplain.data.entries import DOWNLOAD, DataFile, Entry
from dlexplain.errors import DataError

from .publisher import Publisher, serving

CONTENT = np.random.default_rng(0).bytes(300_000)
ROOT = Path(__file__).resolve().parents[2]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def promised(*addresses: str, content: bytes = CONTENT, **more: object) -> DataFile:
    urls = tuple(address + "file.bin" for address in addresses)
    return DataFile("file.bin", len(content), sha(content), urls, **more)


def entry_of(*files: DataFile, archives: tuple[DataFile, ...] = ()) -> Entry:
    return Entry(
        "toy", "a toy", "table", DOWNLOAD, "none:none", 1, (1,), "CC0", "https://example.org/toy",
        folder="toy", files=files, archives=archives,
    )  # fmt: skip


def obtain(*files: DataFile, **more: object) -> dict[str, Path]:
    return fetch.obtain(entry_of(*files, **more), progress=False)


def only_file(cache: Path) -> Path:
    """The one visible file in the cache: no half file beside it."""
    visible = [path for path in cache.rglob("*") if path.is_file() and not path.name.endswith(".lock")]
    assert len(visible) == 1
    return visible[0]


def test_a_download_goes_on_where_it_was_cut(cache: Path) -> None:
    with serving(Publisher(CONTENT, cuts=[100_000, 150_000])) as publisher:
        path = obtain(promised(publisher.address))["file.bin"]
    assert path.read_bytes() == CONTENT
    assert only_file(cache) == path == cache / "toy" / "file.bin"
    assert publisher.asked[0] is None
    assert all(asked and asked != "bytes=0-" for asked in publisher.asked[1:])
    assert publisher.sent == len(CONTENT), "bytes that had arrived were sent again"


def test_many_cuts_do_not_end_it_while_bytes_arrive() -> None:
    with serving(Publisher(CONTENT, cuts=[20_000] * 14)) as publisher:
        assert obtain(promised(publisher.address))["file.bin"].read_bytes() == CONTENT
    assert len(publisher.asked) == 15


def test_a_server_without_ranges_or_length_is_asked_for_everything_again(cache: Path) -> None:
    with serving(Publisher(CONTENT, cuts=[100_000], ranges=False, tell_length=False)) as publisher:
        path = obtain(promised(publisher.address))["file.bin"]
    assert path.read_bytes() == CONTENT
    assert publisher.sent == 100_000 + len(CONTENT)
    assert only_file(cache) == path


def test_a_range_that_was_not_asked_for_is_not_glued_on() -> None:
    with serving(Publisher(CONTENT, cuts=[100_000], shifted=True)) as publisher:
        assert obtain(promised(publisher.address))["file.bin"].read_bytes() == CONTENT
    assert publisher.asked[-1] is None


def test_a_download_cut_for_good_is_kept_and_finished_next_time(cache: Path) -> None:
    with (
        serving(Publisher(CONTENT, cuts=[120_000] + [0] * 20)) as publisher,
        pytest.raises(DataError, match=r"cut at 120,000 of 300,000 bytes"),
    ):
        obtain(promised(publisher.address))
    assert len(publisher.asked) == 1 + fetch.BARREN_TRIES
    assert not (cache / "toy" / "file.bin").exists()
    with serving(Publisher(CONTENT)) as second:
        assert obtain(promised(second.address))["file.bin"].read_bytes() == CONTENT
    assert second.asked == ["bytes=120000-"]


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"?", bytes(len(CONTENT))], ids=["one byte", "all bytes"])
def test_wrong_bytes_are_refused_with_got_and_expected(cache: Path, wrong: bytes) -> None:
    users = cache / "toy" / "notes.txt"
    users.parent.mkdir(parents=True)
    users.write_text("mine")
    with serving(Publisher(wrong)) as publisher, pytest.raises(DataError) as caught:
        obtain(promised(publisher.address))
    assert f"SHA-256 {sha(wrong)}" in str(caught.value)
    assert f"SHA-256 {sha(CONTENT)}" in str(caught.value)
    assert only_file(cache) == users
    assert users.read_text() == "mine"


def test_a_page_of_another_length_never_touches_what_has_arrived(cache: Path) -> None:
    part = cache / "toy" / "file.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1000])
    with (
        serving(Publisher(b"<html>please log in</html>", ranges=False)) as publisher,
        pytest.raises(DataError, match=r"the server offers 26 bytes, expected 300,000 bytes"),
    ):
        obtain(promised(publisher.address))
    assert part.read_bytes() == CONTENT[:1000]


def test_more_bytes_than_promised_are_refused_without_filling_the_disk(cache: Path) -> None:
    with (
        serving(Publisher(CONTENT * 20, tell_length=False)) as publisher,
        pytest.raises(DataError, match=r"got [\d,]+ bytes .* expected 300,000 bytes") as caught,
    ):
        obtain(promised(publisher.address))
    written = int(re.search(r"got ([\d,]+) bytes", str(caught.value))[1].replace(",", ""))
    assert len(CONTENT) < written < len(CONTENT) + 100_000
    assert not list(cache.rglob("*.part"))


def test_a_wrong_half_from_earlier_is_thrown_away_and_fetched_anew(cache: Path) -> None:
    part = cache / "toy" / "file.bin.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    with serving(Publisher(CONTENT)) as publisher:
        assert obtain(promised(publisher.address))["file.bin"].read_bytes() == CONTENT
    assert publisher.asked == ["bytes=1000-", None]


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (503, fetch.BARREN_TRIES)])
def test_the_mirror_is_asked_where_the_publisher_refuses(status: int, tries: int) -> None:
    with serving(Publisher(b"", status=status)) as first, serving(Publisher(CONTENT)) as mirror:
        assert obtain(promised(first.address, mirror.address))["file.bin"].read_bytes() == CONTENT
    assert len(first.asked) == tries


def test_the_mirror_finishes_what_the_publisher_began() -> None:
    with (
        serving(Publisher(CONTENT, cuts=[200_000] + [0] * 9)) as first,
        serving(Publisher(CONTENT)) as mirror,
    ):
        assert obtain(promised(first.address, mirror.address))["file.bin"].read_bytes() == CONTENT
    assert mirror.asked == ["bytes=200000-"]


def test_the_name_appears_only_when_all_is_proved(cache: Path) -> None:
    target = cache / "toy" / "file.bin"
    seen: list[bool] = []
    with serving(
        Publisher(CONTENT, cuts=[99_000], before_last=lambda: seen.append(target.exists()))
    ) as publisher:
        obtain(promised(publisher.address))
    assert seen == [False, False]
    assert target.exists()


def test_what_is_here_is_proved_and_not_fetched_again(no_network: None, cache: Path) -> None:
    target = cache / "toy" / "file.bin"
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    assert obtain(promised("http://127.0.0.1:9/")) == {"file.bin": target}


CHILD = """
import sys
from pathlib import Path
from dlexplain.data import fetch
from dlexplain.data.entries import DataFile
url, size, sha, folder = sys.argv[1:]
print(fetch.download(DataFile("file.bin", int(size), sha, (url,)), Path(folder)))
"""


def child(address: str, folder: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", CHILD, address + "file.bin", str(len(CONTENT)), sha(CONTENT), str(folder)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_processes_at_once_fetch_it_once(cache: Path) -> None:
    both_run = threading.Event()
    with serving(Publisher(CONTENT, before_last=lambda: both_run.wait(20))) as publisher:
        pair = [child(publisher.address, cache / "toy") for _ in range(2)]
        deadline = time.monotonic() + 20
        while not publisher.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.5)  # time for the second to arrive at the lock
        both_run.set()
        outputs = [process.communicate(timeout=30) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], outputs
    assert only_file(cache).read_bytes() == CONTENT
    assert len(publisher.asked) == 1
    assert publisher.sent == len(CONTENT)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_killed_process_leaves_no_lock_and_its_half_is_used(cache: Path) -> None:
    never = threading.Event()
    with serving(Publisher(CONTENT, before_last=lambda: never.wait(20))) as publisher:
        process = child(publisher.address, cache / "toy")
        part = cache / "toy" / "file.bin.part"
        deadline = time.monotonic() + 20
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        never.set()
        arrived = part.stat().st_size
        assert 0 < arrived < len(CONTENT)
        publisher.before_last = None
        assert obtain(promised(publisher.address))["file.bin"].read_bytes() == CONTENT
    assert publisher.asked == [None, f"bytes={arrived}-"]


def test_offline_says_which_file_to_put_where(no_network: None, cache: Path) -> None:
    with pytest.raises(DataError) as caught:
        obtain(promised("http://example.org/data/"))
    message = str(caught.value)
    for part in (
        "'toy' is not complete", "the network is blocked by the test", f"Put by hand into {cache / 'toy'}",
        f"file.bin  300,000 bytes  SHA-256 {sha(CONTENT)}", "from http://example.org/data/file.bin",
        "https://example.org/toy", folders.FOLDERS_VARIABLE,
    ):  # fmt: skip
        assert part in message


def test_offline_by_wish_asks_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fetch.OFFLINE_VARIABLE, "1")
    with serving(Publisher(CONTENT)) as publisher, pytest.raises(DataError, match="DLEXPLAIN_OFFLINE is set"):
        obtain(promised(publisher.address))
    assert publisher.asked == []


def test_a_long_list_of_missing_files_is_shortened(no_network: None) -> None:
    files = [DataFile(f"{k}.bin", 1, sha(b"x"), ("http://example.org/",)) for k in range(30)]
    with pytest.raises(DataError, match="and 18 more of the same kind"):
        obtain(*files)


def test_a_file_put_by_hand_is_used_and_a_wrong_one_is_named_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (second / "toy").mkdir(parents=True)
    first.mkdir()
    monkeypatch.setenv(folders.FOLDERS_VARIABLE, f"{first}{os.pathsep}{second}")
    (second / "toy" / "file.bin").write_bytes(CONTENT)
    assert obtain(promised()) == {"file.bin": second / "toy" / "file.bin"}
    wrong = first / "file.bin"
    wrong.write_bytes(b"something else")
    with pytest.raises(DataError) as caught:
        obtain(promised())
    assert f"{wrong} is not the file.bin of 'toy': got 14 bytes with SHA-256 {sha(b'something else')}" in str(
        caught.value
    )
    assert f"expected 300,000 bytes with SHA-256 {sha(CONTENT)}" in str(caught.value)
    assert wrong.read_bytes() == b"something else"


def test_gzip_packed_again_counts_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published, again = gzip.compress(CONTENT, mtime=1), gzip.compress(CONTENT, mtime=2)
    assert published != again
    file = promised(content=published, unpacked_sha256=sha(CONTENT))
    monkeypatch.setenv(folders.FOLDERS_VARIABLE, str(tmp_path))
    path = tmp_path / "file.bin"
    path.write_bytes(again)
    assert obtain(file) == {"file.bin": path}
    for damaged in (again[:-4], again[:200] + b"????" + again[204:], gzip.compress(CONTENT[1:])):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"is not the file\.bin"):
            obtain(file)


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"a folder/{name}", content)
    return stream.getvalue()


def archive_file(address: str, content: bytes) -> DataFile:
    return DataFile("all.zip", len(content), sha(content), (address + "all.zip",))


@pytest.mark.parametrize("nested", [False, True])
def test_files_come_out_of_an_archive_each_proved(cache: Path, nested: bool) -> None:
    content = zipped(**{"file.bin": CONTENT, "../evil.txt": b"no"})
    if nested:
        content = zipped(**{"readme.txt": b"hello", "inner.zip": content})
    with serving(Publisher(content, cuts=[5000])) as publisher:
        got = obtain(promised(), archives=(archive_file(publisher.address, content),))
    assert got["file.bin"].read_bytes() == CONTENT
    assert {path.name for path in (cache / "toy").iterdir()} == {"file.bin", "all.zip", ".all.zip.lock"}
    assert not list(cache.parent.rglob("evil.txt"))


def test_an_archive_with_other_content_is_refused(cache: Path) -> None:
    for content, message in [
        (zipped(**{"file.bin": b"other"}), r"file.bin in .* is not the promised one: got 5 bytes"),
        (zipped(**{"other.bin": CONTENT}), "does not hold file.bin"),
        (b"not a zip at all", "cannot be unpacked"),
    ]:
        (cache / "toy").mkdir(parents=True, exist_ok=True)
        (cache / "toy" / "all.zip").write_bytes(content)
        with pytest.raises(DataError, match=message):
            obtain(promised(), archives=(archive_file("http://127.0.0.1:9/", content),))
        assert only_file(cache).name == "all.zip"


def test_every_archive_that_failed_is_named_with_the_way_out(no_network: None) -> None:
    archives = tuple(
        DataFile(f"{name}.zip", 9, sha(b"9"), (f"http://{name}.example.org/{name}.zip",))
        for name in ("one", "two")
    )
    with pytest.raises(DataError) as caught:
        obtain(promised(), archives=archives)
    for part in (
        "one.zip could not be downloaded",
        "two.zip could not be downloaded",
        "Instead of them",
        "file.bin",
    ):
        assert part in str(caught.value)


def test_a_cache_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with (
        serving(Publisher(CONTENT)) as publisher,
        pytest.raises(DataError, match=r"cache.toy cannot take file.bin"),
    ):
        obtain(promised(publisher.address))


def test_progress_is_shown_in_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Publisher(CONTENT, cuts=[100_000])) as publisher:
        fetch.obtain(entry_of(promised(publisher.address)))
    shown = capsys.readouterr().err
    assert "toy" in shown
    assert "300k/300k" in shown


def test_the_cache_follows_the_users_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    code = "from dlexplain.data.folders import cache_folder; print(cache_folder())"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if sys.platform != "darwin":  # which has one fixed place
        assert said.stdout.strip().startswith(str(tmp_path)), said.stderr
    assert said.stdout.strip().endswith("data")
