"""
When a decoded sentence is well-formed, decided mechanically.

It is when all of its words are words of the training texts, it ends like a sentence, and it does not
go round in circles: no word stands three times in a row, and no two to four words twice. This is
necessary for a good sentence and not enough for one; the share of real sentences that pass
is the ceiling. test/evaluate/words.ts is the same in TypeScript.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
ENDING = re.compile(r"[.!?…。！？][\"'”’)\]]*$")
MIN_OCCURRENCES = 2
MAX_LOOP_WORDS = 4


def words_of(text: str) -> list[str]:
    """Returns the words in lower case; numbers and signs are none."""
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


def known_words(texts: Iterable[str]) -> list[str]:
    """Returns the words that occur at least MIN_OCCURRENCES times, sorted."""
    counts = Counter(word for text in texts for word in words_of(text))
    return sorted(word for word, count in counts.items() if count >= MIN_OCCURRENCES)


def goes_in_circles(words: list[str]) -> bool:
    """Whether one word stands three times in a row, or the same two to four words twice."""
    for size in range(1, MAX_LOOP_WORDS + 1):
        times = 3 if size == 1 else 2
        for start in range(len(words) - size * times + 1):
            first = words[start : start + size]
            if all(words[start + size * i : start + size * (i + 1)] == first for i in range(1, times)):
                return True
    return False


def is_well_formed(text: str, known: frozenset[str]) -> bool:
    words = words_of(text)
    return (
        len(words) > 0
        and all(word in known for word in words)
        and ENDING.search(text) is not None
        and not goes_in_circles(words)
    )
