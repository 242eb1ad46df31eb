from dataclasses import replace

import pytest

from oddgan._core.errors import InputError
from oddgan.detectors import KDE, PCA, AnoGAN, Ensemble, FAnoGAN, GANomaly
from oddgan.inversion import Hybrid, LatentAdam, LatentSearch, Restriction
from oddgan.networks import DCGAN_32, EGBAD_KDD, Auto, ConvLadder
from oddgan.objectives import R1, WGANGP, GradientPenalty
from oddgan.options import FitSpec, UsageError, parse_assignments
from oddgan.priors import Gaussian, Uniform
from oddgan.scores import WeightedSum
from oddgan.tasks.settings import build_detector, build_part, choices, detector_of
from oddgan.thresholds import MeanSigma, Threshold
from oddgan.training import Adam, FeatureMatching, LinearDecay, Penalised, TwoTimescale


def built(*texts, cls=AnoGAN):
    return build_detector(cls, parse_assignments(texts))


def test_a_part_is_named_in_any_spelling_and_built_from_its_fields():
    assert built("prior=uniform", "prior.low=-2").prior == Uniform(low=-2.0)
    assert built("threshold=mean-sigma", "threshold.k=2").threshold == MeanSigma(k=2.0)
    assert built("threshold=none").threshold is None


@pytest.mark.parametrize("text", ["residual,latent", "[residual, latent]", '["residual", "latent"]'])
def test_names_can_be_listed_without_quotes(text):
    assert built("composition=Maximum", f"composition.components={text}").composition.components == (
        "residual",
        "latent",
    )


def test_what_a_composition_learns_can_not_be_set():
    with pytest.raises(UsageError, match="Mixture has no field 'means'"):
        built("composition=Mixture", "composition.means=3")
    with pytest.raises(UsageError, match="OneClass has no field 'offset'"):
        built("composition=OneClass", "composition.offset=3")


def test_without_a_type_the_default_part_is_changed():
    assert built("inversion.optimiser.lr=0.2").inversion == LatentSearch(n_max=50, optimiser=LatentAdam(lr=0.2))
    assert built("search_loss.residual=1").search_loss == WeightedSum(residual=1.0, features=0.1)
    assert built("composition=WeightedSum", "composition.residual=1").composition == WeightedSum(residual=1.0)


def test_parts_nest():
    detector = built("backbone.image.width=16", cls=GANomaly)
    assert detector.backbone == Auto(image=ConvLadder(width=16))
    detector = built("optimiser.schedule=LinearDecay", "optimiser.schedule.end=0.1", cls=GANomaly)
    assert detector.optimiser == Adam(schedule=LinearDecay(end=0.1))
    detector = built("objective=WGANGP", "objective.regulariser=GradientPenalty", "objective.regulariser.weight=3")
    assert detector.objective == WGANGP(regulariser=GradientPenalty(weight=3.0))


def test_published_networks_have_names():
    assert built("backbone=DCGAN_32").backbone == DCGAN_32
    changed = built("backbone=dcgan-32", "backbone.width=8").backbone
    assert (changed.width, changed.init) == (8, DCGAN_32.init)


def test_numbers_keep_their_kind():
    detector = built("w_con=3", "latent_dim=8", cls=GANomaly)
    assert (detector.w_con, type(detector.w_con), detector.latent_dim) == (3.0, float, 8)


def test_what_is_not_set_stays_at_the_default():
    detector = built("epochs=3")
    assert detector.get_params() | {"epochs": None} == AnoGAN().get_params() | {"epochs": None}
    assert detector.prior == Gaussian()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latent_dim=6.5", "latent_dim takes a whole number, but is 6.5"),
        ("latent_dim=64.0", "latent_dim takes a whole number"),
        ("latent_dim=true", "latent_dim takes a whole number"),
        ("latent_dim=many", "latent_dim takes a whole number, but is 'many'"),
        ("contamination=low", "contamination takes a number"),
        ("latent_dim=none", "latent_dim takes a whole number, but is None"),
        ("latentdim=5", r"AnoGAN has no parameter 'latentdim'\. Did you mean latent_dim\? It takes .*n_critic"),
        ("scoring=slow", "scoring is 'slow': choose 'exact' or 'fast'"),
        ("inversion.reduce=max", r"inversion\.reduce is 'max': choose 'min' or 'mean'"),
        ("inversion.optimiser.betas=0.5", r"inversion\.optimiser\.betas takes a list"),
        ("inversion.optimiser.betas=[0.5]", r"inversion\.optimiser\.betas takes a list of 2 values, but has 1"),
        ("inversion.optimiser.betas=[0.5,x]", r"inversion\.optimiser\.betas takes a list"),
        ("prior=Unform", r"Unknown prior 'Unform'\. Did you mean Uniform\? Known: Gaussian"),
        ("prior=3", "prior takes a part, but is 3: choose Gaussian"),
        ("prior=LatentSearch", "Unknown prior 'LatentSearch'"),
        ("prior.low=-1", r"Gaussian has no field 'low'\. It takes none"),
        ("threshold.k=3", "threshold is none by default: choose --set threshold=TYPE from Conformal"),
        ("threshold=Fixed", r"Fixed needs value, e\.g\. --set threshold\.value=1"),
        ("inversion.optimiser.lr=-1", "lr=-1"),
    ],
)
def test_wrong_values_are_named(text, message):
    with pytest.raises(UsageError, match=message):
        built(text)


def test_what_a_part_learns_can_not_be_set():
    with pytest.raises(UsageError, match=r"MinMax has no field 'centre'.*It takes per, low, high"):
        built("scaling=MinMax", "scaling.centre=3")


def test_a_wrong_value_is_also_an_input_error():
    with pytest.raises(InputError):
        built("latent_dim=x", cls=FAnoGAN)


def test_a_part_by_itself():
    assert build_part(Threshold, {"type": "MeanSigma", "k": 2}) == MeanSigma(k=2.0)
    with pytest.raises(UsageError, match=r"Fixed needs value, e\.g\. --set value=1"):
        build_part(Threshold, {"type": "Fixed"})


def test_tuples_of_parts():
    two = (TwoTimescale(), FeatureMatching())
    for text in (
        "[TwoTimescale, FeatureMatching]",
        "TwoTimescale,FeatureMatching",
        '["TwoTimescale","FeatureMatching"]',
    ):
        assert built(f"stabilisers={text}").stabilisers == two
    table = '[{type="Penalised", regulariser="R1", every=16}, {type="TwoTimescale", critic=1e-3}]'
    assert built(f"stabilisers={table}").stabilisers == (
        Penalised(regulariser=R1(), every=16),
        TwoTimescale(critic=1e-3),
    )
    one = built("stabilisers.type=TwoTimescale", "stabilisers.critic=1e-3")
    assert one.stabilisers == (TwoTimescale(critic=1e-3),)
    assert built("stabilisers=[]").stabilisers == ()


def test_one_of_two_kinds_of_part_is_told_by_its_name():
    given = ["inversion=Hybrid", "inversion.search.n_max=3"]
    made = build_detector(FAnoGAN, parse_assignments(given)).inversion
    assert made == Hybrid(search=replace(Hybrid().search, n_max=3))
    with pytest.raises(UsageError, match=r"Hybrid has no field 'search_'\. Did you mean search"):
        build_detector(FAnoGAN, parse_assignments(["inversion=Hybrid", "inversion.search_=3"]))
    with pytest.raises(UsageError, match=r"Unknown inversion 'Nope'\. Known: EncoderInversion, Hybrid\."):
        build_detector(FAnoGAN, parse_assignments(["inversion=Nope"]))


def test_a_part_that_is_missing_is_named_by_example():
    with pytest.raises(
        UsageError, match=r"Projected needs support, e\.g\. --set inversion\.restriction\.support=\w+\.$"
    ):
        build_detector(AnoGAN, parse_assignments(["inversion.restriction=Projected"]))
    assert choices(Restriction).keys() == {"Accepted", "Projected", "SupportPenalty"}


def test_detectors_of_a_detector():
    given = 'detectors=[{type="AnoGAN", epochs=3, prior="Uniform"}, "KDE"]'
    made = build_detector(Ensemble, parse_assignments([given]))
    assert [type(d) for d in made.detectors] == [AnoGAN, KDE]
    assert made.detectors[0].epochs == 3
    assert made.detectors[0].prior == Uniform()
    assert build_detector(Ensemble, parse_assignments(["detectors=KDE,PCA"])).detectors[1].get_params() == (
        PCA().get_params()
    )
    with pytest.raises(UsageError, match=r"AnoGAN has no parameter 'epoch'\. Did you mean epochs"):
        build_detector(Ensemble, parse_assignments(['detectors=[{type="AnoGAN", epoch=3}]']))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("TwoTimes", "Did you mean TwoTimescale"),
        ("3", r"takes a list, e\.g\. \[CriticEnsemble, CriticWarmUp\], but is 3"),
        ('[{type="CriticWarmUp", step=3}]', "CriticWarmUp has no field 'step'.*steps"),
        ('[{type="CriticWarmUp", steps=0}]', "CriticWarmUp got steps=0"),
        ('[{type="CriticWarmUp"}, TwoTimescale]', "can't be read as a list.*Beside tables names need quotes"),
    ],
)
def test_tuples_of_parts_that_are_none(text, says):
    with pytest.raises(UsageError, match=says):
        built(f"stabilisers={text}")


CHANGED = {"batch_size": 20, "optimiser": {"lr": 0.5}}


def test_published_settings_are_where_others_begin():
    spec = FitSpec(
        method="egbad", source="x", published="kdd-99", settings={"batch_size": 20, "optimiser": {"lr": 0.5}}
    )
    found = detector_of(spec)
    assert (found.latent_dim, found.batch_size, found.optimiser.lr) == (32, 20, 0.5)
    assert found.backbone == EGBAD_KDD


def test_steps_take_the_place_of_published_passes():
    found = detector_of(FitSpec(method="f-anogan", source="x", published="OCT", settings={"steps": 7}))
    assert (found.steps, found.epochs, found.encoder_steps) == (7, None, 50_000)


@pytest.mark.parametrize(
    ("method", "message"), [("egbad", "Known: KDD99, MNIST"), ("kde", "No published settings of KDE are known")]
)
def test_unknown_published_settings_are_refused(method, message):
    with pytest.raises(UsageError, match=message):
        detector_of(FitSpec(method=method, source="x", published="other"))
