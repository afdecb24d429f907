"""What a training says when it cannot go on."""


class CorpusMissingError(Exception):
    """The folder of texts, or the cache made from it, is not there."""


class TrainingStopped(Exception):
    """Training cannot go on; the message says why."""
