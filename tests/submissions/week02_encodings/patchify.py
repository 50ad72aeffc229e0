"""Wheats and chaffs for patchify. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def patchify(images, size):
    count, channels, height, width = images.shape
    rows, columns = size
    cut = images.reshape(count, channels, height // rows, rows, width // columns, columns)
    cut = cut.permute(0, 2, 4, 1, 3, 5)
    return cut.flatten(3).flatten(1, 2)

def unpatchify(patches, size, shape):
    channels, height, width = shape
    rows, columns = size
    cut = patches.reshape(-1, height // rows, width // columns, channels, rows, columns)
    return cut.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, height, width)
"""


def but(*changes):
    """The right answer, but for some things, given as old, new, old, new, …"""
    source = RIGHT
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


WHEATS = {
    "einops": """
from einops import rearrange

def patchify(images, size):
    return rearrange(images, "b c (h p) (w q) -> b (h w) (c p q)", p=size[0], q=size[1])

def unpatchify(patches, size, shape):
    return rearrange(patches, "b (h w) (c p q) -> b c (h p) (w q)", p=size[0], q=size[1], c=shape[0], h=shape[1] // size[0])
""",
    "torch_unfold_and_fold": """
def patchify(images, size):
    return F.unfold(images, kernel_size=size, stride=size).transpose(1, 2)

def unpatchify(patches, size, shape):
    return F.fold(patches.transpose(1, 2), output_size=shape[1:], kernel_size=size, stride=size)
""",
    "two_loops": """
def patchify(images, size):
    n, c, h, w = images.shape
    parts = []
    for top in range(0, h, size[0]):
        for left in range(0, w, size[1]):
            parts.append(images[:, :, top:top + size[0], left:left + size[1]].reshape(n, -1))
    return torch.stack(parts, dim=1)

def unpatchify(patches, size, shape):
    c, h, w = shape
    out = patches.new_zeros(len(patches), c, h, w)
    number = 0
    for top in range(0, h, size[0]):
        for left in range(0, w, size[1]):
            out[:, :, top:top + size[0], left:left + size[1]] = patches[:, number].reshape(-1, c, *size)
            number += 1
    return out
""",
    "in_numpy": """
def patchify(images, size):
    a = np.asarray(images)
    n, c, h, w = a.shape
    p, q = size
    return a.reshape(n, c, h // p, p, w // q, q).transpose(0, 2, 4, 1, 3, 5).reshape(n, (h // p) * (w // q), c * p * q)

def unpatchify(patches, size, shape):
    a = np.asarray(patches)
    (c, h, w), (p, q) = shape, size
    return a.reshape(len(a), h // p, w // q, c, p, q).transpose(0, 3, 1, 4, 2, 5).reshape(len(a), c, h, w)
""",
    "tensor_unfold_and_concatenation": """
def patchify(images, size):
    windows = images.unfold(2, size[0], size[0]).unfold(3, size[1], size[1])
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(len(images), -1, images.shape[1] * size[0] * size[1])

def unpatchify(patches, size, shape):
    down, across = shape[1] // size[0], shape[2] // size[1]
    pieces = [part.reshape(-1, shape[0], *size) for part in patches.unbind(1)]
    bands = [torch.cat(pieces[r * across:(r + 1) * across], dim=3) for r in range(down)]
    return torch.cat(bands, dim=2)
""",
}

CHAFFS = {
    "a_reshape_is_enough": dict(
        expects=("by hand", "a reshape alone moves no number"),
        source="""
def patchify(images, size):
    return images.reshape(len(images), -1, images.shape[1] * size[0] * size[1])

def unpatchify(patches, size, shape):
    return patches.reshape(-1, *shape)
""",
    ),
    "split_and_forgot_to_move": dict(
        expects=("by hand", "a reshape alone moves no number"),
        source=but(
            "permute(0, 2, 4, 1, 3, 5)",
            "permute(0, 2, 3, 1, 4, 5)",
            "permute(0, 3, 1, 4, 2, 5)",
            "permute(0, 3, 1, 2, 4, 5)",
        ),
    ),
    "the_split_axes_in_the_other_order": dict(
        expects=("one pixel changes one patch", "belongs to"),
        source=but(
            "height // rows, rows, width // columns, columns)",
            "rows, height // rows, columns, width // columns)",
            "permute(0, 2, 4, 1, 3, 5)",
            "permute(0, 3, 5, 1, 2, 4)",
        ),
    ),
    "channels_last": dict(
        expects=("patch by patch", "channel, then row"),
        source=but(
            "permute(0, 2, 4, 1, 3, 5)",
            "permute(0, 2, 4, 3, 5, 1)",
            "channels, rows, columns)",
            "rows, columns, channels)",
            "permute(0, 3, 1, 4, 2, 5)",
            "permute(0, 5, 1, 3, 2, 4)",
        ),
    ),
    "patches_column_by_column": dict(
        expects=("by hand", "first patch holds"),
        source=but(
            "permute(0, 2, 4, 1, 3, 5)",
            "permute(0, 4, 2, 1, 3, 5)",
            "height // rows, width // columns, channels",
            "width // columns, height // rows, channels",
            "permute(0, 3, 1, 4, 2, 5)",
            "permute(0, 3, 2, 4, 1, 5)",
        ),
    ),
    "transposed_inside": dict(
        expects=("by hand", "first patch holds"),
        source=but(
            "permute(0, 2, 4, 1, 3, 5)",
            "permute(0, 2, 4, 1, 5, 3)",
            "channels, rows, columns)",
            "channels, columns, rows)",
            "permute(0, 3, 1, 4, 2, 5)",
            "permute(0, 3, 1, 5, 2, 4)",
        ),
    ),
    "size_is_width_and_height": dict(
        expects=("by hand", "(rows, columns)"),
        source=RIGHT.replace("rows, columns = size", "columns, rows = size"),
    ),
    "patches_are_square": dict(
        expects=("by hand", "shape"), source=RIGHT.replace("rows, columns = size", "rows = columns = size[0]")
    ),
    "colours_are_three": dict(
        expects=("by hand", "shape"),
        source=but(
            "channels, height, width = images.shape",
            "_, height, width = images.shape\n    channels = 3",
        ),
    ),
    "unfold_as_it_comes": dict(
        expects=("by hand", "shape"),
        source="""
def patchify(images, size):
    return F.unfold(images, kernel_size=size, stride=size)

def unpatchify(patches, size, shape):
    return F.fold(patches, output_size=shape[1:], kernel_size=size, stride=size)
""",
    ),
    "grey_patches": dict(
        expects=("one pixel changes one patch", "shape"),
        source=RIGHT.replace(
            "count, channels, height, width = images.shape",
            "images = images.mean(1, keepdim=True)\n    count, channels, height, width = images.shape",
        ),
    ),
    "a_patch_for_each_channel": dict(
        expects=("one pixel changes one patch", "shape"),
        source=but(
            "permute(0, 2, 4, 1, 3, 5)",
            "permute(0, 1, 2, 4, 3, 5)",
            "return cut.flatten(3).flatten(1, 2)",
            "return cut.flatten(4).flatten(1, 3)",
        ),
    ),
    "back_by_a_reshape": dict(
        expects=("unpatchify", "Go backwards"),
        source=but("return cut.permute(0, 3, 1, 4, 2, 5).reshape(", "return patches.reshape("),
    ),
    "back_by_the_same_permutation": dict(
        expects=("unpatchify", "Go backwards"),
        source=but("permute(0, 3, 1, 4, 2, 5)", "permute(0, 2, 4, 1, 3, 5)"),
    ),
    "overlapping": dict(
        expects=("by hand", "shape"),
        source=RIGHT.split("def unpatchify")[0].split("    count")[0]
        + "    return F.unfold(images, kernel_size=size).transpose(1, 2)\n\ndef unpatchify"
        + RIGHT.split("def unpatchify")[1],
    ),
}
