"""Random draws and batch statistics over the whole batch while a worker has only its share of the rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from oddgan._core.errors import TrainingError
from oddgan.training.distributed.team import Team

_FACTORIES = {torch.rand, torch.randn, torch.randint}
_LIKE = {torch.rand_like, torch.randn_like, torch.randint_like}
_IN_PLACE = {
    getattr(Tensor, name)
    for name in ("uniform_", "normal_", "bernoulli_", "exponential_", "random_", "cauchy_", "geometric_", "log_normal_")
}
# What thins out values by factors that do not depend on them.
_DROPOUT = {
    functional.dropout, functional.dropout1d, functional.dropout2d, functional.dropout3d, torch.dropout,
    torch.feature_dropout,
}  # fmt: skip
# What draws, for each entry, in a way that depends on the entry.
_DEPENDENT = {
    torch.bernoulli, torch.normal, torch.poisson, torch.multinomial, torch.rrelu, functional.rrelu,
    functional.alpha_dropout, functional.feature_alpha_dropout, functional.gumbel_softmax,
}  # fmt: skip
_NORMS = {functional.batch_norm, torch.batch_norm}


_inside: list["Shared"] = []  # the mode of the step that is running


class _Sum(torch.autograd.Function):
    """The sum over all workers, which may be differentiated again and again.

    Training minimises the sum of what the workers compute. Each worker's sum depends on this worker's term, so the
    gradient at the term is the sum of all workers' gradients.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, team: Team) -> Tensor:
        ctx.team = team
        return team.add(x.clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return summed(gradients[0], ctx.team), None


def summed(x: Tensor, team: Team) -> Tensor:
    """The sum of all workers' tensors (...), which have one shape."""
    total: Tensor = _Sum.apply(x, team)  # type: ignore[no-untyped-call]
    return total


class Shared(TorchFunctionMode):
    """Inside, what is drawn or normalised for this worker's rows is part of what one process would draw for all rows.

    Every worker has the same stream of random numbers, draws for all rows and takes its own. What counts as a draw for
    rows is one whose first axis is as long as this worker's rows are many; any other is the same on all workers.

    Parameters
    ----------
    team : the workers.
    first, stop, total : this worker's rows of the batch, and how many all workers have.
    """

    def __init__(self, team: Team, first: int, stop: int, total: int) -> None:
        super().__init__()
        self.team, self.first, self.stop, self.total = team, first, stop, total

    def __enter__(self) -> Self:
        _inside.append(self)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        _inside.pop()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        how = _HANDLERS.get(func)
        return func(*args, **kwargs) if how is None else how(self, func, args, dict(kwargs))

    def gathered(self, x: Tensor) -> Tensor:
        """All workers' rows (total, ...) of which x (n, ...) are this one's, with a gradient to x."""
        if self._is_mine(x.shape):
            rows = torch.zeros(self.total, *x.shape[1:], dtype=x.dtype, device=x.device)
            return summed(torch.slice_scatter(rows, x, 0, self.first, self.stop), self.team)
        raise TrainingError(
            f"gathered takes one entry for each of the {self.stop - self.first} rows of a worker, but got the shape "
            f"{tuple(x.shape)}."
        )

    def _is_mine(self, shape: Sequence[int]) -> bool:
        return len(shape) > 0 and shape[0] == self.stop - self.first

    def _part(self, rows: Tensor) -> Tensor:
        return rows[self.first : self.stop].clone()

    def _all_like(self, x: Tensor) -> Tensor:
        """An empty tensor for all rows, laid out in memory as x (n, ...) is: draws follow the layout."""
        order = sorted(range(x.ndim), key=x.stride, reverse=True)
        return torch.empty_permuted((self.total, *x.shape[1:]), order, dtype=x.dtype, device=x.device)

    def _factory(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        before = list(args[: _before_size(args)]) if func is torch.randint else []
        size = kwargs.pop("size", None) or args[len(before) :]
        size = list(size[0]) if len(size) == 1 and not isinstance(size[0], int) else list(size)
        if not self._is_mine(size):
            return func(*args, **kwargs) if args else func(size=size, **kwargs)
        wants = kwargs.pop("requires_grad", False)
        return self._part(func(*before, [self.total, *size[1:]], **kwargs)).requires_grad_(wants)

    def _like(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if not self._is_mine(args[0].shape):
            return func(*args, **kwargs)
        return self._part(func(self._all_like(args[0]), *args[1:], **kwargs))

    def _in_place(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        x = args[0]
        if isinstance(x, nn.Parameter) or not self._is_mine(x.shape):  # weights have no rows
            return func(*args, **kwargs)
        return x.copy_(func(self._all_like(x), *args[1:], **kwargs)[self.first : self.stop])

    def _dropout(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        x = args[0] if args else kwargs.pop("input")
        if not self._is_mine(x.shape):
            return func(x, *args[1:], **kwargs)
        return x * self._part(func(self._all_like(x.detach()).fill_(1.0), *args[1:], **kwargs))

    def _dependent(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        rows = [isinstance(a, Tensor) and self._is_mine(a.shape) for a in args]
        if not any(rows):
            return func(*args, **kwargs)
        every = [self.gathered(a) if mine else a for a, mine in zip(args, rows, strict=True)]
        return func(*every, **kwargs)[self.first : self.stop]

    def _permutation(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if args[0] != self.stop - self.first:
            return func(*args, **kwargs)
        raise TrainingError(
            "The step shuffles its rows with torch.randperm, but several workers have a share of them each: shuffle "
            "what `gathered` returns, or train in one process."
        )

    def _norm(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
        given: dict[str, Any] = {"weight": None, "bias": None, "training": False, "momentum": 0.1, "eps": 1e-5}
        given |= dict(zip(names, args, strict=False)) | kwargs
        if not given["training"] or len(given["input"]) % (self.stop - self.first):
            return func(*args, **kwargs)
        return batch_norm(given, self.team)


def _before_size(args: Sequence[Any]) -> int:
    """How many numbers stand before the size in a call of torch.randint: high, or low and high."""
    return next((i for i, a in enumerate(args) if not isinstance(a, int)), len(args))


def batch_norm(given: Mapping[str, Any], team: Team) -> Tensor:
    r"""Normalise each channel of x (n, c, ...) by mean and variance over the rows of all workers.

    .. math:: y = \gamma \, (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta, \quad \sigma^2 = \frac1N \sum (x - \mu)^2

    The running statistics move towards μ and N σ²/(N - 1), as torch's do.

    Parameters
    ----------
    given : the arguments of `torch.nn.functional.batch_norm`.
    team : the workers.
    """
    x: Tensor = given["input"]
    others, shape = [i for i in range(x.ndim) if i != 1], [1, -1] + [1] * (x.ndim - 2)
    count = x.new_tensor([x.numel() / x.shape[1]])
    sums = summed(torch.cat([x.sum(others), count]), team)
    n = sums[-1].detach()
    mean = sums[:-1] / n
    centred = x - mean.view(shape)
    variance = summed(centred.square().sum(others), team) / n
    if given["running_mean"] is not None:
        with torch.no_grad():
            given["running_mean"].lerp_(mean, given["momentum"])
            given["running_var"].lerp_(variance * n / (n - 1), given["momentum"])
    y: Tensor = centred * (variance + given["eps"]).rsqrt().view(shape)
    y = y if given["weight"] is None else y * given["weight"].view(shape)
    return y if given["bias"] is None else y + given["bias"].view(shape)


_Handler = Callable[[Shared, Any, Sequence[Any], dict[str, Any]], Any]
_HANDLERS: dict[Any, _Handler] = (
    dict.fromkeys(_FACTORIES, Shared._factory)
    | dict.fromkeys(_LIKE, Shared._like)
    | dict.fromkeys(_IN_PLACE, Shared._in_place)
    | dict.fromkeys(_DROPOUT, Shared._dropout)
    | dict.fromkeys(_DEPENDENT, Shared._dependent)
    | dict.fromkeys(_NORMS, Shared._norm)
    | {torch.randperm: Shared._permutation}
)


def gathered(x: Tensor) -> Tensor:
    """All rows of the batch: x itself in one process; with several workers (total, ...), in the batch's order.

    For steps that decide or learn by the batch as a whole, e.g. by the mean or a quantile of a loss. Entry i of x must
    be about sample i. What every worker computes alike from it may be yielded as a loss ().
    """
    return _inside[-1].gathered(x) if _inside else x
