"""Methods and parts as Markdown, from their cards, fields and docstrings."""

import dataclasses
import importlib
import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from oddgan._core.docstrings import parameter_docs
from oddgan._core.part_text import code_text
from oddgan._core.parts import arguments, is_part
from oddgan.base import KINDS, Detector, Encodes, Reconstructs, Samples
from oddgan.detectors import classes
from oddgan.families import EnsembleDetector, NeuralDetector, ProjectedDetector
from oddgan.tasks import default_steps, published, published_settings
from oddgan_docs.docstrings import cell, markdown_text, sections, to_markdown

_BASES = (Detector, NeuralDetector, ProjectedDetector)
_GROUPS = ("Adversarial", "Other networks", "Classical and floors", "Detectors of detectors")
_KINDS_OF_METHOD = dict(zip(_GROUPS, ("GAN", "network", "classical", "ensemble"), strict=True))
PARTS = {
    "priors": "Latent restriction: priors",
    "objectives": "Training stability: objectives and regularisers",
    "inversion": "Inference: inversion",
    "similarities": "Similarities",
    "scores": "Anomaly score: composition and components",
    "thresholds": "Anomaly score: thresholds",
    "scaling": "Scaling",
    "networks": "Networks",
    "training": "Training: optimisers, schedules, stabilisers, corruptions",
}
_TRAINING = (
    "Adam", "RMSProp", "SGD", "Constant", "LinearDecay", "CosineDecay", "StepDecay",
    "MinibatchDiscrimination", "MinibatchStdDev", "CriticEnsemble", "FeatureMatching", "TwoTimescale", "CriticWarmUp",
    "Penalised", "LabelSmoothing", "InstanceNoise",
    "GaussianCorruption", "ShuffleCorruption", "PermutationCorruption", "PatchCorruption", "MixedCorruption",
    "AutoCorruption",
)  # fmt: skip


def _group(cls: type[Detector]) -> str:
    if issubclass(cls, EnsembleDetector):
        return _GROUPS[3]
    return _GROUPS[0] if cls.card.gan else _GROUPS[1] if issubclass(cls, NeuralDetector) else _GROUPS[2]


def ordered() -> Iterator[tuple[str, list[tuple[str, type[Detector]]]]]:
    """The methods by group; in a group the oldest first."""
    for group in _GROUPS:
        members = [(name, cls) for name, cls in classes().items() if _group(cls) == group]
        if members:
            yield group, sorted(members, key=lambda pair: (pair[1].card.year, pair[0]))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; nothing without rows."""
    names, lines = list(head), list(rows)
    lines = [names, ["---"] * len(names), *lines] if lines else []
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def methods_table() -> str:
    """One line a method; kinds of data have a column where some method does not take all."""
    listed = [(name, cls, _KINDS_OF_METHOD[group]) for group, members in ordered() for name, cls in members]
    picky = any(len(cls.card.kinds) < len(KINDS) for _, cls, _ in listed)
    rows = [
        [f"[`{name}`](#{name.lower()})", cell(cls.card.summary), str(cls.card.year), kind]
        + [", ".join(cls.card.kinds)] * picky
        for name, cls, kind in listed
    ]
    return table(["class", "idea", "year", "kind"] + ["data"] * picky, rows)


def methods() -> str:
    """One section a method, by group."""
    out = []
    for group, members in ordered():
        out.append(f"## {group}\n")
        out += [_method(name, cls) for name, cls in members]
    return "\n".join(out)


def _method(name: str, cls: type[Detector]) -> str:
    card, parts = cls.card, sections(cls.__doc__ or "")
    text = [f"({name.lower()})=", f"### {name}", to_markdown(parts[""]), f"**Paper.** {_paper(cls)}"]
    text.append(f"**Can** {_abilities(cls)}.")
    own = {k: v for k, v in _defaults(cls).items() if _is_own(cls, k)}
    if own:
        text.append(_parameters(cls, own))
    changed = {k: v for k, v in _defaults(cls).items() if k not in own and (k == "composition" or _differs(cls, k, v))}
    if changed:
        items = ", ".join(f"`{k}={code_text(v)}`" for k, v in changed.items())
        text.append(f"**Defaults of its own** for [common parameters](#common-parameters): {items}.")
    if steps := default_steps(cls):
        listed = "; ".join(f"`{k}` " + ", ".join(f"{n} on {kind}" for kind, n in v.items()) for k, v in steps.items())
        text.append(f"**Trains** by default for {listed} data.")
    if found := published(cls):
        listed = "\n".join(f"- `{key}`: {_settings(name, key)}. {one.source}." for key, one in found.items())
        text.append(f"**Published settings**, `oddgan fit ... --published NAME`:\n\n{listed}")
    if card.deviations:
        listed = "\n".join(f"{i}. {markdown_text(d)}" for i, d in enumerate(card.deviations, start=1))
        text.append(f"**Deviations** from the paper:\n\n{listed}")
    return "\n\n".join(text) + "\n"


def _settings(name: str, key: str) -> str:
    """Published settings as they would be written."""
    return ", ".join(f"`{field}={code_text(value)}`" for field, value in published_settings(name, key).items())


def _paper(cls: type[Detector]) -> str:
    references = sections(cls.__doc__ or "").get("References")
    card = cls.card
    return to_markdown(references) if references else f"{card.authors}: {card.title}, {card.year}, <{card.link}>."


def _abilities(cls: type[Detector]) -> str:
    can = ["score"]
    if issubclass(cls, Reconstructs):
        can += ["reconstruct", "draw anomaly maps"]
    can += ["encode"] * issubclass(cls, Encodes) + ["sample"] * issubclass(cls, Samples)
    return ", ".join(can[:-1]) + " and " + can[-1] if len(can) > 1 else can[0]


def _defaults(cls: type) -> dict[str, Any]:
    return {k: p.default for k, p in inspect.signature(cls).parameters.items()}


def _is_own(cls: type, name: str) -> bool:
    return all(name not in _defaults(base) for base in _BASES if issubclass(cls, base))


def _differs(cls: type, name: str, value: Any) -> bool:
    return any(name in _defaults(b) and _defaults(b)[name] != value for b in _BASES if issubclass(cls, b))


def _parameters(cls: type, chosen: dict[str, Any]) -> str:
    docs = parameter_docs(cls)
    rows = [[f"`{k}`", f"`{code_text(v)}`", cell(docs.get(k, ""))] for k, v in chosen.items()]
    return table(["parameter", "default", "meaning"], rows)


def common_parameters() -> str:
    """The parameters that every detector has, then those of networks and of the classical methods."""
    titles = {
        Detector: "Every detector",
        NeuralDetector: "Detectors that train networks",
        ProjectedDetector: "Classical detectors that can project first",
    }
    out, seen = [], set()
    for base, title in titles.items():
        chosen = {k: v for k, v in _defaults(base).items() if k not in seen}
        seen |= chosen.keys()
        out.append(f"{title}:\n\n{_parameters(base, chosen)}")
    return "\n".join(out)


def parts() -> str:
    """One section a folder of parts, one entry a part."""
    out = []
    for folder, title in PARTS.items():
        module = importlib.import_module(f"oddgan.{folder}")
        found = {n: getattr(module, n) for n in module.__all__ if folder != "training" or n in _TRAINING}
        shown = dict(sorted(((n, c) for n, c in found.items() if _is_choice(c)), key=_place))
        out.append(f"## {title}\n\n`from oddgan.{folder} import {', '.join(shown)}`\n")
        out += [_part(name, value) for name, value in shown.items()]
    return "\n".join(out)


def _place(item: tuple[str, Any]) -> tuple[str, int]:
    """Where a part is defined: the author's order reads better than the alphabet."""
    return item[1].__module__, inspect.getsourcelines(item[1])[1]


def _is_choice(value: Any) -> bool:
    if inspect.isfunction(value):
        return value.__module__.startswith("oddgan.scores")
    return isinstance(value, type) and dataclasses.is_dataclass(value) and not inspect.isabstract(value)


def _part(name: str, value: Any) -> str:
    read = sections(inspect.getdoc(value) or "")
    text = [f"### {name}", to_markdown(read[""])]
    if isinstance(value, type):
        texts, given = (
            parameter_docs(value),
            {k: v for k, v in _defaults(value).items() if k not in {"centre", "spread"}},
        )
        rows = [
            [f"`{k}`", "" if v is inspect.Parameter.empty else f"`{code_text(v)}`", cell(texts.get(k, ""))]
            for k, v in _with_factories(value, given).items()
        ]
        if rows:
            text.append(table(["field", "default", "meaning"], rows))
    if read.get("References"):
        text.append("*" + "Source:* " + to_markdown(read["References"]))
    return "\n\n".join(text) + "\n"


def _with_factories(cls: type, given: dict[str, Any]) -> dict[str, Any]:
    made = {
        f.name: f.default_factory() for f in dataclasses.fields(cls) if f.default_factory is not dataclasses.MISSING
    }
    return {k: made.get(k, v) for k, v in given.items()}


def presets() -> str:
    """The published networks and what they are instances of."""
    networks = importlib.import_module("oddgan.networks")
    values = {name: getattr(networks, name) for name in networks.__all__ if name.isupper()}
    named = {name: value for name, value in values.items() if is_part(value)}
    return table(["name", "is"], [[f"`{name}`", f"`{_in_full(value)}`"] for name, value in named.items()])


def _in_full(value: Any) -> str:
    """A part with all fields that are plain numbers or names, defaults included."""
    plain = {k: v for k, v in arguments(value).items() if isinstance(v, int | float | str) and v is not False}
    return f"{type(value).__name__}({', '.join(f'{k}={v!r}' for k, v in plain.items())})"
