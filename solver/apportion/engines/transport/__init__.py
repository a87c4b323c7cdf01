"""Pure counts of any size, exactly: each lead to one rep or to nurture, so many leads a rep.

`supports` and `worthwhile` look at the problem itself; `solve` loads compiled code.
"""

from apportion.engines.transport.market import supports, worthwhile

__all__ = ["supports", "worthwhile"]
