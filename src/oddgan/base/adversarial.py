"""The game between a critic and a generator, which many methods play as it is."""

from collections.abc import Iterator

from torch import Tensor, nn

from oddgan.networks import Logits
from oddgan.objectives import Objective
from oddgan.training import Clock, Update


def adversarial_updates(
    x: Tensor, fake: Tensor, clock: Clock, *, critic: nn.Module, objective: Objective, n_critic: int = 1
) -> Iterator[Update]:
    """One batch of the game: the player "critic" learns, and every `n_critic` batches the player "generator".

    Parameters
    ----------
    x : real samples (n, ...).
    fake : the generator's samples (n, ...), with their graph.
    clock : where training stands.
    critic : returns a judgement with logits (n,).
    objective : what both minimise; its penalty and its bounds hold for the critic.
    n_critic : critic updates for each generator update, >= 1.
    """
    detached, judge = fake.detach(), Logits(critic)
    loss = objective.critic(*judge.both(x, detached))
    yield Update("critic", loss + objective.penalty(judge, x, detached))
    objective.constrain(critic)
    if (clock.iteration + 1) % n_critic == 0:
        yield Update("generator", objective.generator(judge(fake)))
