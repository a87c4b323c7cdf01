"""Worlds with known truth, to test everything that estimates, and the shipped sample company."""

from apportion_models.synthetic.company import SampleCompany, sample_company
from apportion_models.synthetic.future import Coming, coming, ended
from apportion_models.synthetic.world import BATCH_AT, World

__all__ = ["BATCH_AT", "Coming", "SampleCompany", "World", "coming", "ended", "sample_company"]
