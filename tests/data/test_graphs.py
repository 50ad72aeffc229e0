import pytest
import torch

from mmdl_course.data.graphs import load_karate_club, load_les_miserables, load_southern_women

ALL = [load_karate_club, load_southern_women, load_les_miserables]


@pytest.mark.parametrize(
    ("load", "nodes", "edges"),
    [(load_karate_club, 34, 78), (load_southern_women, 32, 89), (load_les_miserables, 77, 254)],
)
def test_nodes_and_edges(load, nodes, edges):
    network = load()
    assert len(network) == nodes
    assert network.edges.shape == (edges, 2)
    assert (network.edges[:, 0] < network.edges[:, 1]).all()  # no loops, no edge twice the other way round
    assert len(network.edges.unique(dim=0)) == edges
    assert network.edges.max() == nodes - 1
    assert len(set(network.names)) == nodes


@pytest.mark.parametrize("load", ALL)
def test_the_matrix_has_each_edge_twice(load):
    network = load()
    matrix = network.adjacency
    assert torch.equal(matrix, matrix.T)
    assert matrix.diagonal().count_nonzero() == 0
    assert matrix.count_nonzero() == 2 * len(network.edges)
    assert matrix.sum() == 2 * network.weights.sum()
    reached = torch.linalg.matrix_power((matrix > 0).double() + torch.eye(len(network)), len(network))
    assert (reached > 0).all()  # in one piece


def test_most_friendships_stay_within_a_club():
    club = load_karate_club()
    assert club.labels.bincount().tolist() == [17, 17]
    first, second = club.labels[club.edges].T
    assert (first != second).sum() == 11
    assert club.classes[club.labels[0]] == "Mr. Hi"
    assert club.classes[club.labels[33]] == "Officer"


def test_women_meet_at_events_only():
    women = load_southern_women()
    assert (women.labels[women.edges] == torch.tensor([0, 1])).all()
    assert women.names[0] == "Evelyn Jefferson"
    assert women.names[18] == "E1"
    assert women.weights.unique().tolist() == [1]


def test_valjean_and_cosette_meet_most():
    novel = load_les_miserables()
    assert novel.labels is None
    first, second = novel.edges[novel.weights.argmax()].tolist()
    assert {novel.names[first], novel.names[second]} == {"Valjean", "Cosette"}
    assert novel.weights.max() == 31
