"""What the catalogue is made of: one `Entry` a data set, one `DataFile` a file.

The list itself is in `listing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BUNDLED_SKLEARN = "bundled with scikit-learn"
BUNDLED_SKIMAGE = "bundled with scikit-image"
DOWNLOAD = "download"
GENERATED = "generated"


@dataclass(frozen=True)
class DataFile:
    """One file as its publisher distributes it.

    `size` is in bytes. `unpacked_sha256` is the checksum of what a gzip file holds: it vouches for the same
    content packed again by someone else. `urls` are tried in order; empty where the file comes out of an
    archive.
    """

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...] = ()
    unpacked_sha256: str | None = None


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue.

    `reader` is `"module:function"` within `dlexplain.data`, imported when the data set is asked for.
    `folder` is the sub-folder that holds its `files`; `archives` are other packings that hold them too.
    """

    name: str
    what: str
    kind: str  # image, table, series or sound
    how: str
    reader: str
    samples: int
    shape: tuple[int | None, ...]  # of one sample; None where it varies or is the caller's choice
    licence: str
    source: str
    class_names: tuple[str, ...] | None = None
    splits: tuple[str, ...] = ()
    folder: str = ""
    files: tuple[DataFile, ...] = ()
    archives: tuple[DataFile, ...] = ()
    options: dict[str, object] = field(
        default_factory=dict
    )  # what the reader is told beside the caller's options

    @property
    def size(self) -> int:
        """Bytes of all files, unpacked from any archive."""
        return sum(file.size for file in self.files)


def read_files(urls: tuple[str, ...], rows: str) -> tuple[DataFile, ...]:
    """Data files from lines of `name size sha256 [sha256 of the unpacked content]`."""
    files = []
    for line in rows.strip().splitlines():
        name, size, sha256, *unpacked = line.split()
        addresses = tuple(url + name for url in urls)
        files.append(DataFile(name, int(size), sha256, addresses, unpacked[0] if unpacked else None))
    return tuple(files)
