"""The chapters of the page in the lecture's order, and what each of them needs."""

from typing import NamedTuple


class Chapter(NamedTuple):
    """One chapter; its words and drawings are in `web/src/chapters/`."""

    id: str
    title: str
    needs: str = ""  # what the page must hold for it: the name of an entry of `networks`
    notebook: str = ""  # the notebook that it goes with


CHAPTERS = (
    Chapter("review", "Review: an image is numbers", notebook="00"),
    Chapter("convolution", "Convolution", notebook="01"),
    Chapter("tasks", "Classification and segmentation", notebook="00"),
    Chapter("autoencoder", "Convolutional autoencoder", needs="cae", notebook="03"),
    Chapter("from-cae", "From CAE to FCN", notebook="04"),
    Chapter("transposed", "Transposed convolution", notebook="01"),
    Chapter("fully", "Fully convolutional", needs="result", notebook="05"),
    Chapter("pixel", "A prediction under every pixel", needs="result", notebook="05"),
    Chapter("skips", "Skip connections", needs="strides", notebook="07"),
    Chapter("architecture", "Architecture", needs="result", notebook="08"),
    Chapter("training", "Training", needs="checkpoints", notebook="08"),
    Chapter("paint", "Paint and train", needs="paint", notebook="12"),
    Chapter("result", "Segmentation result", needs="result", notebook="08"),
)
ALONE = tuple(chapter.id for chapter in CHAPTERS if not chapter.needs)  # those without a network
