"""Small real graphs that networkx ships: friends in a club, guests at parties, characters of a novel."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.card import Card, Shipped, ship

__all__ = ["Network", "load_karate_club", "load_les_miserables", "load_southern_women"]

_LICENCE = "BSD-3-Clause (the package's; the data are facts published without a licence)"


@dataclass(frozen=True, kw_only=True, repr=False)
class Network(Shipped):
    """An undirected graph without loops.

    Attributes:
        names: what each node is.
        edges: two nodes per edge, the smaller number first; each edge once.
        weights: strength of the edge; what it counts is in the loader's docstring. 1 where edges have none.
        labels: class of each node, an index into classes; None where the source has none.
        classes: names of the classes.
    """

    names: tuple[str, ...]
    edges: Int64[Tensor, "edge 2"]
    weights: Float[Tensor, " edge"]
    labels: Int64[Tensor, " node"] | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def adjacency(self) -> Float[Tensor, "node node"]:
        """Weight of the edge between two nodes, 0 where there is none: symmetric, with an empty diagonal."""
        matrix = torch.zeros(len(self), len(self))
        first, second = self.edges.T
        matrix[first, second] = matrix[second, first] = self.weights
        return matrix


def load_karate_club() -> Network:
    """Who met whom outside the karate club that split in two.

    Returns:
        34 members and 78 edges. Weight: in how many of eight contexts the two met. Class: whose club the
        member joined after the split, Mr. Hi's or that of the officer.

    Raises:
        DataError: networkx is not installed.

    Source:
        W. W. Zachary 1977, "An Information Flow Model for Conflict and Fission in Small Groups".
    """
    card = ship(
        "networkx",
        title="Zachary's karate club",
        source="W. W. Zachary, An Information Flow Model for Conflict and Fission in Small Groups, "
        "Journal of Anthropological Research 33, 1977 (doi:10.1086/jar.33.4.3629752)",
        licence=_LICENCE,
    )
    import networkx as nx

    graph = nx.karate_club_graph()
    classes = ("Mr. Hi", "Officer")
    labels = [classes.index(graph.nodes[node]["club"]) for node in graph]
    return _network(graph, card, labels, classes)


def load_southern_women() -> Network:
    """Which women came to which social events: a bipartite graph.

    Returns:
        18 women, then 14 events, and 89 edges without weights. Class: woman or event.

    Raises:
        DataError: networkx is not installed.

    Source:
        A. Davis, B. B. Gardner and M. R. Gardner 1941, "Deep South".
    """
    card = ship(
        "networkx",
        title="Davis's southern women",
        source="A. Davis, B. B. Gardner and M. R. Gardner, Deep South, University of Chicago Press, 1941",
        licence=_LICENCE,
    )
    import networkx as nx

    graph = nx.davis_southern_women_graph()
    labels = [graph.nodes[node]["bipartite"] for node in graph]
    return _network(graph, card, labels, ("woman", "event"))


def load_les_miserables() -> Network:
    """Which characters of Victor Hugo's novel appear together.

    Returns:
        77 characters and 254 edges, no classes. Weight: in how many chapters the two appear together.

    Raises:
        DataError: networkx is not installed.

    Source:
        D. E. Knuth 1993, "The Stanford GraphBase".
    """
    card = ship(
        "networkx",
        title="Characters of Les Misérables",
        source="D. E. Knuth, The Stanford GraphBase, ACM Press, 1993 (cs.stanford.edu/~knuth/sgb.html)",
        licence="public domain (Knuth's page on the GraphBase); the copy: BSD-3-Clause (the package's)",
    )
    import networkx as nx

    return _network(nx.les_miserables_graph(), card)


def _network(
    graph: Any, card: Card, labels: list[int] | None = None, classes: tuple[str, ...] = ()
) -> Network:
    number = {node: index for index, node in enumerate(graph)}
    edges = sorted(
        (*sorted((number[a], number[b])), data.get("weight", 1)) for a, b, data in graph.edges(data=True)
    )
    return Network(
        names=tuple(map(str, graph)),
        edges=torch.tensor([(first, second) for first, second, _ in edges]),
        weights=torch.tensor([weight for *_, weight in edges], dtype=torch.float32),
        labels=None if labels is None else torch.tensor(labels),
        classes=classes,
        card=card,
    )
