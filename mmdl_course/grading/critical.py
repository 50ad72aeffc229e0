"""Functions of the libraries that a check relies on: whoever replaces one of them can change a mark.

Every builtin and every function of the checks belongs to them, too; those are found where they are.
"""

__all__ = ["CRITICAL"]

# Module (or class): its attributes, separated by spaces. Modules that are not loaded have no part in it.
# Not torch.manual_seed: torch itself replaces it when its compiler is loaded.
CRITICAL = {
    "numpy": """
        abs all allclose any argmax argsort array array_equal asarray equal errstate exp isclose
        isfinite isnan linalg max mean median min ndarray ones random save sqrt stack std sum
        unravel_index where zeros
    """,
    "numpy.linalg": "det eigh eigvalsh inv lstsq norm qr svd",
    "numpy.random": "Generator default_rng get_state seed set_state",
    "numpy.testing": "assert_allclose assert_array_equal assert_equal",
    "torch": """
        Generator Tensor abs all allclose any arange argmax as_tensor autograd equal eye
        get_rng_state isclose isfinite isinf isnan linalg linspace max mean min no_grad norm ones
        rand randn randperm set_rng_state stack sum tensor where zeros
    """,
    "torch.Tensor": """
        __abs__ __array__ __bool__ __eq__ __float__ __ge__ __getattribute__ __gt__ __le__ __len__
        __lt__ __ne__ __torch_function__ abs all allclose any as_subclass clone cpu detach
        diagonal dim dtype eq equal float is_sparse isclose isfinite isnan item layout max mean
        min norm numel numpy requires_grad reshape shape sum to to_dense tolist
    """,
    "torch.autograd": "backward grad",
    "torch.linalg": "det eigh inv lstsq norm qr svd",
    "torch.testing": "assert_close",
    "torch.nn.functional": """
        binary_cross_entropy_with_logits cosine_similarity cross_entropy linear log_softmax
        mse_loss normalize one_hot softmax
    """,
    "math": "exp fabs isclose isfinite isnan log sqrt",
    "random": "getstate seed setstate",
    "time": "monotonic perf_counter process_time sleep time",
    "copy": "copy deepcopy",
    "inspect": "getsource signature",
    "json": "dumps loads",
    "_json": "encode_basestring_ascii make_encoder",
    "_blake2": "blake2b",
    "marshal": "loads",
    "zlib": "decompress",
    "binascii": "a2b_base64",
    "posix": "environ urandom",
    "os": "close dup dup2 environ",
    "signal": "getsignal setitimer signal",
    "warnings": "catch_warnings",
    "contextlib": "ExitStack redirect_stderr",
    "tempfile": "TemporaryFile",
    "functools": "partial wraps",
    "sys": "_getframe addaudithook audit modules",
    "gc": "get_objects get_referents get_referrers",
}
