"""The game between a critic and a generator, which many methods play as it is."""

from collections.abc import Iterator

from torch import Tensor, nn

from oddgan.networks import Logits
from oddgan.objectives import Objective
from oddgan.training import Clock, Update


def critic_loss(critic: nn.Module, objective: Objective, real: Tensor, fake: Tensor) -> Tensor:
    """What a critic minimises (n,), the objective's penalty included, without a gradient to the fakes.

    Parameters
    ----------
    critic : returns a judgement with logits (n,).
    objective : gives the loss and the penalty.
    real, fake : samples or codes (n, ...); the logit is to be high on the real ones.
    """
    fake, judge = fake.detach(), Logits(critic)
    return objective.critic(*judge.both(real, fake)) + objective.penalty(judge, real, fake)


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
    yield Update("critic", critic_loss(critic, objective, x, fake))
    objective.constrain(critic)
    if (clock.iteration + 1) % n_critic == 0:
        yield Update("generator", objective.generator(critic(fake).logit))
