"""What holds the layers of prepared networks together: conversions, the axis of series, critics."""

import torch
from torch import Tensor, nn

from oddgan.networks.base import Judgement
from oddgan.networks.blocks.critics import part


class Prepared(nn.Module):
    """What `prepare` returns: conversions around the rebuilt network."""

    def __init__(self, body: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.body, self.dtype = body, dtype
        self.result = torch.float32 if dtype == torch.bfloat16 else dtype

    def forward(self, *inputs: Tensor) -> Tensor | Judgement:
        """Map inputs (n, ...) as the original does."""
        y = self.body(*(x.to(self.dtype) for x in inputs))
        if isinstance(y, Judgement):
            return Judgement(*(value.to(self.result) for value in y))
        result: Tensor = y.to(self.result)
        return result


class Reshape(nn.Module):
    """Add the axis that makes an image of a series, or take it away."""

    def __init__(self, *, lift: bool) -> None:
        super().__init__()
        self.lift = lift

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, c, t) to (n, c, 1, t), or back; codes pass."""
        if x.ndim == 2:
            return x
        return x.unsqueeze(2) if self.lift else x.squeeze(2)


class Widen(nn.Module):
    """Go on in float32."""

    def forward(self, x: Tensor) -> Tensor:
        """Map any values to the same in float32 or wider."""
        return x.float() if x.dtype == torch.bfloat16 else x


class Judge(nn.Module):
    """A critic: the layers up to the features, and those from there to the logit."""

    def __init__(self, lower: nn.Module, upper: nn.Module) -> None:
        super().__init__()
        self.lower, self.upper = lower, upper

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge inputs (n, ...): logit (n,), features (n, ...)."""
        features = self.lower(torch.cat([x, *others], 1) if others else x)
        return Judgement(self.upper(features).flatten(), features)


class JudgeJointly(nn.Module):
    """A critic of samples with codes."""

    def __init__(self, samples: nn.Module, codes: nn.Module, activation: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.samples, self.codes, self.activation, self.head = samples, codes, activation, head

    def forward(self, x: Tensor, *others: Tensor) -> Judgement:
        """Judge samples (n, c, ...) with codes (n, m): logit (n,), features (n, k)."""
        samples, codes = part(x, others)
        features = self.activation(self.samples(samples) + self.codes(codes))
        return Judgement(self.head(features).flatten(), features)
