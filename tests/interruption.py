"""Training that is interrupted."""

from oddgan.training import Callback


class Stop(Callback):
    """Interrupts training after a number of steps, over all phases."""

    def __init__(self, steps):
        self.steps = steps

    def iteration_ended(self, state):
        self.steps -= 1
        if not self.steps:
            raise KeyboardInterrupt
