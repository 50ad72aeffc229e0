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

# --- new

WHEATS |= {
    "numpy_zeros_are_doubles": """
def patchify(images, size):
    n, c, h, w = images.shape
    p, q = size
    out = np.zeros((n, (h // p) * (w // q), c * p * q))
    for b in range(n):
        k = 0
        for i in range(h // p):
            for j in range(w // q):
                out[b, k] = images[b, :, i * p:(i + 1) * p, j * q:(j + 1) * q].numpy().ravel()
                k += 1
    return out

def unpatchify(patches, size, shape):
    c, h, w = shape
    p, q = size
    out = np.zeros((len(patches), c, h, w))
    for b in range(len(patches)):
        for k in range(patches.shape[1]):
            i, j = divmod(k, w // q)
            out[b, :, i * p:(i + 1) * p, j * q:(j + 1) * q] = np.asarray(patches[b, k]).reshape(c, p, q)
    return torch.tensor(out)
""",
    "split_and_stack": """
def patchify(images, size):
    bands = torch.split(images, size[0], dim=2)
    tiles = [tile for band in bands for tile in torch.split(band, size[1], dim=3)]
    return torch.stack([tile.flatten(start_dim=1) for tile in tiles], dim=1)

def unpatchify(patches, size, shape):
    per_row = shape[2] // size[1]
    tiles = patches.unflatten(2, (shape[0], *size)).unbind(dim=1)
    return torch.cat([torch.cat(tiles[k : k + per_row], dim=-1) for k in range(0, len(tiles), per_row)], dim=-2)
""",
    "a_table_of_places": """
def _places(size, shape):
    return patchify_one(torch.arange(shape[0] * shape[1] * shape[2]).reshape(shape), size)

def patchify_one(image, size):
    c, h, w = image.shape
    return torch.stack([
        torch.stack([image[k, y + i, x + j] for k in range(c) for i in range(size[0]) for j in range(size[1])])
        for y in range(0, h, size[0]) for x in range(0, w, size[1])
    ])

def patchify(images, size):
    return torch.stack([patchify_one(image, size) for image in images])

def unpatchify(patches, size, shape):
    where = _places(size, shape).flatten()
    flat = torch.empty(len(patches), len(where), dtype=patches.dtype)
    flat[:, where] = patches.flatten(1)
    return flat.reshape(-1, *shape)
""",
    "a_convolution_that_only_looks": """
def patchify(images, size):
    c, (p, q) = images.shape[1], size
    kernel = torch.eye(c * p * q).reshape(c * p * q, c, p, q).to(images.dtype)
    return F.conv2d(images, kernel, stride=size).flatten(2).permute(0, 2, 1)

def unpatchify(patches, size, shape):
    (c, h, w), (p, q) = shape, size
    kernel = torch.eye(c * p * q).reshape(c * p * q, c, p, q).to(patches.dtype)
    grid = patches.permute(0, 2, 1).reshape(-1, c * p * q, h // p, w // q)
    return F.conv_transpose2d(grid, kernel, stride=size)
""",
    "two_transposes": """
def patchify(images, size):
    n, c, h, w = images.shape
    x = images.view(n, c, h // size[0], size[0], w // size[1], size[1])
    x = x.transpose(3, 4).contiguous()              # n c I J i j
    x = x.view(n, c, -1, size[0] * size[1])         # n c k ij
    return torch.transpose(x, 1, 2).reshape(n, x.shape[2], -1)

def unpatchify(patches, size, shape):
    n, k, _ = patches.shape
    x = patches.reshape(n, k, shape[0], -1).transpose(1, 2)
    x = x.reshape(n, shape[0], shape[1] // size[0], shape[2] // size[1], size[0], size[1])
    return x.transpose(3, 4).reshape(n, shape[0], shape[1], shape[2])
""",
}

CHAFFS |= {
    "as_many_down_as_across": dict(
        expects=("unpatchify", "Go backwards"),
        source=but(
            "    cut = patches.reshape(-1, height // rows, width // columns, channels, rows, columns)",
            "    side = int(patches.shape[1] ** 0.5)\n    cut = patches.reshape(-1, side, patches.shape[1] // side, channels, rows, columns)",
        ),
    ),
    "three_channels_on_the_way_back": dict(
        expects=("unpatchify", "shape"),
        source=but("channels, height, width = shape", "_, height, width = shape\n    channels = 3"),
    ),
    "shape_is_channels_last": dict(
        expects=("unpatchify", "channel, height, width"),
        source=but("channels, height, width = shape", "height, width, channels = shape"),
    ),
    "shape_is_width_and_height": dict(
        expects=("unpatchify", "Go backwards"),
        source=but("channels, height, width = shape", "channels, width, height = shape"),
    ),
    "pictures_are_square": dict(
        expects=("by hand", "shape"),
        source=RIGHT.replace("count, channels, height, width = images.shape", "count, channels, height, _ = images.shape\n    width = height"),
    ),
    "pictures_are_square_on_the_way_back": dict(
        expects=("unpatchify", "Go backwards"),
        source=but("channels, height, width = shape", "channels, height, _ = shape\n    width = height"),
    ),
    "size_is_the_number_of_patches": dict(
        expects=("by hand", "size"),
        source=but(
            "    cut = images.reshape(", "    rows, columns = height // rows, width // columns\n    cut = images.reshape("
        ),
    ),
    "one_image_at_a_time": dict(
        expects=("changing one pixel", "shape"),
        source=but("    return cut.flatten(3).flatten(1, 2)", "    return cut[:1].flatten(3).flatten(1, 2)"),
    ),
    "images_and_patches_mixed": dict(
        expects=("changing one pixel", "belongs to"),
        source=but("permute(0, 2, 4, 1, 3, 5)", "permute(2, 4, 0, 1, 3, 5)", "return cut.flatten(3).flatten(1, 2)", "return cut.reshape(count, -1, channels * rows * columns)"),
    ),
    "the_grid_is_kept": dict(
        expects=("by hand", "shape"),
        source=but("return cut.flatten(3).flatten(1, 2)", "return cut.flatten(3)"),
    ),
    "channels_run_fastest": dict(
        expects=("fresh sizes", "channel, then row"),
        source=but("permute(0, 2, 4, 1, 3, 5)", "permute(0, 2, 4, 3, 5, 1)"),
    ),
    "columns_first_on_the_way_back": dict(
        expects=("unpatchify", "Go backwards"),
        source=but("height // rows, width // columns, channels, rows, columns)", "width // columns, height // rows, channels, rows, columns)", "permute(0, 3, 1, 4, 2, 5)", "permute(0, 3, 2, 4, 1, 5)"),
    ),
    "the_mean_of_each_patch_is_gone": dict(
        expects=("by hand", "are off"),
        source=but("    return cut.flatten(3).flatten(1, 2)", "    cut = cut.flatten(3).flatten(1, 2)\n    return cut - cut.mean(dim=2, keepdim=True)"),
    ),
    "fold_forgets_the_axes": dict(
        expects=("unpatchify", "Go backwards"),
        source=RIGHT.split("def unpatchify")[0]
        + """
def unpatchify(patches, size, shape):
    return F.fold(patches, output_size=shape[1:], kernel_size=size, stride=size)
""",
    ),
    "no_way_back": dict(
        expects=("unpatchify", "None"),
        source=RIGHT.split("def unpatchify")[0] + "\ndef unpatchify(patches, size, shape):\n    pass\n",
    ),
    "view_after_permute": dict(
        expects=("by hand", "view size is not compatible"),
        source=but("return cut.flatten(3).flatten(1, 2)", "return cut.view(count, -1, channels * rows * columns)"),
    ),
}
