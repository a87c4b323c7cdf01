"""What-if: scenarios beside the base, on the tables of an assignment."""

from apportion.app.whatif.report import WhatIfReport
from apportion.app.whatif.run import KINDS, WhatIfRequest, whatif

__all__ = ["KINDS", "WhatIfReport", "WhatIfRequest", "whatif"]
