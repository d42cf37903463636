"""What stands in the pages of docs/ between fences, so that tests run it."""

import re

from .places import REPOSITORY


def blocks(page: str, language: str = "bash") -> list[str]:
    """The blocks of a language in `docs/<page>`, in their order."""
    text = (REPOSITORY / "docs" / page).read_text()
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", text)
