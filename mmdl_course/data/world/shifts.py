"""Controlled distribution shifts: the same scenes and labels, another look, with a dial for how much."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from mmdl_course.data.world.camera import FRONT, Camera
from mmdl_course.data.world.inputs import check_between, check_generator, index_of
from mmdl_course.data.world.render import Views, render, visible_boxes
from mmdl_course.data.world.scene import Scenes
from mmdl_course.data.world.shading import GROUND
from mmdl_course.data.world.threads import one_thread
from mmdl_course.data.world.video import rays

__all__ = ["SHIFTS", "Shift", "Shifted", "shifted"]

_NOISE = 0.3  # standard deviation at severity 1
_PAPER, _PENCIL = 0.97, 0.08
_CREASE = 0.4  # change of slope along the line of sight, world units a world unit, that earns half a line
_AZIMUTH, _UP, _DOWN, _AWAY = 45.0, 30.0, 20.0, 0.3  # farthest the camera goes: degrees, degrees, distances
_KEPT = 0.35  # part of each object that the cards of severity 1 leave visible at least
_GROUND = GROUND[0]  # brightness of the lit ground, which the new ground is shaded by
_SETTINGS = (
    # near tone, other tone of the pattern, sky
    ((0.40, 0.55, 0.27), (0.31, 0.44, 0.20), (0.55, 0.72, 0.86)),  # meadow
    ((0.85, 0.74, 0.52), (0.74, 0.62, 0.41), (0.72, 0.80, 0.86)),  # sand
    ((0.30, 0.50, 0.58), (0.22, 0.40, 0.49), (0.80, 0.84, 0.88)),  # water
    ((0.60, 0.38, 0.30), (0.47, 0.28, 0.22), (0.30, 0.26, 0.26)),  # brick
    ((0.98, 0.98, 1.00), (0.80, 0.84, 0.90), (0.62, 0.70, 0.80)),  # snow
    ((0.34, 0.34, 0.37), (0.24, 0.24, 0.27), (0.16, 0.15, 0.22)),  # asphalt
    ((0.66, 0.57, 0.74), (0.54, 0.45, 0.63), (0.36, 0.29, 0.44)),  # lilac carpet
)
_PIXELS = 1 << 19  # painted at once: about 350 MB
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Shifted:
    """What a camera sees of scenes after a shift.

    Attributes:
        views: image and labels. All shifts but viewpoint and occlusion change the image alone. Viewpoint
            changes everything with the camera. Under occlusion a card in front counts as nobody: instance and
            semantic are -1 there, depth the card's, and boxes hold what is left of each object.
        camera: from where; the given one but for viewpoint.
        visible: part of the object's pixels that no card hides, 0..1; 1 for all shifts but occlusion, nan
            where `views` without the cards would not show the slot.
    """

    views: Views
    camera: Camera
    visible: Float[Tensor, "scene object"]


@dataclass(frozen=True)
class Shift:
    """One way for pictures to differ from those a model was trained on.

    Attributes:
        summary: what happens, as a phrase.
        hides: attributes that cannot be told from the picture of severity 1 (grey still shows how bright a
            colour is).
        apply: (scenes, camera, size, severity, generator) to what is seen.
    """

    summary: str
    hides: tuple[str, ...]
    apply: Callable[[Scenes, Camera, int, float, torch.Generator], Shifted]


@one_thread()
def shifted(
    scenes: Scenes,
    shift: str,
    severity: float | int,
    *,
    size: int = 64,
    generator: torch.Generator,
    camera: Camera = FRONT,
) -> Shifted:
    """Look at scenes under a distribution shift.

    What is drawn at random does not depend on the severity: with generators in the same state, a higher
    severity is more of the same change. The scenes stay what they are, so their captions and answers hold;
    "left of" and its like are meant from the default camera.

    Args:
        scenes: what there is to see.
        shift: a name from SHIFTS.
        severity: 0 (exactly what `render` gives) to 1 (as much as leaves the objects recognisable).
        size: pixels per side of the square image.
        generator: source of randomness; lives on the CPU.
        camera: from where; viewpoint moves away from it.

    Returns:
        Images with their labels, the camera, and how much of each object is left visible.

    Raises:
        ValueError: an unknown shift, a severity outside 0..1, or what `render` refuses.
    """
    index_of(shift, SHIFTS, "shift")
    check_between("severity", severity, 0, 1)
    check_generator(generator)
    return SHIFTS[shift].apply(scenes, camera, size, float(severity), generator)


Paint = Callable[[Tensor, Views, Scenes, Camera, torch.Generator], Tensor]
"""Images, the same views twice as fine (one ray a pixel, so that each shows one thing), and what was seen
from where, to the images of severity 1."""


def _repaint(paint: Paint) -> Callable[[Scenes, Camera, int, float, torch.Generator], Shifted]:
    """A shift that fades from the image to another one."""

    def apply(
        scenes: Scenes, camera: Camera, size: int, severity: float, generator: torch.Generator
    ) -> Shifted:
        views = render(scenes, camera=camera, size=size)
        step = max(1, _PIXELS // size**2)
        painted = []
        for start in range(0, len(scenes), step):
            part = slice(start, start + step)
            some, seen_from = scenes[part], camera[part]
            fine = render(some, camera=seen_from, size=2 * size, samples=1)
            painted.append(paint(views.image[part], fine, some, seen_from, generator))
        return _faded(views, torch.cat([views.image[:0], *painted]), severity, camera)

    return apply


def _faded(views: Views, other: Tensor, severity: float, camera: Camera) -> Shifted:
    return _all_visible(replace(views, image=views.image + severity * (other - views.image)), camera)


def _all_visible(views: Views, camera: Camera) -> Shifted:
    shown = torch.ones_like(views.boxes[..., 0])
    return Shifted(views, camera, torch.where(views.boxes[..., 0].isnan(), torch.nan, shown))


def _sketch(
    image: Tensor, fine: Views, _scenes: Scenes, camera: Camera, _generator: torch.Generator
) -> Tensor:
    """Pencil on paper where the instance changes or the surface folds."""
    size = image.shape[-1]
    pixel = (camera.half_width() / size).to(image.device)[:, None, None]  # of the fine view, at depth 1
    lines = avg_pool2d(_lines(fine, pixel, width=max(1, round(size / 96))), 2)
    return (_PAPER + (_PENCIL - _PAPER) * lines).expand_as(image)


def _lines(views: Views, pixel: Tensor, *, width: int) -> Tensor:
    """Where a draughtsman would draw, 0..1: (scene, 1, height, width).

    1 / depth is an affine function of the pixel on every plane, so its second difference is zero but at
    folds; times depth² / pixel it is the change of slope there.
    """
    inverse = 1 / views.depth
    objects = views.instance >= 0
    scale = torch.where(objects, views.depth / pixel, 0.0)
    line = torch.zeros_like(inverse)
    for turned in (False, True):
        flat, label = (x.transpose(1, 2) if turned else x for x in (inverse, views.instance))
        fold = pad(flat[:, 2:] - 2 * flat[:, 1:-1] + flat[:, :-2], (0, 0, 1, 1))
        edge = pad((label[:, 1:] != label[:, :-1]).to(flat.dtype), (0, 0, 0, 1))
        edge = torch.maximum(edge, pad(edge[:, :-1], (0, 0, 1, 0)))
        fold, edge = (x.transpose(1, 2) if turned else x for x in (fold, edge))
        bend = (fold.abs() * scale / _CREASE - 0.5).clamp(0, 1)
        line = torch.maximum(line, torch.maximum(bend, edge * objects))
    return max_pool2d(line[:, None], 2 * width - 1, stride=1, padding=width - 1)


def _grey(scenes: Scenes, camera: Camera, size: int, severity: float, _generator: torch.Generator) -> Shifted:
    views = render(scenes, camera=camera, size=size)
    return _faded(views, _brightness(views.image).expand_as(views.image), severity, camera)


def _texture(
    image: Tensor, fine: Views, scenes: Scenes, camera: Camera, generator: torch.Generator
) -> Tensor:
    """Objects carved out of striped, chequered or dotted stuff; ink is black or white, so colours stay."""
    count, slots = scenes.present.shape
    device = image.device
    axes = torch.linalg.qr(torch.randn(count, slots, 3, 3, generator=generator))[0].to(device)
    kind = torch.randint(3, (count, slots), generator=generator).to(device)
    pitch = (2.6 + 1.2 * torch.rand(count, slots, generator=generator)).to(device)  # periods a diameter
    scene, row, column = (fine.instance >= 0).nonzero(as_tuple=True)
    pick = scene, fine.instance[scene, row, column]
    centre = torch.cat([scenes.position, scenes.scale[..., None]], -1)[pick]
    point = (_points(fine, camera)[scene, row, column] - centre) / scenes.scale[pick][:, None]
    phase = torch.einsum("pij,pj->pi", axes[pick], point) * (torch.pi * pitch[pick])[:, None]
    waves, spots = torch.sin(phase), torch.cos(phase * 0.7).sum(-1) - 0.2
    height = torch.stack([waves[:, 0], waves[:, 0] * waves[:, 1] * 1.6, spots])
    inked = (height.gather(0, kind[pick][None]).squeeze(0) * 3 + 0.5).clamp(0, 1)
    before = fine.image[scene, :, row, column]  # (pixel, 3)
    luma = torch.tensor(_LUMA, device=device)
    own = (scenes.rgb[pick] @ luma).clamp(min=0.05)
    ink = torch.where(own > 0.45, 0.12, 0.95) * (before @ luma / own).clamp(0, 1)
    change = torch.zeros_like(fine.image)
    change[scene, :, row, column] = inked[:, None] * (ink[:, None] - before)
    return (image + avg_pool2d(change, 2)).clamp(0, 1)


def _background(
    image: Tensor, fine: Views, scenes: Scenes, camera: Camera, generator: torch.Generator
) -> Tensor:
    """Another ground with a pattern on it and another sky; the shadows stay."""
    count, device = len(scenes), image.device
    chosen = torch.randint(len(_SETTINGS), (count,), generator=generator)
    near, other, sky = torch.tensor(_SETTINGS)[chosen].to(device).unbind(1)  # (scene, 3)
    kind = torch.randint(3, (count, 1, 1), generator=generator).to(device)
    turn = (torch.rand(count, 1, 1, generator=generator) * torch.pi).to(device)
    x, y, _ = _points(fine, camera).unbind(-1)
    u, v = x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin()
    stripes, rows = torch.sin(u * 3.6), torch.sin(v * 3.6)
    blobs = torch.sin(u * 2.3 + torch.sin(v * 1.7)) + torch.sin(v * 2.9 + torch.sin(u * 1.3))
    height = torch.where(kind == 0, stripes, torch.where(kind == 1, stripes * rows * 2, blobs))
    share = (height * 2 + 0.5).clamp(0, 1)[:, None]
    ground = near[:, :, None, None] + share * (other - near)[:, :, None, None]
    ground = (ground * _brightness(fine.image) / _GROUND).clamp(0, 1)
    behind = torch.where(fine.depth.isfinite()[:, None], ground, sky[:, :, None, None])
    change = torch.where((fine.instance < 0)[:, None], behind - fine.image, 0.0)
    return (image + avg_pool2d(change, 2)).clamp(0, 1)


def _noise(scenes: Scenes, camera: Camera, size: int, severity: float, generator: torch.Generator) -> Shifted:
    views = render(scenes, camera=camera, size=size)
    noise = torch.randn(views.image.shape, generator=generator).to(views.image.device)
    return _all_visible(replace(views, image=(views.image + severity * _NOISE * noise).clamp(0, 1)), camera)


def _viewpoint(
    scenes: Scenes, camera: Camera, size: int, severity: float, generator: torch.Generator
) -> Shifted:
    """The camera goes round, up or down, and away; it never comes nearer, which would cut objects off."""
    sign = torch.randint(2, (2, len(scenes)), generator=generator) * 2.0 - 1
    reach = 0.7 + 0.3 * torch.rand(3, len(scenes), generator=generator)
    if severity and len(scenes) and camera.count in (None, len(scenes)):  # else render has the last word
        azimuth, elevation, distance = (
            torch.as_tensor(value, dtype=torch.float32).to("cpu")
            for value in (camera.azimuth, camera.elevation, camera.distance)
        )
        rise = torch.where(sign[1] > 0, _UP, -_DOWN) * reach[1]
        end = torch.minimum((elevation + rise).clamp(min=8.0), torch.full_like(rise, 88.0))
        device = scenes.position.device
        camera = replace(
            camera,
            azimuth=(azimuth + severity * sign[0] * reach[0] * _AZIMUTH).to(device),
            elevation=(elevation + severity * (end - elevation)).to(device),
            distance=(distance * (1 + severity * _AWAY * reach[2])).to(device),
        )
    return _all_visible(render(scenes, camera=camera, size=size), camera)


def _occlusion(
    scenes: Scenes, camera: Camera, size: int, severity: float, generator: torch.Generator
) -> Shifted:
    """A card in front of each object grows from its outline inwards, over up to half of its box.

    A card that would leave some object of the scene less than _KEPT of its pixels is left out.
    """
    views = render(scenes, camera=camera, size=size)
    count, slots = scenes.present.shape
    device = views.image.device
    angle = (torch.rand(count, slots, generator=generator) * (2 * torch.pi)).to(device)
    tone = (0.10 + 0.25 * torch.rand(count, 1, 1, 1, generator=generator)).to(device)
    low, high = views.boxes.nan_to_num(-size).view(count, slots, 2, 2).unbind(2)
    extent = high - low
    centre = (low + high) / 2 + extent / 2 * torch.stack([angle.cos(), angle.sin()], -1)
    mask = views.instance[:, None] == torch.arange(slots, device=device)[:, None, None]
    area = mask.sum((2, 3))
    # Which cards there are is settled at severity 1, so that a card that is there once stays.
    largest = _cards(centre, extent / 2, size)  # (scene, card, height, width)
    hidden = torch.zeros_like(largest[:, 0])
    there = torch.zeros(count, slots, device=device)
    for card in range(slots):
        more = torch.maximum(hidden, largest[:, card])
        left = (mask & (more <= 0.5)[:, None]).sum((2, 3))
        there[:, card] = (left >= _KEPT * area).all(1).to(there.dtype)
        hidden = torch.where(there[:, card, None, None] > 0, more, hidden)
    cards = _cards(centre, severity * extent / 2, size) * there[..., None, None]
    cover = cards.amax(1)  # (scene, height, width)
    gone = cover > 0.5
    left = (mask & ~gone[:, None]).sum((2, 3))
    nearest = 0.8 * views.depth.flatten(1).amin(1)[:, None, None]
    instance = torch.where(gone, -1, views.instance)
    return Shifted(
        replace(
            views,
            image=views.image + cover[:, None] * (tone - views.image),
            depth=torch.where(gone, nearest, views.depth),
            instance=instance,
            semantic=torch.where(gone, -1, views.semantic),
            boxes=visible_boxes(instance, slots),
        ),
        camera,
        torch.where(area > 0, left / area, torch.nan),
    )


def _cards(centre: Tensor, half: Tensor, size: int) -> Tensor:
    """Part of each pixel that axis-parallel rectangles cover: (scene, card, height, width)."""
    place = torch.arange(size, device=centre.device, dtype=torch.float32)
    low, high = (centre - half)[..., None], (centre + half)[..., None]  # (scene, card, 2, 1)
    part = (torch.minimum(high, place + 1) - torch.maximum(low, place)).clamp(0, 1)
    return part[:, :, 1, :, None] * part[:, :, 0, None, :]


def _points(views: Views, camera: Camera) -> Tensor:
    """What each pixel sees, in the world: (scene, height, width, 3); above the horizon the camera's place."""
    origin, direction = (part.to(views.depth.device) for part in rays(camera, size=views.depth.shape[-1]))
    return origin + torch.where(views.depth.isfinite(), views.depth, 0.0)[..., None] * direction


def _brightness(image: Tensor) -> Tensor:
    """Luma with the channel axis kept."""
    return (image * torch.tensor(_LUMA, device=image.device)[:, None, None]).sum(1, keepdim=True)


SHIFTS: dict[str, Shift] = {
    "sketch": Shift("outlines and folds in pencil on paper", ("colour", "material"), _repaint(_sketch)),
    "grey": Shift("brightness without colour", ("colour",), _grey),
    "texture": Shift("stripes, checks or dots on the objects", (), _repaint(_texture)),
    "noise": Shift("independent noise on every pixel and channel", (), _noise),
    "viewpoint": Shift("the camera goes round, up or down, and away", (), _viewpoint),
    "background": Shift("another ground and sky behind the objects", (), _repaint(_background)),
    "occlusion": Shift("cards in front that hide part of each object", (), _occlusion),
}
"""Name to shift."""
