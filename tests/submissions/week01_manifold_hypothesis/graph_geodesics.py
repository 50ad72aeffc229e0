"""Wheats and chaffs for graph_geodesics. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "cdist_as_it_comes": """
from scipy.sparse.csgraph import dijkstra

def graph_geodesics(points, *, neighbours):
    d = torch.cdist(points, points)
    near = d.topk(neighbours + 1, largest=False).indices[:, 1:]
    edges = torch.zeros_like(d)
    edges.scatter_(1, near, d.gather(1, near))
    edges = torch.maximum(edges, edges.T)
    return torch.tensor(dijkstra(edges.numpy(), directed=False))
""",
    "floyd_warshall_in_torch": """
def graph_geodesics(points, *, neighbours):
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    n = len(points)
    walk = torch.full((n, n), torch.inf)
    distance_to_others = distance.clone().fill_diagonal_(torch.inf)
    near = distance_to_others.topk(neighbours, largest=False).indices
    row = torch.arange(n)[:, None].expand_as(near)
    walk[row, near] = distance[row, near]
    walk = torch.minimum(walk, walk.T).fill_diagonal_(0)
    for k in range(n):
        walk = torch.minimum(walk, walk[:, k : k + 1] + walk[k : k + 1])
    return walk
""",
    "dijkstra_with_a_heap": """
import heapq

def graph_geodesics(points, *, neighbours):
    x = points.numpy().astype(float)
    n = len(x)
    edges = [{} for _ in range(n)]
    for i in range(n):
        d = np.linalg.norm(x - x[i], axis=1)
        order = [j for j in np.argsort(d, kind="stable") if j != i][:neighbours]
        for j in order:
            edges[i][j] = edges[j][i] = d[j]
    result = np.full((n, n), np.inf)
    for s in range(n):
        result[s, s] = 0
        queue = [(0.0, s)]
        while queue:
            d, i = heapq.heappop(queue)
            if d > result[s, i]:
                continue
            for j, w in edges[i].items():
                if d + w < result[s, j]:
                    result[s, j] = d + w
                    heapq.heappush(queue, (d + w, j))
    return torch.tensor(result)
""",
}

CHAFFS = {
    "hops_are_distances": dict(expects=("long as its edges", "do not count hops"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    from sklearn.neighbors import kneighbors_graph
    graph = kneighbors_graph(points.numpy(), neighbours, mode="connectivity", include_self=False)
    return torch.from_numpy(shortest_path(graph, directed=False))
"""),
    "i_am_my_own_neighbour": dict(expects=("long as its edges", "its own first neighbour"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    from sklearn.neighbors import kneighbors_graph
    graph = kneighbors_graph(points.numpy(), neighbours, mode="distance", include_self=True)
    return torch.from_numpy(shortest_path(graph, directed=False))
"""),
    "neighbourhood_is_mutual": dict(expects=("way back", "directed=False"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    from sklearn.neighbors import kneighbors_graph
    graph = kneighbors_graph(points.numpy(), neighbours, mode="distance", include_self=False)
    return torch.from_numpy(shortest_path(graph, directed=True))
"""),
    "everybody_is_a_neighbour": dict(expects=("around the corner", "gives back the chord"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    return torch.from_numpy(shortest_path(torch.cdist(points, points).numpy(), directed=False))
"""),
    "chords_between_joined_parts": dict(expects=("around the corner", "chord"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    from sklearn.neighbors import kneighbors_graph
    graph = kneighbors_graph(points.numpy(), neighbours, mode="distance", include_self=False)
    reachable = torch.from_numpy(np.isfinite(shortest_path(graph, directed=False)))
    return torch.where(reachable, torch.cdist(points, points), torch.inf)
"""),
    "unreachable_is_zero": dict(expects=("no walk between separate parts", "not 0"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    from sklearn.neighbors import kneighbors_graph
    graph = kneighbors_graph(points.numpy(), neighbours, mode="distance", include_self=False)
    walk = torch.from_numpy(shortest_path(graph, directed=False))
    return torch.where(torch.isinf(walk), 0.0, walk)
"""),
    "only_mutual_neighbours_are_joined": dict(expects=("long as its edges", "Edges"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    from sklearn.neighbors import kneighbors_graph
    graph = kneighbors_graph(points.numpy(), neighbours, mode="distance", include_self=False)
    return torch.from_numpy(shortest_path(graph.minimum(graph.T), directed=False))
"""),
    "the_largest_distances": dict(expects=("long as its edges", "Edges"), source="""
def graph_geodesics(points, *, neighbours):
    from scipy.sparse.csgraph import shortest_path
    d = torch.cdist(points, points)
    edge = torch.zeros_like(d)
    far = d.topk(neighbours).indices
    edge.scatter_(1, far, d.gather(1, far))
    return torch.from_numpy(shortest_path(edge.numpy(), directed=False))
"""),
}
