"""The list of methods, from which the command line, the documentation and the contract tests take theirs."""

from oddgan import detectors


def test_all_methods_are_listed():
    neural = {"ADGAN", "AnoGAN", "FAnoGAN", "GANomaly", "AutoEncoder", "VAE"}
    neural |= {"DeepSVDD", "JointEncoderGAN", "WAIC"}
    neural = {"ADGAN", "AnoGAN", "BeatGAN", "BetaVAEGAN", "FAnoGAN", "GANomaly", "AutoEncoder", "LSA", "VAE"}
    classical = {"KDE", "OCSVM", "IForest", "GMM", "KNN", "PCA", "MeanDistance"}
    assert detectors.classes().keys() == neural | classical


def test_cards_say_where_methods_come_from():
    for name, cls in detectors.classes().items():
        card = cls.card
        assert all((card.name, card.title, card.authors, card.summary, card.needs, card.kinds)), name
        assert card.link.startswith("https://"), name
        assert card.link in (cls.__doc__ or ""), name
        assert card.gan == (name in {"ADGAN", "AnoGAN", "FAnoGAN", "GANomaly", "JointEncoderGAN"})
        assert card.gan == (name in {"ADGAN", "AnoGAN", "BeatGAN", "BetaVAEGAN", "FAnoGAN", "GANomaly"})
