"""The what-if panel: every knob with the base's value, and the scenario that a set of turned knobs is."""

from apportion.service.console.panel.draft import FREE, Panel, open_panel, read_panel
from apportion.service.console.panel.knobs import Choice, Group, Knob
from apportion.service.console.panel.told import told

__all__ = ["FREE", "Choice", "Group", "Knob", "Panel", "open_panel", "read_panel", "told"]
