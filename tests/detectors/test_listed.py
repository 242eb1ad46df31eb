"""The list of methods, from which the command line, the documentation and the contract tests take theirs."""

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
