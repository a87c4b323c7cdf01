"""FitModel: P(convert | lead, rep), shrunk, tested out of time, scored without a frame of pairs."""

from apportion_models.fit.classifier import HierarchicalClassifier
from apportion_models.fit.model import FitModel
from apportion_models.fit.worlds import Scene, Worlds

__all__ = ["FitModel", "HierarchicalClassifier", "Scene", "Worlds"]
