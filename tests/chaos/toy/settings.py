"""The toy's typed environment."""

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings


class ToySettings(ServiceSettings):
    name: str = "toy"
    orders: str = Field(description="The topic on which it is told what to do")
    events: str = Field(description="Its own topic")
    sink: str = Field(default="", description="host:port that takes letters, one id a line, and answers each with OK")
    mended: Path = Field(
        default=Path("mended"), description="Once this file is there, negative amounts are counted: a mended build"
    )
    claim_seconds: float = Field(default=3.0, gt=0, description="After which a silent claim of a letter counts as lost")
    clock_ahead_seconds: float = Field(default=0.0, description="By how much this process's clock is wrong")
    release: int = Field(default=1, ge=1, le=3, description="Which of `chaos.toy.newer_counter` this process is")
