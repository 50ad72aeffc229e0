"""Wheats and chaffs for linear_probe. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "softmax_regression_in_torch": """
def linear_probe(train_features, train_labels, test_features, test_labels):
    x, t = train_features.detach().flatten(1).float(), test_features.detach().flatten(1).float()
    mean, std = x.mean(0), x.std(0).clamp_min(1e-12)
    x, t = (x - mean) / std, (t - mean) / std
    classes = int(max(train_labels.max(), test_labels.max())) + 1
    layer = nn.Linear(x.shape[1], classes)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")
    def closure():
        optimiser.zero_grad()
        loss = F.cross_entropy(layer(x), train_labels) + 1e-3 * layer.weight.square().sum()
        loss.backward()
        return loss
    optimiser.step(closure)
    return (layer(t).argmax(1) == test_labels).float().mean().item()
""",
    "linear_support_vectors": """
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

def linear_probe(train_features, train_labels, test_features, test_labels):
    scaler = StandardScaler()
    x = scaler.fit_transform(train_features.detach().numpy().reshape(len(train_features), -1))
    t = scaler.transform(test_features.detach().numpy().reshape(len(test_features), -1))
    classifier = LinearSVC(dual="auto", C=0.1, max_iter=20000).fit(x, train_labels.numpy())
    return float((classifier.predict(t) == test_labels.numpy()).mean())
""",
    "ridge_to_one_hot": """
def linear_probe(train_features, train_labels, test_features, test_labels):
    x, t = train_features.detach().flatten(1).double(), test_features.detach().flatten(1).double()
    mean, std = x.mean(0), x.std(0) + 1e-12
    x, t = (x - mean) / std, (t - mean) / std
    y = F.one_hot(train_labels).double()
    w = torch.linalg.solve(x.T @ x + torch.eye(x.shape[1]).double(), x.T @ (y - y.mean(0)))
    return ((t @ w + y.mean(0)).argmax(1) == test_labels).double().mean().item()
""",
}

HEADER = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def flat(features):
    return features.detach().flatten(1).numpy()
"""

CHAFFS = {
    "tested_on_what_it_was_trained_on": dict(expects=("has not seen", "training samples"), source=HEADER + """
def linear_probe(train_features, train_labels, test_features, test_labels):
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(flat(train_features), train_labels.numpy())
    return float(probe.score(flat(train_features), train_labels.numpy()))
"""),
    "trained_on_everything": dict(expects=("has not seen", "training samples"), source=HEADER + """
def linear_probe(train_features, train_labels, test_features, test_labels):
    x, y = torch.cat([train_features, test_features]), torch.cat([train_labels, test_labels])
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=1e3, max_iter=2000)).fit(flat(x), y.numpy())
    return float(probe.score(flat(test_features), test_labels.numpy()))
"""),
    "a_stronger_probe_is_a_better_probe": dict(expects=("takes more than that", "must be linear"), source=HEADER + """
from sklearn.neighbors import KNeighborsClassifier

def linear_probe(train_features, train_labels, test_features, test_labels):
    probe = make_pipeline(StandardScaler(), KNeighborsClassifier(15)).fit(flat(train_features), train_labels.numpy())
    return float(probe.score(flat(test_features), test_labels.numpy()))
"""),
    "a_hidden_layer_helps": dict(expects=("takes more than that", "no hidden layer"), source=HEADER + """
from sklearn.neural_network import MLPClassifier

def linear_probe(train_features, train_labels, test_features, test_labels):
    probe = make_pipeline(StandardScaler(), MLPClassifier((32,), solver="lbfgs", max_iter=300, alpha=1.0, random_state=0))
    probe.fit(flat(train_features), train_labels.numpy())
    return float(probe.score(flat(test_features), test_labels.numpy()))
"""),
    "units_do_not_matter": dict(expects=("in which unit", "Standardise"), source=HEADER + """
def linear_probe(train_features, train_labels, test_features, test_labels):
    probe = LogisticRegression(max_iter=200)
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        probe.fit(flat(train_features), train_labels.numpy())
    return float(probe.score(flat(test_features), test_labels.numpy()))
"""),
    "each_set_has_its_own_scale": dict(expects=("does not depend on the others", "training samples alone"), source=HEADER + """
def linear_probe(train_features, train_labels, test_features, test_labels):
    x, t = (StandardScaler().fit_transform(flat(f)) for f in (train_features, test_features))
    probe = LogisticRegression(max_iter=2000).fit(x, train_labels.numpy())
    return float(probe.score(t, test_labels.numpy()))
"""),
    "features_are_vectors_anyway": dict(expects=("features of any shape", "Flatten"), source=HEADER + """
def linear_probe(train_features, train_labels, test_features, test_labels):
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    probe.fit(train_features.detach().numpy(), train_labels.numpy())
    return float(probe.score(test_features.detach().numpy(), test_labels.numpy()))
"""),
    "a_mean_over_places_loses_nothing": dict(expects=("features of any shape", "Flatten"), source=HEADER + """
def linear_probe(train_features, train_labels, test_features, test_labels):
    pooled = [f.detach().flatten(1).mean(dim=1, keepdim=True).numpy() for f in (train_features, test_features)]
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(pooled[0], train_labels.numpy())
    return float(probe.score(pooled[1], test_labels.numpy()))
"""),
}
