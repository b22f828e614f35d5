"""The catalogue: every data set that `load` knows, with licence, source, shape, size and checksums.

Checksums of downloads are those that public projects (TensorFlow Datasets, torchvision and others) record
for the publishers' files; those of C-MAPSS FD001 and of the small spoken digits were computed from such
files. Checksums of bundled files are of scikit-learn 1.9 and scikit-image 0.26; the installer checks these,
`load` does not.
"""

from __future__ import annotations

from importlib.resources import files as package_files

from dlexplain.data.entries import (
    BUNDLED_SKIMAGE,
    BUNDLED_SKLEARN,
    DOWNLOAD,
    GENERATED,
    DataFile,
    Entry,
    read_files,
)
from dlexplain.errors import InputError, MissingPackageError, suggest

DIGITS = tuple(str(digit) for digit in range(10))
UCI = "https://archive.ics.uci.edu/dataset/"
SKIMAGE = "https://scikit-image.org/docs/stable/api/skimage.data.html"
TRAIN_TEST = ("train", "test")


def _table(name: str, what: str, reader_option: str, **rest: object) -> Entry:
    options = {"loader": reader_option}
    return Entry(
        name, what, "table", BUNDLED_SKLEARN, "bundled:table", splits=TRAIN_TEST, options=options, **rest
    )


def _picture(
    name: str, what: str, shape: tuple[int, int, int], licence: str, file: str, **rest: object
) -> Entry:
    rest = {"how": BUNDLED_SKIMAGE, "source": SKIMAGE, "options": {"function": name}, **rest}
    return Entry(
        name, what, "image", reader="bundled:picture", samples=1, shape=shape, licence=licence,
        files=read_files((), file), **rest,
    )  # fmt: skip


SKLEARN_TABLES = (
    _table(
        "breast_cancer", "Thirty measurements of cell nuclei, benign or malignant (Wisconsin)",
        "load_breast_cancer",
        samples=569, shape=(30,), class_names=("malignant", "benign"), licence="CC BY 4.0",
        source=UCI + "17/breast+cancer+wisconsin+diagnostic",
        files=read_files((), """
        breast_cancer.csv 119913 fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed"""),
    ),
    _table(
        "wine", "Thirteen chemical measurements of wines from three growers", "load_wine",
        samples=178, shape=(13,), class_names=("class_0", "class_1", "class_2"), licence="CC BY 4.0",
        source=UCI + "109/wine",
        files=read_files((), """
        wine_data.csv 11157 10e8a802908b34f86e5da8ce962f3c806694bc98450a18f61851af59f324bede"""),
    ),
    _table(
        "diabetes", "Ten measurements of patients and how their diabetes went on a year later (a number)",
        "load_diabetes", samples=442, shape=(10,),
        licence="none stated by the publisher (Efron and others, 2004)",
        source="https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        files=read_files((), """
        diabetes_data_raw.csv.gz 7073 7fc0ded571454b1982210d3bb43f0aca44eae01a0b8654a3b24022bdb6b38009
        diabetes_target.csv.gz 1050 8e53f65eb811df43c206f3534bb3af0e5fed213bc37ed6ba36310157d6023803"""),
    ),
)  # fmt: skip

DIGITS_ENTRY = Entry(
    "digits", "Handwritten digits, 8 x 8 pixels", "image", BUNDLED_SKLEARN, "bundled:digits", 1797, (8, 8, 1),
    "CC BY 4.0", UCI + "80/optical+recognition+of+handwritten+digits", DIGITS, TRAIN_TEST,
    files=read_files((), """
    digits.csv.gz 57523 09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"""),
)  # fmt: skip

_PHOTO = "A photograph: "
_SKLEARN_PHOTO = {
    "how": BUNDLED_SKLEARN,
    "source": "https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_sample_image.html",
}
PICTURES = (
    _picture("china", _PHOTO + "a Chinese temple", (427, 640, 3), "CC BY 2.0 (danielbuechele)",
             "china.jpg 196653 8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
             options={"function": "china.jpg"}, **{k: _SKLEARN_PHOTO[k] for k in ("how", "source")}),
    _picture("flower", _PHOTO + "a flower", (427, 640, 3), "CC BY 2.0 (vultilion)",
             "flower.jpg 142987 a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
             options={"function": "flower.jpg"}, **{k: _SKLEARN_PHOTO[k] for k in ("how", "source")}),
    _picture("astronaut", _PHOTO + "the astronaut Eileen Collins", (512, 512, 3), "public domain (NASA)",
             "astronaut.png 791555 88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
    _picture("coffee", _PHOTO + "a cup of coffee", (400, 600, 3), "CC0 (Rachel Michetti)",
             "coffee.png 466706 cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"),
    _picture("cat", _PHOTO + "the cat Chelsea", (300, 451, 3), "CC0 (Stefan van der Walt)",
             "chelsea.png 240512 596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"),
    _picture("rocket", _PHOTO + "a rocket at lift-off", (427, 640, 3), "public domain (SpaceX)",
             "rocket.jpg 112525 c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c"),
    _picture("camera", _PHOTO + "a man behind a camera, grey", (512, 512, 1), "CC0 (Lav Varshney)",
             "camera.png 139512 b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a"),
    _picture("coins", _PHOTO + "Greek coins, grey", (303, 384, 1), "no known restrictions (Brooklyn Museum)",
             "coins.png 75825 f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba"),
    _picture("scanned_page", "A scanned page of printed text, unevenly lit", (191, 384, 1),
             "none stated by the publisher (scikit-image)",
             "page.png 47679 341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3",
             options={"function": "page"}),
    _picture("scanned_text", "Printed text with shadows over it", (172, 448, 1), "public domain (Wikipedia)",
             "text.png 42704 bd84aa3a6e3c9887850d45d606c96b2e59433fbef50338570b63c319e668e6d1",
             options={"function": "text"}),
    _picture("retina", "The back of a healthy eye", (1411, 1411, 3), "CC0 (Mikael Häggström)",
             "retina.jpg 269564 38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6"),
    _picture("microaneurysms", "A patch of a retina with lesions", (102, 102, 1), "CC0 (Andreas Maier)",
             "microaneurysms.png 4950 a1e1be59aa447f8ce082f7fa809997ab369a2b137cb6c4202abc647c7ccf6456"),
    _picture("stained_tissue", "Glands of a colon, stained", (512, 512, 3), "no known restrictions (CMMI)",
             "ihc.png 477916 f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
             options={"function": "immunohistochemistry"}),
    _picture("cell", "One cell floating in saline, by phase", (660, 550, 1), "CC0 (Paul Müller and others)",
             "cell.png 74183 8d23a7fb81f7cc877cd09f330357fc7f595651306e84e17252f6e0a1b3f61515"),
)  # fmt: skip

_PHOTO_NAMES = ("astronaut", "cat", "china", "coffee", "flower", "rocket")
PICTURE_SETS = (
    Entry(
        "photos", "The six colour photographs, cut square and scaled to one size", "image",
        f"{BUNDLED_SKIMAGE} and scikit-learn", "bundled:photos", 6, (None, None, 3),
        "as each photograph: astronaut, cat, coffee, rocket, china, flower", SKIMAGE, _PHOTO_NAMES,
        files=tuple(file for entry in PICTURES if entry.name in _PHOTO_NAMES for file in entry.files),
    ),
    Entry(
        "faces", "Faces and patches that hold none, 25 x 25 pixels, grey", "image", BUNDLED_SKIMAGE,
        "bundled:faces", 200, (25, 25, 1),
        "none stated by the publisher (a part of Labeled Faces in the Wild, for research)",
        "https://vis-www.cs.umass.edu/lfw/", ("no face", "face"), TRAIN_TEST,
        files=read_files((), """
        lfw_subset.npy 1000080 9560ec2f5edfac01973f63a8a99d00053fecd11e21877e18038fbe500f8e872c"""),
    ),
    Entry(
        "textures", "Patches of brick, grass and gravel, grey", "image", BUNDLED_SKIMAGE, "bundled:textures",
        192, (64, 64, 1), "CC0", SKIMAGE, ("brick", "grass", "gravel"), TRAIN_TEST,
        files=read_files((), """
        brick.png 106634 7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf
        grass.png 217893 b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89
        gravel.png 194247 c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12"""),
    ),
)  # fmt: skip

MNIST = Entry(
    "mnist", "Handwritten digits, 28 x 28 pixels", "image", DOWNLOAD, "idx:images", 70_000, (28, 28, 1),
    "CC BY-SA 3.0 (Y. LeCun, C. Cortes, C. Burges)", "http://yann.lecun.com/exdb/mnist/", DIGITS, TRAIN_TEST,
    "mnist",
    read_files((
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ), """
    train-images-idx3-ubyte.gz 9912422 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 \
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
    train-labels-idx1-ubyte.gz 28881 3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c \
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
    t10k-images-idx3-ubyte.gz 1648877 8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 \
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
    t10k-labels-idx1-ubyte.gz 4542 f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 \
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"""),
)  # fmt: skip

FASHION_MNIST = Entry(
    "fashion_mnist", "Pictures of clothes, 28 x 28 pixels", "image", DOWNLOAD, "idx:images", 70_000,
    (28, 28, 1), "MIT (Zalando Research)", "https://github.com/zalandoresearch/fashion-mnist",
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
     "Ankle boot"),
    TRAIN_TEST, "fashion_mnist",
    read_files((
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
        "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ), """
    train-images-idx3-ubyte.gz 26421880 3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84
    train-labels-idx1-ubyte.gz 29515 a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845
    t10k-images-idx3-ubyte.gz 4422102 346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073
    t10k-labels-idx1-ubyte.gz 5148 67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"""),
)  # fmt: skip

_CMAPSS_ARCHIVES = (
    DataFile(
        "CMAPSSData.zip", 12_425_978, "74bef434a34db25c7bf72e668ea4cd52afe5f2cf8e44367c55a82bfd91a5a34f",
        ("https://data.nasa.gov/docs/legacy/CMAPSSData.zip",
         "https://zenodo.org/records/15346912/files/CMAPSSData.zip?download=1"),
    ),
    DataFile(
        "6.+Turbofan+Engine+Degradation+Simulation+Data+Set.zip", 12_429_152,
        "c9c5dec12a945a82e8bb4446589d7fb3cc057b5e5d81fa1a12e25ee9912ad3b2",
        ("https://phm-datasets.s3.amazonaws.com/NASA/6.+Turbofan+Engine+Degradation+Simulation+Data+Set.zip",),
    ),
)  # fmt: skip
_CMAPSS_FILES = read_files((), """
    train_FD001.txt 3515356 963b5e22825b34d8b21c69e1aeb4af3e647050eb672ee8834ba4b5d91d2de0f8
    test_FD001.txt 2228855 3cda7109ce17bafb5443f2ac926cfcf88154b941b8c4cf95eb55d1ddd6f52851
    RUL_FD001.txt 429 a19c8ec94931949d0485bdc35118206e9c81c4547b422efb9cf86f4ceddbceca
    train_FD002.txt 9082480 dac6c4dbc4e7c1bdeb5747da3d313d05c395bb99801b44a002b26a2ba13d788f
    test_FD002.txt 5734587 de7b5bf7e998a985c378488480528b7c02cff1406a46740def362dda8d9b4e02
    RUL_FD002.txt 1110 c851dd96a6ea6998d3c4a8f834d3c8013aa90e93a6ed950dc826ad0655b2906b
    train_FD003.txt 4213862 2abbe9968cc5e8eb091980f51b20f62bb4127336d3482cb52071d53bf23329e2
    test_FD003.txt 2826651 299babd63c8d987cef079c4a425429f33b3a34797d803bbe2ad48c29dbd0d790
    RUL_FD003.txt 428 df1e0566306b174a2de41c67a3e7a51877889598b78643fc3e5685259091b7cb
    train_FD004.txt 10350705 27ef6160b6a1dcb2613a88de9c239f763b223f02cdc41dc5cdedc5dc189b6218
    test_FD004.txt 6957759 1dc675fff0624bac10786927c6715b37d1297657137400d2b1a3138d777a3ba5
    RUL_FD004.txt 1084 196b836b85a95ac7fdbbf29c5fdf1657382eafa445644d114ffaaf50dc2975e1""")  # fmt: skip


def _turbofan(subset: str, rows: int, conditions: str) -> Entry:
    return Entry(
        f"cmapss_{subset.lower()}", f"Turbofan engines run to failure, {conditions} (C-MAPSS {subset})",
        "series", DOWNLOAD, "turbofan:engines", rows, (24,), "US government work, public domain (NASA)",
        "https://data.nasa.gov/dataset/cmapss-jet-engine-simulated-data", None, TRAIN_TEST, "cmapss",
        tuple(file for file in _CMAPSS_FILES if subset in file.name), _CMAPSS_ARCHIVES, {"subset": subset},
    )  # fmt: skip


CMAPSS = (
    _turbofan("FD001", 20_631 + 13_096, "one condition, one fault"),
    _turbofan("FD002", 53_759 + 33_991, "six conditions, one fault"),
    _turbofan("FD003", 24_720 + 16_596, "one condition, two faults"),
    _turbofan("FD004", 61_249 + 41_214, "six conditions, two faults"),
)

_FSDD = "https://github.com/Jakobovski/free-spoken-digit-dataset"
_FSDD_RAW = "https://raw.githubusercontent.com/Jakobovski/free-spoken-digit-dataset/"


def _recordings() -> tuple[DataFile, ...]:
    """The small set's files, from the list beside this file: `sha256 bytes name` a line."""
    text = package_files("dlexplain.data").joinpath("spoken_digits_small.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines()]
    urls = [f"{_FSDD_RAW}{tag}/recordings/" for tag in ("v1.0.10", "v1.0.9")]
    return tuple(
        DataFile(name, int(size), sha, tuple(url + name for url in urls)) for sha, size, name in rows
    )


SPOKEN_DIGITS = (
    Entry(
        "spoken_digits_small",
        "Spoken digits, 3 speakers, 12 takes each, 8 kHz (a part of the Free Spoken Digit Dataset)", "sound",
        DOWNLOAD, "speech:recordings", 360, (None,), "CC BY-SA 4.0 (Z. Jackson and others)",
        _FSDD, DIGITS, TRAIN_TEST, "fsdd", _recordings(),
    ),
    Entry(
        "spoken_digits", "Spoken digits, 5 speakers, 50 takes each, 8 kHz (Free Spoken Digit Dataset 1.0.9)",
        "sound", DOWNLOAD, "speech:recordings", 2500, (None,), "CC BY-SA 4.0 (Z. Jackson and others)",
        _FSDD, DIGITS, TRAIN_TEST, "fsdd",
        (DataFile("free-spoken-digit-dataset-1.0.9.tar.gz", 11_975_353,
                  "8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0",
                  (_FSDD + "/archive/v1.0.9.tar.gz",)),),
    ),
)  # fmt: skip

_GROUPLENS = "GroupLens: for research, named as the source; not to be passed on without leave"
MOVIELENS = (
    Entry(
        "movielens_small", "Films liked by people, one after the other (MovieLens ml-latest-small)", "table", DOWNLOAD,
        "movielens:ratings", 610, (None,), _GROUPLENS, "https://grouplens.org/datasets/movielens/latest/",
        folder="movielens", files=read_files(("https://files.grouplens.org/datasets/movielens/",), """
        ml-latest-small.zip 978202 696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"""),
    ),
    Entry(
        "movielens_100k", "Films liked by people, one after the other (MovieLens 100K)", "table", DOWNLOAD,
        "movielens:ratings", 943, (None,), _GROUPLENS, "https://grouplens.org/datasets/movielens/100k/",
        folder="movielens", files=read_files(("https://files.grouplens.org/datasets/movielens/",), """
        ml-100k.zip 4924029 50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"""),
    ),
)  # fmt: skip

_OWN = {"licence": "MIT (made by dlexplain)", "source": "dlexplain.data.generators", "how": GENERATED}
MADE = (
    Entry("two_moons", "Two half circles that reach into each other", "table", reader="generators:two_moons",
          samples=400, shape=(2,), class_names=("upper", "lower"), **_OWN),
    Entry("spirals", "Spiral arms wound about each other", "table", reader="generators:spirals", samples=400,
          shape=(2,), class_names=("arm 1", "arm 2"), **_OWN),
    Entry("shapes", "Planted shapes with the mask of where they are; a shortcut can be planted too", "image",
          reader="generators:shapes", samples=400, shape=(32, 32, 1),
          class_names=("circle", "square", "triangle", "cross"), **_OWN),
    Entry("planted_table", "A table whose relevant columns and their weights are known", "table",
          reader="generators:planted_table", samples=1000, shape=(10,), class_names=("no", "yes"), **_OWN),
    Entry("fleet", "Pumps run to breakdown, a row a cycle; what breaks, since when and which sensor feels it",
          "series", reader="fleet:fleet", samples=17_898, shape=(8,),
          **_OWN | {"source": "dlexplain.data.fleet"}),
    Entry("road", "What a driver's camera sees of a winding road, and how an expert steers; masks of every part",
          "image", reader="driving:road_pictures", samples=1200, shape=(24, 40, 1),
          **_OWN | {"source": "dlexplain.data.driving"}),
    Entry("tastes", "People with planted tastes, the films that they watched, and each film's genre and fame", "table",
          reader="tastes:tastes", samples=1500, shape=(180,), **_OWN | {"source": "dlexplain.data.tastes"}),
)  # fmt: skip

ENTRIES: tuple[Entry, ...] = (
    DIGITS_ENTRY, *SKLEARN_TABLES, *PICTURES, *PICTURE_SETS, MNIST, FASHION_MNIST, *CMAPSS, *SPOKEN_DIGITS,
    *MOVIELENS, *MADE,
)  # fmt: skip


def find(name: str, entries: tuple[Entry, ...] = ENTRIES) -> Entry:
    """The entry of that name. Raises InputError with the nearest name."""
    known = {entry.name: entry for entry in entries}
    if name in known:
        return known[name]
    raise InputError(
        f"There is no data set {name!r} in the catalogue. {suggest(name, known)}"
        f"Known: {', '.join(sorted(known))}."
    )


def catalogue():
    """A pandas DataFrame, a row a data set; `bytes` is the sum of its files, `sha256` a dict by file name."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingPackageError(
            "The catalogue is a pandas table, and pandas is not installed. pip install pandas"
        ) from error
    return pd.DataFrame(
        {
            "name": entry.name,
            "what": entry.what,
            "kind": entry.kind,
            "samples": entry.samples,
            "shape": entry.shape,
            "classes": len(entry.class_names) if entry.class_names else None,
            "splits": entry.splits,
            "how": entry.how,
            "bytes": entry.size,
            "licence": entry.licence,
            "source": entry.source,
            "sha256": {file.name: file.sha256 for file in entry.files},
        }
        for entry in ENTRIES
    ).astype({"classes": "Int64"})
