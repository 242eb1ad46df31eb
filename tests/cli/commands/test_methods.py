from oddgan.detectors import classes


def test_the_table_names_every_method_with_its_year(run):
    found = run("methods")
    assert found.code == 0
    for cls in classes().values():
        assert cls.card.name in found.out
        assert str(cls.card.year) in found.out


def test_a_method_shows_its_parameters_and_deviations(run):
    found = run("methods", "fanogan")
    assert "encoder_loss = izi_f" in found.out
    assert "one of izi_f, izi, ziz" in found.out
    assert "https://doi.org/10.1016/j.media.2019.01.010" in found.out
    assert found.out.index("kappa =") < found.out.index("Parameters of every method") < found.out.index("device =")
    assert "1. " in found.out.partition("Deviations from the paper")[2]


def test_json_holds_the_same(run):
    listed = run("methods", "--json").json
    assert {row["class"] for row in listed} == set(classes())
    one = run("methods", "f-anogan", "--json").json
    assert {p["name"] for p in one["parameters"] if p["own"]} >= {"kappa", "encoder_loss", "latent_dim"}


def test_help_of_fit_with_a_method_shows_that_method_s_parameters(run):
    found = run("fit", "anogan", "--help")
    assert found.code == 0
    assert "n_seed = 4" in found.out
    assert "--method-file" in found.out
    assert run("fit", "anogann", "--help").code == 2
