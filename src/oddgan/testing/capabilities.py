"""Checks of what a detector can do, on each kind of data that its card names."""

import numpy as np

from oddgan.base import Encodes, Kind, Reconstructs, Samples
from oddgan.testing.checks import check, every_kind, require
from oddgan.testing.subject import Subject, normals

HOOKS: dict[str, type] = {
    "reconstruct": Reconstructs,
    "anomaly_map": Reconstructs,
    "encode": Encodes,
    "sample": Samples,
}


@check()
def methods_follow_hooks(subject: Subject, kind: Kind) -> None:
    """`hasattr` tells before and after `fit` whether it reconstructs, maps, encodes and samples."""
    for detector in (subject.make(), subject.fitted(kind)):
        for name, protocol in HOOKS.items():
            require(hasattr(detector, name) == isinstance(detector, protocol), f"{name} does not follow its hook.")


@check(every_kind)
def results_have_their_shapes(subject: Subject, kind: Kind) -> None:
    """Reconstructions have the rows' shape, maps that without channels, codes are (n, m)."""
    detector, X = subject.fitted(kind), normals(kind, 9, seed=1)
    if hasattr(detector, "reconstruct"):
        drawn, shown = detector.reconstruct(X), detector.anomaly_map(X)
        require(drawn.shape == X.shape and np.isfinite(drawn).all(), f"reconstruct gives {drawn.shape}, or not finite.")
        without_channels = X.shape if X.ndim == 2 else (9, *X.shape[2:])
        require(shown.shape == without_channels and (shown >= 0).all(), f"anomaly_map gives {shown.shape}, or < 0.")
    if hasattr(detector, "encode"):
        codes = detector.encode(X)
        m = getattr(detector, "latent_dim", codes.shape[-1])
        require(codes.shape == (9, m), f"encode gives {codes.shape}, latent_dim is {m}.")
    if hasattr(detector, "sample"):
        require(detector.sample(4).shape == (4, *X.shape[1:]), f"sample(4) gives {detector.sample(4).shape}.")
        one, again, other = (detector.sample(4, random_state=seed) for seed in (1, 1, 2))
        require(np.array_equal(one, again), "sample with the same random_state differs.")
        require(not np.array_equal(one, other), "sample with another random_state is the same.")
        require(not np.array_equal(detector.sample(4), detector.sample(4)), "sample without random_state repeats.")


@check(every_kind)
def maps_do_not_depend_on_other_rows(subject: Subject, kind: Kind) -> None:
    """A row's reconstruction, map, code and contributions are the same to the last bit when it comes alone."""
    detector, X = subject.fitted(kind), normals(kind, 9, seed=1)
    for name in ("reconstruct", "anomaly_map", "encode"):
        if hasattr(detector, name):
            of = getattr(detector, name)
            require(np.array_equal(of(X[4:5]), of(X)[4:5]), f"{name} differs.")


@check(every_kind)
def score_and_reconstruct_draw_the_same(subject: Subject, kind: Kind) -> None:
    """`_score` gives the reconstruction that `_reconstruct` draws, or there is neither."""
    detector, X = subject.fitted(kind), normals(kind, 9, seed=1)
    drawn = detector.explain(X).reconstruction
    require(hasattr(detector, "reconstruct") == (drawn is not None), "Only one of them draws.")
    require(drawn is None or np.array_equal(drawn, detector.reconstruct(X)), "They draw different ones.")


@check(every_kind)
def contributions_explain_columns_and_channels(subject: Subject, kind: Kind) -> None:
    """`explain` gives one finite contribution a column or channel, row by row; residuals where it reconstructs."""
    detector, X = subject.fitted(kind), normals(kind, 9, seed=1)
    found = detector.explain(X)
    if kind == "image":
        require(found.contributions is None, "Images have contributions.")
        return
    given, alone = (np.asarray(of.contributions, dtype=float) for of in (found, detector.explain(X[4:5])))
    require(given.shape == X.shape[:2] and np.isfinite(given).all(), f"They are {given!r}.")
    require(kind != "table" or found.map is found.contributions, "The map of a table is something else.")
    require(np.array_equal(alone, given[4:5]), "They depend on other rows.")
    if found.reconstruction is None:
        without = X.copy()
        without[:, 1] = detector._centre()[1]
        drop = found.score - detector.anomaly_score(without)
        require(np.array_equal(given[:, 1], drop), "They are not what leaving a column out takes off the score.")


@check(every_kind)
def reconstructions_have_the_scale_of_the_data(subject: Subject, kind: Kind) -> None:
    """Rows around 1000 are reconstructed around 1000."""
    detector, X = subject.make(), normals(kind, 24) + 1000.0
    if hasattr(detector, "reconstruct"):
        farthest = np.abs(detector.fit(X).reconstruct(X) - 1000).max()
        require(farthest < 100, f"They are up to {farthest:.4g} away.")
