"""Electrocardiograms: recordings become heartbeats with classes, and beats become splits. No torch."""

from oddgan.data.ecg.beat_records import read_beats
from oddgan.data.ecg.beats import AAMI, CLASSES, Beats, cut
from oddgan.data.ecg.filters import band_pass, find_peaks, without_baseline, without_mains
from oddgan.data.ecg.mitbih import mitbih_folder
from oddgan.data.ecg.records import Recording, read_record, read_records
from oddgan.data.ecg.rhythm import adapted_scores
from oddgan.data.ecg.splits import DS1, DS2, PROTOCOLS, BeatSplit, split_beats
from oddgan.options import EcgOptions

__all__ = [
    "AAMI",
    "CLASSES",
    "DS1",
    "DS2",
    "PROTOCOLS",
    "BeatSplit",
    "Beats",
    "EcgOptions",
    "Recording",
    "adapted_scores",
    "band_pass",
    "cut",
    "find_peaks",
    "mitbih_folder",
    "read_beats",
    "read_record",
    "read_records",
    "split_beats",
    "without_baseline",
    "without_mains",
]
