"""Weights that are separate for each group of rows: storage, matrix products and optimiser steps."""

from typing import Literal, Protocol

import torch
from torch import Tensor

ADAM_EPS = 1e-8

# What a byte of memory traffic costs in floating-point operations: some 15 GB/s beside 60 GFLOP/s.
FLOPS_PER_BYTE = 4


class Rule(Protocol):
    """How private parameters move.

    Parameters
    ----------
    theta : "adam" and "shared" by Adam, "gradient" by plain gradient steps, "frozen" not at all.
    rate : step size.
    betas : Adam's decay rates of both moments.
    steps : most steps between two resets.
    precision : of matrix products, "fp32" (the network's own) or "bf16".
    """

    @property
    def theta(self) -> Literal["adam", "gradient", "shared", "frozen"]:
        """How parameters move."""
        ...

    @property
    def rate(self) -> float:
        """Step size."""
        ...

    @property
    def betas(self) -> tuple[float, float]:
        """Adam's decay rates."""
        ...

    @property
    def steps(self) -> int:
        """Most steps between two resets."""
        ...

    @property
    def precision(self) -> Literal["fp32", "bf16"]:
        """Of matrix products."""
        ...


class Adam:
    """Adam for stacked parameters; both moments are allocated once and forgotten by `reset`."""

    def __init__(self, rule: Rule) -> None:
        self.lr, (self.beta1, self.beta2) = rule.rate, rule.betas
        self.moments: tuple[Tensor, Tensor] | None = None
        self.count = 0

    def reset(self) -> None:
        """Start again."""
        self.count = 0

    def begin(self, like: Tensor) -> None:
        """Begin a step on parameters (groups, ...)."""
        if self.moments is None or self.moments[0].shape != like.shape:
            self.moments = torch.empty_like(like), torch.empty_like(like)
        if self.count == 0:
            for moment in self.moments:
                moment.zero_()
        self.count += 1

    def move(self, value: Tensor, gradient: Tensor, group: int | slice = slice(None)) -> None:
        """Move parameters (groups, ...) in place: those of one group, or all."""
        assert self.moments is not None  # noqa: S101
        first, second = (moment[group] for moment in self.moments)
        step = torch.tensor(float(self.count), device=value.device)
        torch._fused_adam_(
            [value],
            [gradient],
            [first],
            [second],
            [],
            [step],
            lr=self.lr,
            beta1=self.beta1,
            beta2=self.beta2,
            weight_decay=0.0,
            eps=ADAM_EPS,
            amsgrad=False,
            maximize=False,
        )


class Vector:
    """A small parameter of each group's own, stacked: the start is (1, ...), the value (groups, ...)."""

    def __init__(self, value: Tensor, rule: Rule) -> None:
        self.start, self.lr = value.detach(), rule.rate
        self.adam = Adam(rule) if rule.theta in ("adam", "shared") else None
        self.value = self.start

    def reset(self) -> None:
        """Take all groups back to the start."""
        self.value = self.start
        if self.adam is not None:
            self.adam.reset()

    def step(self, gradient: Tensor) -> None:
        """Move by the gradient (groups, ...)."""
        if self.adam is None:
            self.value = torch.add(self.value, gradient, alpha=-self.lr)
            return
        if self.value is self.start:
            self.value = self.start.expand_as(gradient).clone()
        self.adam.begin(self.value)
        self.adam.move(self.value, gradient.contiguous())  # the fused step reads memory in its order


class Matrix:
    """A matrix (a, b) that all groups share and that does not move; the base of those that do.

    Inputs x are (groups, p, a) with p rows for each group. With "bf16" products take rounded factors; whatever a
    group adds to the shared matrix is kept apart and in full precision, since a small step would be rounded away.
    """

    def __init__(self, value: Tensor, rule: Rule) -> None:
        low = rule.precision == "bf16"
        self.start, self.lr, self.steps = value.detach(), rule.rate, rule.steps
        self.dtype = torch.bfloat16 if low else value.dtype
        self.low = low
        self.shared = value.detach().to(self.dtype)

    def reset(self) -> None:
        """Take all groups back to the start."""

    def product(self, x: Tensor) -> Tensor:
        """Return x times each group's matrix, (groups, p, b)."""
        return (x.reshape(-1, x.shape[2]) @ self.shared).view(*x.shape[:2], -1)

    def back(self, d: Tensor) -> Tensor:
        """Return d (groups, p, b) times each group's transposed matrix, (groups, p, a)."""
        return (d.reshape(-1, d.shape[2]) @ self.shared.T).view(*d.shape[:2], -1)

    def step(self, x: Tensor, d: Tensor) -> None:
        """Move by the gradient Xᵀ D."""

    def bytes(self, p: int) -> int:
        """The memory that a group of p rows takes: its maps, rows and gradients, three of each, and its numbers."""
        a, b = self.start.shape
        return (3 * p * (a + b) + self.numbers(p, a, b)) * self.start.element_size()

    def numbers(self, p: int, a: int, b: int) -> int:
        """How many numbers a group of p rows keeps."""
        del p, a, b
        return 0


class Factored(Matrix):
    """Gradient steps that never build a matrix: W_t = W_0 - lr Σ_s X_sᵀ D_s, kept as the factors X_s and D_s."""

    def __init__(self, value: Tensor, rule: Rule) -> None:
        super().__init__(value, rule)
        self.factors: tuple[Tensor, Tensor] | None = None
        self.used = 0

    def reset(self) -> None:
        """Forget the factors."""
        self.used = 0

    def product(self, x: Tensor) -> Tensor:
        """Return x W_0 - lr (x Xᵀ) D, (groups, p, b)."""
        return self._correct(super().product(x), x, 0, 1)

    def back(self, d: Tensor) -> Tensor:
        """Return d W_0ᵀ - lr (d Dᵀ) X, (groups, p, a)."""
        return self._correct(super().back(d), d, 1, 0)

    def _correct(self, y: Tensor, x: Tensor, inner: int, outer: int) -> Tensor:
        if not self.used:
            return y
        assert self.factors is not None  # noqa: S101
        left, right = (self.factors[i][:, : self.used] for i in (inner, outer))
        return y.baddbmm_(torch.bmm(x, left.transpose(1, 2)), right, alpha=-self.lr)

    def step(self, x: Tensor, d: Tensor) -> None:
        """Keep one more pair of factors x (groups, p, a) and d (groups, p, b)."""
        start, self.used = self.used, self.used + x.shape[1]
        if self.low:  # products in bf16 would copy what is not contiguous
            old = self.factors if start and self.factors is not None else (x[:, :0], d[:, :0])
            self.factors = torch.cat([old[0], x], 1), torch.cat([old[1], d], 1)
            return
        shapes = [(len(x), self.steps * x.shape[1], v.shape[2]) for v in (x, d)]
        if self.factors is None or self.factors[0].shape != shapes[0]:
            self.factors = x.new_empty(shapes[0]), d.new_empty(shapes[1])
        for factor, new in zip(self.factors, (x, d), strict=True):
            factor[:, start : self.used] = new

    def numbers(self, p: int, a: int, b: int) -> int:
        """How many numbers a group of p rows keeps."""
        return self.steps * p * (a + b)


class Formed(Matrix):
    """Gradient steps on a matrix of each group's own."""

    def __init__(self, value: Tensor, rule: Rule) -> None:
        super().__init__(value, rule)
        self.own: Tensor | None = None  # the matrices (groups, a, b); with bf16, what they add to the shared one
        self.rounded: Tensor | None = None
        self.factor: Tensor | None = None  # what products take: `own`, rounded with bf16

    def reset(self) -> None:
        """Take all groups back to the start; memory is kept for the next sample."""
        self.factor = None

    def product(self, x: Tensor) -> Tensor:
        """Return x times each group's matrix, (groups, p, b)."""
        if self.factor is None or self.low:
            y = super().product(x)
            return y if self.factor is None else y.baddbmm_(x, self.factor)
        return torch.bmm(x, self.factor)

    def back(self, d: Tensor) -> Tensor:
        """Return d times each group's transposed matrix, (groups, p, a)."""
        if self.factor is None or self.low:
            y = super().back(d)
            return y if self.factor is None else y.baddbmm_(d, self.factor.transpose(1, 2))
        return torch.bmm(d, self.factor.transpose(1, 2))

    def step(self, x: Tensor, d: Tensor) -> None:
        """Move by the gradient Xᵀ D of x (groups, p, a) and d (groups, p, b)."""
        own = self._memory(len(x))
        if self.low:
            if self.factor is None:
                own.zero_()
            own.add_(torch.bmm(x.transpose(1, 2), d, out=self.rounded), alpha=-self.lr)
        else:
            before = own if self.factor is not None else self.start.expand_as(own)
            torch.baddbmm(before, x.transpose(1, 2), d, alpha=-self.lr, out=own)
        self._moved(own)

    def numbers(self, p: int, a: int, b: int) -> int:
        """How many numbers a group of p rows keeps."""
        return a * b

    def _memory(self, groups: int) -> Tensor:
        if self.own is None or len(self.own) != groups:
            self.own = self.start.new_empty(groups, *self.start.shape)
            # Memory that is taken anew costs as much as a product: each page of it is first filled with zeros.
            self.rounded = torch.empty_like(self.own, dtype=self.dtype) if self.low else None
        return self.own

    def _moved(self, own: Tensor) -> None:
        self.factor = own if self.rounded is None else self.rounded.copy_(own)


class Adaptive(Formed):
    """Adam's steps on a matrix of each group's own, one group after the other while its numbers are in the cache."""

    def __init__(self, value: Tensor, rule: Rule) -> None:
        super().__init__(value, rule)
        self.adam = Adam(rule)

    def reset(self) -> None:
        """Take all groups back to the start."""
        super().reset()
        self.adam.reset()

    def step(self, x: Tensor, d: Tensor) -> None:
        """Move by the gradient Xᵀ D of x (groups, p, a) and d (groups, p, b)."""
        own, fresh = self._memory(len(x)), self.factor is None
        self.adam.begin(own)
        for group in range(len(x)):
            if fresh:
                own[group].copy_(torch.zeros_like(self.start) if self.low else self.start)
            self.adam.move(own[group], (x[group].T @ d[group]).to(own.dtype), group)
        self._moved(own)

    def numbers(self, p: int, a: int, b: int) -> int:
        """How many numbers a group of p rows keeps."""
        return 3 * a * b


def matrix(value: Tensor, rule: Rule, p: int) -> Matrix:
    """Return the cheapest exact way to move a matrix (a, b) that p rows of each group meet.

    Factors cost 4 p² (a + b) operations for each pair of steps; a matrix of one's own 2 p a b for each step, and it is
    read in both passes and written.
    """
    if rule.theta == "frozen":
        return Matrix(value, rule)
    if rule.theta in ("adam", "shared"):
        return Adaptive(value, rule)
    a, b = value.shape
    factors = 2 * (p * rule.steps) ** 2 * (a + b)
    formed = rule.steps * a * b * (2 * p + 4 * value.element_size() * FLOPS_PER_BYTE)
    return Factored(value, rule) if factors < formed else Formed(value, rule)
