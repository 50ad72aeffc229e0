"""What a sandbox is made of: how strong it is, what may be used in it, and where its folders are."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["LEVELS", "SCRATCH", "Box", "Level", "Limits"]

Level = Literal["full", "weak", "none"]
LEVELS: tuple[Level, ...] = ("full", "weak", "none")
SCRATCH = "/sandbox"  # the scratch disk in "full", as the kernel sees it
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one kernel and everything it starts may use."""

    # Bytes of address space of each process above the server's, of which threads reserve up to 1 GiB without
    # using it; all processes together may really use a quarter more.
    memory: int = 5120 * MIB
    disk: int = 512 * MIB  # bytes of the scratch disk; in "weak" and "none" of a single file
    processes: int = 128  # processes and threads
    open_files: int = 1024


@dataclass(frozen=True)
class Box:
    """What a sandbox is made of.

    Attributes:
        level: how much of it.
        limits: see `Limits`.
        work: the folder whose files the kernel finds in its working folder. Notebooks are left out.
        run: an empty folder of this kernel's own on the host; removed by whoever made it.
    """

    level: Level
    limits: Limits
    work: str
    run: str

    def to_json(self) -> dict[str, Any]:
        """For the way to the fork server."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Box":
        """The inverse of `to_json`."""
        return cls(**{**fields, "limits": Limits(**fields["limits"])})

    @property
    def scratch(self) -> str:
        """The only folder that can be written, as the kernel sees it."""
        return SCRATCH if self.level == "full" else f"{self.run}/scratch"

    @property
    def working_folder(self) -> str:
        """The kernel's working folder, as the kernel sees it."""
        return self.work if self.level == "none" else f"{self.scratch}/work"

    @property
    def own_folder(self) -> str:
        """A folder that is not the student's to look into, as the kernel sees it."""
        return self.run if self.level == "none" else f"{self.scratch}/run"
