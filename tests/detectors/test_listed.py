"""The list of methods, from which the command line, the documentation and the contract tests take theirs."""

from pathlib import Path

from oddgan import detectors

JOINT = {"Ensemble"}
CLASSICAL = {"KDE", "OCSVM", "IForest", "GMM", "KNN", "PCA", "MeanDistance"}
NO_GANS = JOINT | CLASSICAL | {"ARAE", "AutoEncoder", "DeepSVDD", "LSA", "NAE", "VAE", "WAIC"}


def test_all_methods_are_listed():
    neural = {
        "AAE",
        "ADGAN",
        "ALAD",
        "ALOCC",
        "ARAE",
        "AnoGAN",
        "AutoEncoder",
        "BeatGAN",
        "BetaVAEGAN",
        "ConstrainedAAE",
    }
    neural |= {
        "DeepSVDD",
        "EGBAD",
        "FAnoGAN",
        "GANomaly",
        "GPND",
        "JointEncoderGAN",
        "LAD",
        "LSA",
        "NAE",
        "OCGAN",
        "VAE",
        "WAIC",
    }
    assert detectors.classes().keys() == neural | CLASSICAL | JOINT


def test_cards_say_where_methods_come_from():
    for name, cls in detectors.classes().items():
        card = cls.card
        assert all((card.name, card.title, card.authors, card.summary, card.needs, card.kinds)), name
        assert card.link.startswith("https://"), name
        assert card.link in (cls.__doc__ or ""), name
        assert card.gan == (name not in NO_GANS), name


def test_cards_read_from_the_files_are_those_of_the_classes():
    assert detectors.cards() == {name: cls.card for name, cls in detectors.classes().items()}


def test_every_file_of_a_method_is_listed():
    files = {path.stem for path in Path(detectors.__file__).parent.glob("*.py")} - {"__init__"}
    assert {cls.__module__.rpartition(".")[2] for cls in detectors.classes().values()} == files
