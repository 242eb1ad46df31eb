"""Training: phases of yielded updates, the loop, optimisers, moving averages, seeds, callbacks."""

from oddgan.training.augmentation import TimeWarp
from oddgan.training.batches import BatchSource, DatasetSource, Source, TensorSource
from oddgan.training.callbacks import Callback, EventLog, ProgressBar, Subject
from oddgan.training.checkpoints import Checkpoints, begin
from oddgan.training.corruption import (
    AutoCorruption,
    Corruption,
    GaussianCorruption,
    MixedCorruption,
    PatchCorruption,
    PermutationCorruption,
    ShuffleCorruption,
)
from oddgan.training.distributed.rows import gathered
from oddgan.training.distributed.sharing import SharedEngine
from oddgan.training.distributed.team import is_first, many, team, workers
from oddgan.training.ema import Ema
from oddgan.training.engine import Engine
from oddgan.training.growth import grown
from oddgan.training.length import Steps
from oddgan.training.loop import Plan, run
from oddgan.training.monitor import FAILURES, Alarm, Failure, Monitor, Thresholds
from oddgan.training.optimisers import (
    SGD,
    Adam,
    Constant,
    CosineDecay,
    LinearDecay,
    Optimiser,
    RMSProp,
    Schedule,
    StepDecay,
)
from oddgan.training.privacy.budget import Privacy, Release
from oddgan.training.privacy.engine import PrivateEngine, Spent
from oddgan.training.protocol import Clock, Memory, Phase, Player, Reduce, Step, Update
from oddgan.training.seeds import RandomState, generator, seeded
from oddgan.training.selection import Selection, Selector
from oddgan.training.stabilisers import (
    CriticEnsemble,
    CriticWarmUp,
    FeatureMatching,
    InstanceNoise,
    LabelSmoothing,
    MinibatchDiscrimination,
    MinibatchStdDev,
    Penalised,
    Stabiliser,
    TwoTimescale,
)
from oddgan.training.state import EpochRecord, State

__all__ = [
    "FAILURES",
    "SGD",
    "Adam",
    "Alarm",
    "AutoCorruption",
    "BatchSource",
    "Callback",
    "Checkpoints",
    "Clock",
    "Constant",
    "Corruption",
    "CosineDecay",
    "CriticEnsemble",
    "CriticWarmUp",
    "DatasetSource",
    "Ema",
    "Engine",
    "EpochRecord",
    "EventLog",
    "Failure",
    "FeatureMatching",
    "GaussianCorruption",
    "InstanceNoise",
    "LabelSmoothing",
    "LinearDecay",
    "Memory",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "MixedCorruption",
    "Monitor",
    "Optimiser",
    "PatchCorruption",
    "Penalised",
    "PermutationCorruption",
    "Phase",
    "Plan",
    "Player",
    "Privacy",
    "PrivateEngine",
    "ProgressBar",
    "RMSProp",
    "RandomState",
    "Reduce",
    "Release",
    "Schedule",
    "Selection",
    "Selector",
    "SharedEngine",
    "ShuffleCorruption",
    "Source",
    "Spent",
    "Stabiliser",
    "State",
    "Step",
    "StepDecay",
    "Steps",
    "Subject",
    "TensorSource",
    "Thresholds",
    "TimeWarp",
    "TwoTimescale",
    "Update",
    "begin",
    "gathered",
    "generator",
    "grown",
    "is_first",
    "many",
    "run",
    "seeded",
    "team",
    "workers",
]
