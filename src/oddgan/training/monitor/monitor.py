"""The callback that watches training for failures."""

from dataclasses import asdict

from oddgan._core.errors import InputError
from oddgan._core.monitoring import Alarm, Snapshots, Watched
from oddgan._core.notices import notice
from oddgan.training.callbacks import Callback, EventLog, Subject
from oddgan.training.monitor.diagnosis import CAUSES, Story, Symptom, Thresholds, symptoms
from oddgan.training.monitor.observers import Looks
from oddgan.training.monitor.remedies import NAMES, REMEDIES, Case
from oddgan.training.monitor.snapshots import Gallery
from oddgan.training.state import EpochRecord, State


class Monitor(Callback):
    """Tells mode collapse, a saturated or blind critic, vanishing or exploding gradients, and oscillation apart.

    After each epoch, or every few, it compares samples with training rows, and looks back at gradients and at what
    critics said; see `docs/monitor.md`. A failure is told once in a phase, as a notice with what to do. Training is
    not changed: samples are drawn in evaluation mode from a generator of their own. Gradients are watched whatever is
    trained; critics and samples where there are some.

    Attributes
    ----------
    records : what was seen, one `Watched` a look.
    alarms : the failures, in the order in which they were noticed.
    snapshots : samples over time, once training has ended; None where there are none.

    Parameters
    ----------
    rows : training rows and samples that are compared, at most, >= 10.
    every : of so many updates of a player in an epoch, the first is looked at, >= 1.
    shown : samples of a snapshot, >= 1.
    looks : at most so many looks in a phase, >= 10: one after each epoch, or in longer phases one every few epochs, so
        that short epochs do not cost more to watch than to train.
    thresholds : when to speak.
    log : writes what was seen, and alarms, beside its own events.
    """

    def __init__(
        self,
        *,
        rows: int = 256,
        every: int = 8,
        shown: int = 64,
        looks: int = 100,
        thresholds: Thresholds | None = None,
        log: EventLog | None = None,
    ) -> None:
        if rows < 10 or every < 1 or shown < 1 or looks < 10:
            raise InputError(
                "Monitor takes rows and looks of at least 10, every and shown of at least 1, but got "
                f"{rows}, {looks}, {every}, {shown}."
            )
        self.looks = looks
        self.rows, self.every, self.shown, self.log = rows, every, shown, log
        self.thresholds = thresholds or Thresholds()
        self._looks = Looks(every)
        self._forget("training")

    def _forget(self, method: str) -> None:
        self.records: list[Watched] = []
        self.alarms: list[Alarm] = []
        self.snapshots: Snapshots | None = None
        self._method, self._story = method, Story(0)
        self._gallery: Gallery | None = None

    def fit_started(self, method: str, rows: int) -> None:
        """Forget what was seen before."""
        self._forget(method)

    def watch(self, subject: Subject) -> None:
        """Take the rows that samples are compared with."""
        self._gallery = None if subject.draw is None else Gallery(subject, self.rows, self.shown)

    def phase_started(self, state: State) -> None:
        """Begin a story."""
        self._story = Story(state.phase.epochs, stride=-(-state.phase.epochs // self.looks))
        if self._gallery is not None:
            self._story.sizes, self._story.scale = self._gallery.sizes, self._gallery.scale
        self._looks.start_epoch()
        self._looks.listen(state.networks, (n for player in state.phase.players.values() for n in player.networks))

    def gradients_ready(self, state: State, player: str) -> None:
        """Look at every few updates of a player."""
        self._looks.update(player, state.networks, state.phase.players[player].networks)

    def epoch_ended(self, state: State, record: EpochRecord) -> None:
        """Put together what the epoch showed, and judge it."""
        if not state.phase.players or (record.epoch % self._story.stride and record.epoch != record.epochs):
            return
        story, judged = self._story, self._looks.judged()
        story.steps = state.clock.iteration + 1
        for player, norm in self._looks.first().items():
            story.first.setdefault(player, norm)
        story.critics |= {n: p for p, player in state.phase.players.items() for n in player.networks if n in judged}
        samples = None
        if self._gallery is not None and (drawn := self._gallery.look(state.networks, state.index, record.epoch)):
            samples, mean = drawn
            story.path.append(mean)
        gradients = self._looks.gradients()
        seen = Watched(record.phase, record.phase_index, record.epoch, record.losses, gradients, judged, samples)
        self._looks.start_epoch()
        self.records.append(seen)
        story.records.append(seen)
        if self.log is not None:
            self.log.write("monitor", **asdict(seen))
        told = {alarm.failure for alarm in self.alarms if alarm.phase_index == record.phase_index}
        for symptom in symptoms(story, self.thresholds):
            if not told.intersection((symptom.failure, *CAUSES.get(symptom.failure, ()))):
                told.add(symptom.failure)
                self._tell(state, record, symptom)

    def _tell(self, state: State, record: EpochRecord, symptom: Symptom) -> None:
        players, judges = state.phase.players, set(self._story.critics.values())
        critics = [player for name, player in players.items() if name in judges]
        others = [player for name, player in players.items() if name not in judges] or critics
        player = players[symptom.player] if symptom.player else others[0]
        rates = (critics[0].optimiser.lr, others[0].optimiser.lr) if critics else None
        case = Case(self._method, player.optimiser, rates)
        of = f" of {symptom.player!r}" if symptom.player else ""
        text = (
            f"{NAMES[symptom.failure]}{of} in phase {record.phase!r}, epoch {record.epoch}: {symptom.seen}. "
            f"What to do: {REMEDIES[symptom.failure](case)}."
        )
        alarm = Alarm(symptom.failure, symptom.player, record.phase, record.phase_index, record.epoch, text)
        self.alarms.append(alarm)
        if self.log is not None:
            self.log.write("alarm", **asdict(alarm))
        notice(text)

    def phase_ended(self, state: State) -> None:
        """Listen no more."""
        self._looks.stop()

    def fit_ended(self, seconds: float) -> None:
        """Keep some of the samples, on the scale of the data, and let the networks go."""
        self._looks.stop()
        if self._gallery is not None:
            self.snapshots, self._gallery = self._gallery.snapshots(), None
