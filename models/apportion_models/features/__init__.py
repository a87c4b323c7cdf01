"""A lead's and a rep's features. Leads and reps are encoded apart; nothing here ever builds leads × reps rows."""

from apportion_models.features.leads import LeadEncoder
from apportion_models.features.reps import RepEncoder

__all__ = ["LeadEncoder", "RepEncoder"]
