# %% [markdown]
"""
{{week}}

**Where we are.** Every model of this course is read as two steps, x → encoder → z → decoder → y. This week is about
the first arrow: what the space of x looks like, why z can be so much smaller, and what it takes to get there and
back. Everything later in the course stands on this picture.

## Five steps, if this is your first notebook here

Nothing in them counts. If you know your way, run the next cell and go on at part 1.

**Step 1: run a cell.** Click into the grey cell below and press Shift+Enter. It loads what this notebook needs, which
takes a while the first time, and draws a picture. Run every cell like this, from top to bottom.
"""

# %%
import math

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from mmdl_course import viz
from mmdl_course.architectures import ConvNet, mlp
from mmdl_course.checks import Exercise
from mmdl_course.data import manifolds, world
from mmdl_course.data.digits import load_digits
from mmdl_course.training import budget, fit
from mmdl_course.viz import explorers

torch.set_num_threads(1)  # models this small gain nothing from more, and lose much on a busy machine


def seeded(seed: int) -> torch.Generator:
    """A source of randomness of its own: the same seed gives the same figure on every machine."""
    return torch.Generator().manual_seed(seed)


viz.show(
    viz.flow(highlight="encoder"),
    alt="The flow of a model: x, encoder f, z, decoder g, y. The encoder is highlighted.",
)

# %% [markdown]
"""
**Step 2: see what a check says.** Run the next two cells as they are. The first one is for your code; its last line says
that nothing has been attempted. The second one is its check.
"""


# %%
def twice(x: float) -> float:
    """Two times x."""
    raise NotImplementedError("not attempted yet")


# %%
exercise = Exercise("practice", points=2)
practised = exercise.student("twice")

with exercise.check("two times two is four", points=1, hint="Which operation makes 4 of 2 and 2?"):
    exercise.close(practised(2.0), 4.0, atol=1e-9)

with exercise.check(
    "two times three is six", points=1, hint="2 + 2 and 2 · 2 are the same; 2 + 3 and 2 · 3 are not."
):
    exercise.close(practised(3.0), 6.0, atol=1e-9)

exercise.report()

# %% [markdown]
"""
**Step 3: answer, be wrong, improve.** Replace the line `raise NotImplementedError(…)` by `return x + 2`. Run both cells
again. One claim holds and earns its point; the other says what it called, what came back and what it expected. Now mend
the function. In the exercises further down, some points are decided only at grading, by checks that you do not see
and that draw fresh data.

**Step 4: ask for help.** Below each check there are hints, from a nudge to the cure for an error. Open only as many as
you need:

<details><summary>A nudge</summary>

What do you get when you add x to itself?
</details>

<details><summary>Pseudo code</summary>

give back 2 · x
</details>

<details><summary>Help: the check still says "not attempted"</summary>

Run the cell with your function again, then the check: a cell that was changed counts once it has been run.
</details>

**Step 5: save, validate, hand in.** Ctrl+S (on a Mac ⌘S) saves your work. The button *Validate* above the notebook runs all of it
afresh and lists the checks that do not pass, so that nothing depends on cells which you ran in another order. Then
hand in this file as your teacher asks. Which exercises you have passed stands on the [home page](../home.md), where
the course begins each time.
"""

# %% [markdown]
"""
## 1. One reality, many modalities

A *modality* is a type of data that a model takes in or gives out (A16). An image, a caption and a table of the same
scene are three modalities of one *reality*: each leaves something out, and no two leave out the same (A29, A56).

This course comes with a reality of its own: small scenes of solid objects. Everything about them is known, because we
made them: which objects, which colours, where. Image, depth, surface normals, mask, boxes, caption, question and answer,
the beginning of a graph and a table: all below are computed from the same scene.

**Predict, then run.** Move the camera around the scene. Which modalities change, and which stay as they are? (What the caption
calls left, right, in front or behind is meant from 0°.)
"""

# %% tags=["demo"]
scenes = world.sample_scenes(8, generator=seeded(1))


def modalities(index: int, azimuth: float) -> dict[str, object]:
    """Everything that can be derived from scene `index`, seen from `azimuth` degrees."""
    scene = scenes[index : index + 1]
    seen = world.render(scene, camera=world.Camera(azimuth=azimuth), size=128, normals=True)
    question = world.ask(scene, generator=seeded(index))[-1]
    relations = [" ".join(triple) for triple in world.triples(scene)[0] if triple[2].startswith("object")]
    return {
        "image": seen.image[0],
        "depth": seen.depth[0],
        "normals": (seen.normal[0] + 1) / 2,  # directions −1 … 1 as colours 0 … 1
        "instance": seen.instance[0],
        "boxes": seen.boxes[0],
        "caption": world.caption(scene, generator=seeded(index))[0],
        "question": f"{question.text} — {question.answer}",
        "graph": "; ".join(relations[:3]) or "one object, no relations",
        "table": world.attribute_table(scene),
    }


explorers.modalities(
    modalities,
    scenes=len(scenes),
    notice="What is seen from somewhere (image, depth, normals, instance, boxes) turns with the camera; caption, "
    "question, graph and table tell of the scene itself and stay.",
)

# %% [markdown]
"""
## 2. A space too large to sample

An image is a point. One number per pixel and colour channel, one axis per number: a colour image of *H* × *W* pixels
is a single point x in ℝᴰ with D = 3 · H · W (A42). All images of that size live in the same space, and so does
everything else that a camera never sees.

How many different images are there? With one byte per channel every axis has 256 ticks, so the count is 256 multiplied
by itself D times. It does not fit into any float. Its logarithm does.

{{exercise:input_space}}

Write `input_space`. It returns the number of dimensions, and the **base-10 logarithm** of the number of different
images, not rounded.

**The trap:** which number is the base and which is the exponent? Every new pixel *multiplies* the number of images.
"""


# %% nbgrader={"grade": false, "grade_id": "input_space", "locked": false, "schema_version": 3, "solution": true, "task": false}
def input_space(height: int, width: int, *, channels: int = 3, levels: int = 256) -> tuple[int, float]:
    """Size of the space of all images of one resolution.

    Args:
        height: rows of pixels.
        width: columns of pixels.
        channels: numbers per pixel.
        levels: different values that each number can take; 256 for one byte.

    Returns:
        dimensions: how many numbers make one image.
        log10_images: base-10 logarithm of how many different images there are.

    Source: deck A, slide 42.
    """
    ### BEGIN SOLUTION
    dimensions = channels * height * width
    return dimensions, dimensions * math.log10(levels)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "input_space-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("input_space", points=3)
space = exercise.student()

with exercise.check(
    "an image of 728 × 1280 pixels has 2,795,520 dimensions",
    points=1,
    hint="One dimension per number: every pixel has one number for each colour channel.",
):
    exercise.equal(space(728, 1280)[0], 2_795_520)

with exercise.check(
    "images of 256 × 256 pixels: more than 10^473,479",
    points=1,
    hint="levels multiplied by itself once per dimension, and log10(a^b) = b · log10(a). "
    "The number itself overflows every float.",
):
    exercise.close(space(256, 256)[1], 473_479.24, atol=0.01, why="two decimals of the logarithm")

### BEGIN HIDDEN TESTS
with exercise.check(
    "black-and-white images, and fresh sizes",
    points=1,
    hint="Use the arguments channels and levels; 256 and 3 are only their defaults.",
):
    exercise.close(
        space(1, 10, channels=1, levels=2)[1],
        math.log10(1024),
        atol=1e-6,
        why="ten binary pixels: 1024 images",
    )
    height, width, channels, levels = (int(n) for n in exercise.rng.integers(2, 60, size=4))
    dimensions, log10_images = space(height, width, channels=channels, levels=levels)
    exercise.equal(dimensions, height * width * channels)
    exercise.close(
        log10_images,
        math.log10(levels**dimensions),
        atol=0,
        rtol=1e-9,
        why="Python's integers never overflow, so this one is exact",
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Two pixels with three possible values each: how many images? Write them all down. Now three pixels.
</details>
<details><summary>Pseudo code</summary>

```text
dimensions = channels × height × width → images = levels to the power of dimensions → its log10 is dimensions × log10(levels).
```
</details>
<details><summary>Help: OverflowError, or the answer is inf</summary>

You computed the number of images as a float and took the logarithm afterwards. Take the logarithm first.
</details>
"""

# %% [markdown]
"""
No dataset covers any visible part of that space. The universe has about 10⁸⁰ atoms; the exponent above has *six
digits*. How can a model be trained on an input space like this?

**Predict, then run.** The first row below draws points of the image space uniformly at random: every pixel value equally
likely. The second row draws scenes from our world. If you drew random points all day, how many would look like a scene?
"""

# %% tags=["demo"]
random_points = torch.rand(6, 3, 32, 32, generator=seeded(0))
some_scenes = world.render(world.sample_scenes(6, generator=seeded(2)), size=32).image
viz.show(
    viz.strip(
        {"any x\nin data space": random_points, "x on\nthe manifold": some_scenes},
        title="No random point of image space looks like a scene",
    ),
    alt="Two rows of images. Uniformly random points of image space all look like coloured noise. Images of the world show objects.",
)

# %% [markdown]
"""
Most possible x are meaningless noise (A46). The **manifold hypothesis** says that what a camera does see lies on, or very
close to, a much smaller set: a *manifold* ℳ ⊂ ℝᴰ of dimension m ≪ D, which looks like flat ℝᵐ when you come close
enough (A43–A47). A model only has to work there.

Two words to keep apart for the rest of the week:

- **data space** ℝᴰ: where x is written down, and where most points mean nothing;
- **coordinate space** U ⊂ ℝᵐ: where on the manifold x is. A point of it is called z.

## 3. Near in space, far on the manifold

The earth's surface is the manifold everybody knows (A49): the data space is ℝ³, the manifold has two dimensions, and its
coordinates are printed on every map. A straight line through the rock, the *chord*, is a short cut that nobody can walk.
The shortest way *on* the surface is called a **geodesic**. On a sphere it is an arc of a great circle: the arc whose
centre is the centre of the sphere.

{{exercise:great_circle}}

Write `great_circle`. It takes places as (latitude, longitude) in **degrees** and returns the length of the shortest way
over the surface.

**The trap:** the map is not the territory. One degree of longitude is 111 km at the equator and nothing at the pole, and
+180° and −180° are the same place, so the distance cannot be Pythagoras on the map.
"""


# %% nbgrader={"grade": false, "grade_id": "great_circle", "locked": false, "schema_version": 3, "solution": true, "task": false}
def great_circle(
    start: Float[Tensor, "place 2"], end: Float[Tensor, "place 2"], *, radius: float = 6371.0
) -> Float[Tensor, " place"]:
    """Length of the shortest way over the surface of a sphere.

    Args:
        start: latitude (−90 … 90) and longitude (−180 … 180) in degrees, one place per row.
        end: the same.
        radius: of the sphere; the default is the earth's, in kilometres.

    Returns:
        One distance per row, in the unit of the radius.

    Source: deck A, slide 49.
    """
    ### BEGIN SOLUTION
    (lat1, lon1), (lat2, lon2) = start.deg2rad().unbind(-1), end.deg2rad().unbind(-1)
    haversine = ((lat2 - lat1) / 2).sin() ** 2 + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2).sin() ** 2
    return 2 * radius * haversine.clamp(0, 1).sqrt().asin()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "great_circle-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("great_circle", points=4)
arc = exercise.student()


def places(*latitude_longitude):
    return torch.tensor(latitude_longitude, dtype=torch.float64)


with exercise.check(
    "from the equator to the pole is a quarter of the way round",
    points=1,
    hint="Angles come in degrees, sin and cos take radians. And is it the arc you return, or the chord?",
):
    exercise.close(
        arc(places((0, 0), (0, 37)), places((90, 0), (-90, 37)), radius=1.0),
        torch.full((2,), math.pi / 2, dtype=torch.float64),
        atol=1e-6,
    )

with exercise.check(
    "the date line is no wall, and all meridians meet at the pole",
    points=1,
    hint="Differences of longitude wrap around at 180°, and shrink towards the poles. "
    "Pythagoras on the map knows neither.",
):
    exercise.close(
        arc(places((10, 179.5), (90, 0)), places((10, -179.5), (90, 120)), radius=1.0),
        arc(places((10, -0.5), (90, 7)), places((10, 0.5), (90, 7)), radius=1.0),
        atol=1e-6,
    )

with exercise.check(
    "a place is at distance zero from itself",
    points=1,
    hint="arccos of a number that rounding pushed just above 1 is NaN. Clamp it, or use another formula.",
):
    here = torch.stack([exercise.draw(200).double() * 30, exercise.draw(200).double() * 60], dim=1)
    exercise.close(
        arc(here, here.clone()),
        torch.zeros(200, dtype=torch.float64),
        atol=1e-3,
        why="a metre, on the earth: arccos near 1 loses that much",
    )

### BEGIN HIDDEN TESTS
with exercise.check(
    "agrees with the angle between directions for fresh places",
    points=1,
    hint="Never longer than half-way round (π · radius), never shorter than the chord.",
):
    a, b = (F.normalize(exercise.draw(50, 3).double(), dim=1) for _ in range(2))

    def on_the_map(direction):
        return torch.stack(
            [direction[:, 2].asin(), torch.atan2(direction[:, 1], direction[:, 0])], dim=1
        ).rad2deg()

    angle = torch.atan2(torch.linalg.cross(a, b).norm(dim=1), (a * b).sum(1))
    exercise.close(arc(on_the_map(a), on_the_map(b), radius=2.5), 2.5 * angle, atol=1e-4)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Two directions from the centre of the earth enclose an angle. How long is the arc that this angle cuts out of a circle of
radius *R*?
</details>
<details><summary>Pseudo code</summary>

```text
Either: degrees → radians → unit vectors (cos lat · cos lon, cos lat · sin lon, sin lat) → angle between them → times radius.
Or the haversine formula: h = sin²(Δlat/2) + cos lat₁ · cos lat₂ · sin²(Δlon/2), distance = 2R · arcsin √h.
```
</details>
<details><summary>Help: the first check passes, the second does not</summary>

You treat (latitude, longitude) as flat coordinates. Go through unit vectors, or put cos(latitude) where it belongs.
</details>
"""

# %% tags=["demo"]
FROM, TO = "New York", "Delhi"
globe = manifolds.sphere(1500, generator=seeded(0))
spots = torch.cat([torch.tensor(list(manifolds.CITIES.values())), globe.coordinates])  # the cities come first


def on_the_globe(latitude: Tensor, longitude: Tensor) -> Tensor:
    """Points on a globe whose unit is 1,000 km."""
    return manifolds.sphere_points(latitude, longitude, radius=manifolds.EARTH_RADIUS / 1000)


def cut_at_the_edge(way: Tensor) -> Tensor:
    """The way on the map, with a gap where it leaves on one side and comes back on the other."""
    leaves = (way[1:, 0] - way[:-1, 0]).abs() > torch.pi
    way[1:][leaves] = torch.nan
    return way


def ways_on_the_globe(start: int, end: int) -> dict[str, tuple[Tensor, Tensor | None]]:
    """Between two places: the shortest way, the chord, and what is straight on the map."""
    share = torch.linspace(0, 1, 100)[:, None]
    ends = on_the_globe(*spots[[start, end]].T)
    chord = (1 - share) * ends[0] + share * ends[1]
    toward = F.normalize(chord, dim=1)  # the chord, seen from the centre of the earth
    bow = torch.stack([torch.atan2(toward[:, 1], toward[:, 0]), toward[:, 2].clamp(-1, 1).asin()], dim=1)
    straight = (1 - share) * spots[start] + share * spots[end]
    return {
        "geodesic": (toward * manifolds.EARTH_RADIUS / 1000, cut_at_the_edge(bow)),
        "straight on the map": (on_the_globe(*straight.T), manifolds.equirectangular(*straight.T)),
        "chord": (chord, None),
    }


explorers.unfold(
    on_the_globe(*spots.T),
    manifolds.equirectangular(*spots.T),
    ways=ways_on_the_globe,
    start=(list(manifolds.CITIES).index(FROM), list(manifolds.CITIES).index(TO)),
    colour=spots[:, 0],
    colour_label="latitude (°)",
    surface_title="the globe (1,000 km)",
    flat_title="a map of it (radians)",
    notice="Far from the equator the geodesic is a bow on the map, and the map's straight line is a detour on the globe; "
    "along the equator the two agree.",
)

# %% tags=["demo"]
ends = torch.tensor([manifolds.CITIES[FROM], manifolds.CITIES[TO]])
towards = manifolds.sphere_points(*ends.T)
way = great_circle(ends[:1], ends[1:]).item()
print(f"chord {manifolds.EARTH_RADIUS * (towards[0] - towards[1]).norm():,.0f} km, geodesic {way:,.0f} km")

# %% [markdown]
r"""
The earth is only gently curved. A band that is rolled up (A50) is worse: two points on neighbouring turns are close in
ℝ³ and far apart on the band. "*Distance in 3D space does not tell much about distance on the manifold.*"

The rolled band has a kind secret: it is not stretched. Unroll it and it lies flat, with every length as it was. So take
as coordinates of a point the *arc length* s along the spiral and the height h: in these coordinates (s, h) the shortest
way is a straight line again.

Our band is an Archimedean spiral: at angle t (radians) its radius is r = a · t. A small step dt moves you outwards by
dr = a dt and around by r dt, so ds = a √(1 + t²) dt. Summed up from the centre,

$$s(t) = \frac{a}{2}\left(t\sqrt{1+t^2} + \operatorname{arsinh} t\right).$$

{{exercise:roll_distance}}

Write `roll_distance`: the length of the shortest way *along the band* between points given as (t, h).

**The trap:** t is a coordinate too, but a distorted one (A47): the same Δt is a short way near the centre and a long way
outside. Go from t to s before you measure anything.
"""


# %% nbgrader={"grade": false, "grade_id": "roll_distance", "locked": false, "schema_version": 3, "solution": true, "task": false}
def roll_distance(
    start: Float[Tensor, "point 2"], end: Float[Tensor, "point 2"], *, growth: float = manifolds.BAND.growth
) -> Float[Tensor, " point"]:
    """Length of the shortest way along a rolled band.

    Args:
        start: angle t in radians (t > 0) and height h, one point per row.
        end: the same.
        growth: the spiral's a: at angle t the radius is a · t.

    Returns:
        One distance per row, in the unit of h.

    Source: deck A, slide 50.
    """

    ### BEGIN SOLUTION
    def unroll(point: Tensor) -> Tensor:
        t, height = point.unbind(-1)
        return torch.stack([growth / 2 * (t * (1 + t**2).sqrt() + t.asinh()), height], dim=-1)

    return (unroll(end) - unroll(start)).norm(dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "roll_distance-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("roll_distance", points=4)
along = exercise.student()


def in_space(points, growth):
    t, height = points.unbind(-1)
    return torch.stack([growth * t * t.cos(), height, growth * t * t.sin()], dim=-1)


def many_small_steps(points, growth):
    return in_space(points, growth).diff(dim=0).norm(dim=-1).sum()


with exercise.check(
    "straight up, only the height counts",
    points=1,
    hint="Two points on one line t = constant are |Δh| apart. Is it the chord of something else you return?",
):
    t = 4 + exercise.draw(5).double().abs()
    up = torch.tensor([0.0, 1.0, 2.5, 4.0, 8.0], dtype=torch.float64)
    exercise.close(along(torch.stack([t, 0 * t], 1), torch.stack([t, up], 1), growth=1.0), up, atol=1e-6)

with exercise.check(
    "along the turns, it is the arc length",
    points=1,
    hint="Measure differences of s(t), not of t and not through the air. "
    "The expected number is the sum of 20,000 small straight steps along the spiral.",
):
    turns = torch.linspace(5.0, 13.0, 20_001, dtype=torch.float64)
    walk = torch.stack([turns, torch.zeros_like(turns)], dim=1)
    exercise.close(
        along(walk[:1], walk[-1:], growth=0.5),
        many_small_steps(walk, 0.5)[None],
        atol=0,
        rtol=1e-5,
        why="the small steps cut tiny corners",
    )

### BEGIN HIDDEN TESTS
with exercise.check(
    "in a slanting direction, Pythagoras holds on the unrolled band",
    points=1,
    hint="√(Δs² + Δh²). |Δs| + |Δh| is the way round two sides of a rectangle.",
):
    growth = 0.3 + exercise.draw(1).double().abs().item()
    t = torch.linspace(6.0, 11.0, 20_001, dtype=torch.float64)
    steps = in_space(torch.stack([t, torch.zeros_like(t)], 1), growth).diff(dim=0).norm(dim=-1).cumsum(0)
    rise = 5 * exercise.draw(1).double()
    height = torch.cat([torch.zeros(1, dtype=torch.float64), steps / steps[-1] * rise])
    walk = torch.stack([t, height], dim=1)
    exercise.close(
        along(walk[:1], walk[-1:], growth=growth), many_small_steps(walk, growth)[None], atol=0, rtol=1e-5
    )

with exercise.check(
    "the way back is as long, and no way is shorter than the chord",
    points=1,
    hint="A distance has no direction and no sign.",
):
    a, b = (
        torch.stack(
            [
                5 + 8 * torch.rand(40, generator=exercise.generator, dtype=torch.float64),
                exercise.draw(40).double(),
            ],
            dim=1,
        )
        for _ in range(2)
    )
    there, back = along(a, b, growth=1.0), along(b, a, growth=1.0)
    exercise.close(there, back, atol=1e-6)
    chords = (in_space(a, 1.0) - in_space(b, 1.0)).norm(dim=-1)
    exercise.true(
        bool((there >= chords - 1e-9).all()),
        "some way along the band came out shorter than the straight line through space",
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

If somebody handed you the unrolled, flat band with two dots on it and a ruler, what would you do?
</details>
<details><summary>Pseudo code</summary>

```text
(t, h) → (s(t), h) for both points → ordinary Euclidean distance of the two.
```
</details>
<details><summary>Help: the way along the turns is a little off</summary>

You took radius × angle, a · t · Δt. On a spiral the radius grows while you walk; use s(t).
</details>
"""

# %% tags=["demo"]
band = manifolds.roll(1500, generator=seeded(0))
inner, outer = (
    int((band.parameters - torch.tensor(place)).norm(dim=1).argmin()) for place in ((5.2, 2.0), (11.4, 6.0))
)


def ways_on_the_band(start: int, end: int) -> dict[str, tuple[Tensor, Tensor | None]]:
    """Geodesic and chord between two points of the band: their steps in space, and on the unrolled band."""
    (t_start, h_start), (t_end, h_end) = band.parameters[[start, end]].tolist()
    t = torch.linspace(t_start, t_end, 200)
    same_height = torch.stack([t, torch.zeros(200)], dim=1)
    walked = roll_distance(same_height[:1].expand(200, 2), same_height)
    share = walked / walked[-1].clamp(min=1e-6)
    geodesic = manifolds.BAND.embed(t, h_start + share * (h_end - h_start))
    unrolled = band.coordinates[start] + share[:, None] * (band.coordinates[end] - band.coordinates[start])
    return {"geodesic": (geodesic, unrolled), "chord": (geodesic[[0, -1]], None)}


print(
    f"chord {(band.points[inner] - band.points[outer]).norm():.1f}, "
    f"along the band {roll_distance(band.parameters[[inner]], band.parameters[[outer]]).item():.1f}"
)
explorers.unfold(
    band.points,
    band.coordinates,
    ways=ways_on_the_band,
    start=(inner, outer),
    colour=band.coordinates[:, 0],
    colour_label="along the band",
    surface_title="rolled",
    flat_title="unrolled",
    notice="On the unrolled band every geodesic is a straight line. Put the ends on neighbouring turns, and the chord "
    "is a short cut through space that no walk on the band can take.",
)

# %% [markdown]
"""
Both answers used a formula. For real data nobody hands us one: there are only samples. And even a good formula fails
when the manifold has a hole (A51), because then the straight line in coordinate space leaves U.

What survives is this: *close to a point, the manifold is flat*, so distances between close neighbours can be
trusted. Connect every sample with its k nearest neighbours, and walk only along these edges. The shortest walk
approximates the geodesic. This is the heart of Isomap (Tenenbaum, de Silva and Langford 2000).

{{exercise:graph_geodesics}}

Write `graph_geodesics`. Two samples are joined when *either* is among the `neighbours` nearest of the other; the edge
is as long as their Euclidean distance. Return the length of the shortest walk between every two samples, and `inf` where
there is none. `scipy.sparse.csgraph.shortest_path` or scikit-learn's `kneighbors_graph` may do the heavy part.

**The trap:** the nearest sample to a sample is itself, at distance zero. It is no neighbour.
"""


# %% nbgrader={"grade": false, "grade_id": "graph_geodesics", "locked": false, "schema_version": 3, "solution": true, "task": false}
def graph_geodesics(
    points: Float[Tensor, "sample dim"], *, neighbours: int
) -> Float[Tensor, "sample sample"]:
    """Shortest walks along the graph that joins nearest neighbours.

    Args:
        points: samples of a manifold in data space.
        neighbours: k, how many nearest other samples each sample is joined to.

    Returns:
        Symmetric matrix of walking lengths; zero on the diagonal, inf between separate parts.

    Source: Tenenbaum et al. 2000; deck A, slides 50–51.
    """
    ### BEGIN SOLUTION
    from scipy.sparse.csgraph import shortest_path
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(points.numpy(), neighbours, mode="distance", include_self=False)
    return torch.from_numpy(shortest_path(graph, directed=False))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "graph_geodesics-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("graph_geodesics", points=5)
walks = exercise.student()

with exercise.check(
    "a walk is as long as its edges, not as many",
    points=1,
    hint="Edges carry Euclidean distances; do not count hops. And is each point its own first neighbour?",
):
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    exercise.close(walks(line, neighbours=1)[0], torch.tensor([0.0, 1.0, 3.0, 7.0]), atol=1e-5)

with exercise.check(
    "a way there is a way back",
    points=1,
    hint="Being a nearest neighbour is not mutual: join two samples when either chose the other (directed=False).",
):
    cloud = exercise.draw(60, 3)
    exercise.close(walks(cloud, neighbours=3), walks(cloud, neighbours=3).T, atol=1e-5)
    exercise.close(walks(torch.tensor([[0.0], [1.0], [3.0]]), neighbours=1)[0, 2], 3.0, atol=1e-5)

with exercise.check(
    "only neighbours are joined: around the corner, not across it",
    points=1,
    hint="Joining every sample with every other gives back the chord. Use the `neighbours` nearest only.",
):
    angle = torch.linspace(0, math.pi, 60)
    half_circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    exercise.close(
        walks(half_circle, neighbours=2)[0, -1], math.pi, atol=0.01, why="59 straight steps cut tiny corners"
    )

### BEGIN HIDDEN TESTS
with exercise.check(
    "there is no walk between separate parts",
    points=1,
    hint="Unreachable is inf, not 0, not a large number, and no bridge is built.",
):
    islands = torch.cat([exercise.draw(15, 2), exercise.draw(15, 2) + 100.0])
    walk = walks(islands, neighbours=3)
    exercise.true(
        bool(torch.isinf(torch.as_tensor(walk)[:15, 15:]).all()),
        "samples of two islands that are 100 apart are not at distance inf",
    )
    exercise.close(torch.as_tensor(walk).diagonal(), torch.zeros(30), atol=1e-6)

with exercise.check(
    "finds the length of a fresh curve that is rolled up in many dimensions",
    points=1,
    hint="Compare with the sum of the curve's own steps.",
):
    t = torch.linspace(5.0, 14.0, 400)
    curve = torch.stack([t * t.cos(), t * t.sin()], dim=1)
    shuffled = torch.randperm(400, generator=exercise.generator)
    rotated = torch.cat([curve, torch.zeros(400, 8)], dim=1) @ exercise.rotation(10)
    length = curve.diff(dim=0).norm(dim=1).sum()
    walk = torch.as_tensor(walks(rotated[shuffled], neighbours=2))
    exercise.close(walk.max(), length, atol=0, rtol=0.01, why="distances in single precision")
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

You want a matrix that holds the distance where two samples are joined and "no edge" elsewhere. Which libraries compute the
k nearest neighbours for you, and which the shortest paths?
</details>
<details><summary>Pseudo code</summary>

```text
k-nearest-neighbour graph with distances on its edges → make it undirected → all-pairs shortest paths (Dijkstra).
```
</details>
<details><summary>Help: everything is inf except the diagonal</summary>

With k = 1 you joined every point to itself. Ask for k + 1 neighbours and drop the first, or use include_self=False.
</details>
"""

# %% [markdown]
"""
**Predict, then run.** Four estimates of the distance between points of the rolled band are compared with the truth below: the
chord, and walks with k = 8, 2 and 40 neighbours. What goes wrong with too few neighbours, and what with too many?
"""

# %% tags=["demo"]
band = manifolds.roll(budget(1200, grading=200), generator=seeded(3))
truth = torch.cdist(band.coordinates, band.coordinates)
pairs = torch.triu_indices(len(band), len(band), offset=1)
estimates = {"chord": torch.cdist(band.points, band.points)}
estimates |= {f"walk, k = {k}": graph_geodesics(band.points, neighbours=k) for k in (2, 8, 40)}
for name, estimate in estimates.items():
    ratio = (torch.as_tensor(estimate).float() / truth)[*pairs]
    joined = ratio.isfinite()
    print(
        f"{name:13s} joins {joined.float().mean():4.0%} of the pairs; of the true distance it finds "
        f"{ratio[joined].median():4.0%} (median), {ratio[joined].min():4.0%} (worst)"
    )

# %% [markdown]
"""
Too few neighbours, and the graph falls apart. Too many, and an edge jumps across to the next turn: one such *short circuit*
spoils every distance that can use it. In between there is a range that works, and it depends on how densely the
manifold was sampled.

A hole (A51) is no obstacle. Straight lines in the unrolled coordinates may cross it; walks cannot.
"""

# %% tags=["demo"]
torn = manifolds.roll_with_hole(budget(1500, grading=300), generator=seeded(4))
left = int((torn.coordinates - torch.tensor([5.0, 4.0])).norm(dim=1).argmin())
right = int((torn.coordinates - torch.tensor([17.0, 4.0])).norm(dim=1).argmin())
around = torch.as_tensor(graph_geodesics(torn.points, neighbours=8)).float()
straight = (torn.coordinates[left] - torn.coordinates[right]).norm()
print(f"straight across the hole {straight:.1f}, walk around it {around[left, right]:.1f}")


def walks_on_the_torn_band(start: int, end: int) -> dict[str, tuple[Tensor | None, Tensor]]:
    """The shortest walk between two samples, in space and unrolled, and the straight line of the unrolled band."""
    detour = around[start] + around[end] - around[start, end]  # zero for samples that lie on a shortest walk
    stops = (detour < 1e-3).nonzero().flatten()
    stops = stops[around[start, stops].argsort()]
    return {
        "shortest walk": (torn.points[stops], torn.coordinates[stops]),
        "straight": (None, torn.coordinates[[start, end]]),
    }


explorers.unfold(
    torn.points,
    torn.coordinates,
    ways=walks_on_the_torn_band,
    start=(left, right),
    colour=torn.coordinates[:, 0],
    colour_label="along the band",
    surface_title="rolled",
    flat_title="unrolled",
    notice="Where the straight line would cross the hole, the shortest walk bends around it; where there is no hole "
    "between the ends, the two nearly agree.",
)

# %% [markdown]
r"""
## 4. How many dimensions has a manifold?

Turn your head, and a camera in front of you records a film: a thousand images of 3 · 728 · 1280 numbers each. Yet all that
changes is one angle, "where does he look to" (A44, A48). The film is a *curve* in a space of 2,795,520 dimensions: m = 1. Can this be seen
from the images alone?

Look at one sample. Let r₁ be the distance to its nearest neighbour and r₂ that to the second nearest. In one dimension the
second is often much farther away; in many dimensions there is so much room at almost the same distance that r₂ ≈ r₁. So the
ratio μ = r₂ / r₁ knows the dimension. If the density is about constant over that little distance, log μ is
exponentially distributed with rate m, and the maximum-likelihood estimate from n samples is

$$\hat m = \frac{n}{\sum_i \log \mu_i}.$$

This is **TwoNN** (Facco, d'Errico, Rodriguez and Laio 2017).

{{exercise:two_nn}}

Write `two_nn`. Leave out samples whose nearest neighbour is at distance zero, that is, exact copies: their μ is infinite.
(The points come in double precision. In single precision `torch.cdist` rounds the small distances between near images so roughly that the
neighbours change; that is worth remembering.)

**The trap:** a mean of ratios is not a ratio of means. Sum the logarithms first; do not average n individual estimates
1 / log μᵢ.
"""


# %% nbgrader={"grade": false, "grade_id": "two_nn", "locked": false, "schema_version": 3, "solution": true, "task": false}
def two_nn(points: Float[Tensor, "sample dim"]) -> float:
    """Intrinsic dimension of a point cloud from the two nearest neighbours of every point.

    Args:
        points: samples in data space; the dimension of data space does not matter.

    Returns:
        Maximum-likelihood estimate of the manifold's dimension, not rounded.

    Source: Facco et al. 2017.
    """
    ### BEGIN SOLUTION
    from sklearn.neighbors import NearestNeighbors

    distances, _ = (
        NearestNeighbors(n_neighbors=2).fit(points.numpy()).kneighbors()
    )  # without the points themselves
    first, second = distances[distances[:, 0] > 0].T
    return len(first) / float(np.log(second / first).sum())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "two_nn-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("two_nn", points=5)
dimension = exercise.student()

with exercise.check(
    "three points on a line, by hand",
    points=1,
    hint="At 0, 1 and 3 the ratios μ are 3/1, 2/1 and 3/2. Natural logarithm; and nobody is their own neighbour.",
):
    exercise.close(dimension(torch.tensor([[0.0], [1.0], [3.0]])), 3 / math.log(9), atol=1e-5)

with exercise.check(
    "copies of a sample are left out",
    points=1,
    hint="Where r₁ = 0, μ is infinite: drop these samples before you count n.",
):
    exercise.close(
        dimension(torch.tensor([[0.0], [1.0], [3.0], [50.0], [50.0]])),
        3 / (math.log(3) + math.log(2) + math.log(1.5)),
        atol=1e-5,
        why="the two copies at 50 are dropped, the other three stay as they were",
    )

with exercise.check(
    "a square is two-dimensional, in however many dimensions it is written down",
    points=1,
    hint="Only distances between samples enter, never the length of x.",
):
    square = torch.rand(600, 2, generator=exercise.generator).double()
    flat = dimension(square)
    lifted = torch.cat([square, torch.zeros(600, 30)], dim=1) @ exercise.rotation(32).double()
    exercise.close(flat, 2.0, atol=0.45, why="600 samples: four standard deviations")
    exercise.close(dimension(lifted), flat, atol=0, rtol=0.02, why="float32 distances after the rotation")

### BEGIN HIDDEN TESTS
with exercise.check(
    "follows the dimension of fresh cubes",
    points=1,
    hint="n divided by the sum of logarithms, not the mean of n separate estimates.",
):
    for m in (1, 3, 5):
        cube = torch.rand(800, m, generator=exercise.generator).double()
        exercise.close(
            dimension(cube),
            float(m),
            atol=0,
            rtol=0.2,
            why="800 samples; the corners of a cube bias the estimate down",
        )

with exercise.check(
    "a rolled band stays two-dimensional",
    points=1,
    hint="The estimate is local: it must not see that the band is curled up.",
):
    t = 4.5 + 9 * torch.rand(1000, generator=exercise.generator).double()
    band = torch.stack([t * t.cos(), 20 * torch.rand(1000, generator=exercise.generator), t * t.sin()], dim=1)
    exercise.close(dimension(band), 2.0, atol=0.35, why="1000 samples: four standard deviations")
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

You need two numbers per sample. Sort one row of the distance matrix: which of its entries are r₁ and r₂?
</details>
<details><summary>Pseudo code</summary>

```text
distances of each sample to its two nearest *other* samples → drop rows with r₁ = 0 → n / Σ log(r₂ / r₁).
```
</details>
<details><summary>Help: my estimates are too large, and jump from run to run</summary>

A single sample with μ just above 1 gives a huge 1 / log μ, and the mean of such numbers is dominated by a few of them.
Add up the logarithms and divide once.
</details>
"""

# %% [markdown]
"""
Now against a reality that we know. The *turning camera* is one fixed scene, seen by a camera that walks around it. In the
*scenes* below it, k named factors vary (hue, position, size, turn) while all else stays put, so the true dimension is k by
construction. Nobody can check an estimator like this on photographs: nobody knows how many factors they have.

One honest detail. A pixel at an edge changes in steps as the object moves, and two neighbours on a film may be closer than
one such step. At that scale a film of images is not smooth at all (Wakin et al. 2005), so all images are blurred a little first.

**Predict, then run.** Write down your guess for the last row: in how many dimensions do handwritten digits vary?
"""

# %% tags=["demo"]
from scipy.ndimage import gaussian_filter

FACTORS = ("hue", "x", "y", "scale", "yaw")
samples, repeats = budget(300, grading=100), budget(5, grading=1)


def blurred(manifold: manifolds.Manifold) -> Tensor:
    """The images, smoothed with a Gaussian of one sixteenth of their width, flattened."""
    sigma = manifold.image_size / 16
    return torch.from_numpy(gaussian_filter(manifold.images.numpy(), sigma=(0, 0, sigma, sigma))).flatten(1)


digits = load_digits(generator=seeded(0))
draws = {
    "sphere": (2, lambda g: manifolds.sphere(samples, generator=g).points),
    "rolled band": (2, lambda g: manifolds.roll(samples, generator=g).points),
    "turning camera": (1, lambda g: blurred(manifolds.turning_camera(samples, size=64, generator=g))),
}
for k in range(1, len(FACTORS) + 1):
    draws[f"scenes, {k} free"] = (
        k,
        lambda g, k=k: blurred(manifolds.scene_factors(samples, free=FACTORS[:k], generator=g)),
    )
draws["digits"] = (
    None,
    lambda g: digits.train_images.flatten(1)[torch.randperm(len(digits.train_images), generator=g)[:samples]],
)

estimated = {
    name: [two_nn(draw(seeded(seed)).double()) for seed in range(repeats)]
    for name, (_, draw) in draws.items()
}
print("                  true   estimated, mean ± sd over", repeats, "seeds")
for name, values in estimated.items():
    print(f"{name:17s} {draws[name][0] or '?':>4}   {np.mean(values):5.2f} ± {np.std(values):.2f}")
scenes_estimated = np.array(
    [estimated[f"scenes, {k} free"] for k in range(1, len(FACTORS) + 1)]
).T  # (seed, k)
viz.show(
    viz.curves(
        {"TwoNN on images": scenes_estimated},
        x=range(1, len(FACTORS) + 1),
        x_label="number of free factors of the scene",
        y_label="estimated number of dimensions",
        diagonal="truth",
        title=f"With {len(FACTORS)} free factors, images have about {scenes_estimated[:, -1].mean():.1f} dimensions",
    ),
    alt="Estimated dimension against the true number of free factors, one to five: the estimates follow the diagonal.",
)

# %% [markdown]
"""
The images have thousands of numbers each. The estimator has never been told about factors, and still follows their number. It also has
limits, and you should know them before you trust a number:

- **It has a scale.** At distances where a single ray through a single pixel decides, a film is rough, and no blur makes that undone. Take
  `size=16` and `size=128` for the turning camera: how much of the estimate is camera, and how much is pixels?
- **Few samples in many dimensions** underestimate: the neighbours are so far away that the density is not constant over r₂.
- **Noise has as many dimensions as data space.** Where it is larger than the distance to the neighbours, noise is what you
  measure. More samples make it worse, because neighbours come closer.
"""

# %% tags=["demo"]
counts = budget((100, 200, 400, 800, 1600), grading=(50, 100))
noisy = {
    f"rolled band, noise {noise}": [
        [
            two_nn(manifolds.roll(count, noise=noise, generator=seeded(seed)).points.double())
            for count in counts
        ]
        for seed in range(repeats)
    ]
    for noise in (0.0, 0.1, 0.3)
}
viz.show(
    viz.curves(
        noisy,
        x=counts,
        x_label="number of samples",
        y_label="estimated number of dimensions",
        log_x=True,
        references={"truth": 2.0},
        title="Does noise look like one more dimension?",
    ),
    alt="Without noise the estimate stays at two for any number of samples. With noise it rises towards three as samples are added.",
)

# %% [markdown]
"""
## 5. Learning coordinates

An estimate of m says how many numbers z needs. It does not say which. Many coordinate systems describe one manifold, and
some distort it (A47). Four ways to find one from samples:

- **PCA** turns the axes so that a few of them carry most of the variance. It can only rotate and project: flat manifolds.
- **Isomap** takes the walks of your graph and looks for points in ℝᵐ whose straight distances are as close to them as
  possible. It unrolls; it has no answer for a new x without extra work.
- **UMAP** keeps neighbours together and cares little for large distances. A map for the eye.
- An **autoencoder** learns two functions: an encoder f: ℝᴰ → ℝᵐ and a decoder g: ℝᵐ → ℝᴰ, so that g(f(x)) ≈ x. The
  narrow place in the middle, the *bottleneck* z, must hold all that is needed to get back. Both functions answer for what
  they have not seen. (So do PCA's, but they are flat.)

{{exercise:autoencoder}}

Complete `Autoencoder`. Encoder and decoder are each a small network with at least one hidden layer of width `hidden` (use
`mlp`, which you imported, or your own layers); z has `bottleneck` numbers.

**The trap:** a nonlinearity at the end of the encoder cuts coordinates away: after a ReLU no z is negative, and the
outer half of a chart is gone. Nonlinearities belong *between* layers. And the decoder may look at z, at nothing else.
"""


# %% nbgrader={"grade": false, "grade_id": "autoencoder", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Autoencoder(nn.Module):
    """Encoder f and decoder g around a bottleneck z.

    Args:
        dimension: D, how many numbers make one x.
        bottleneck: m, how many numbers make one z.
        hidden: width of the hidden layers.

    Source: deck A, slides 52–59.
    """

    def __init__(self, dimension: int, bottleneck: int, *, hidden: int = 128):
        super().__init__()
        ### BEGIN SOLUTION
        self.encoder = mlp(dimension, hidden, hidden, bottleneck)
        self.decoder = mlp(bottleneck, hidden, hidden, dimension)
        ### END SOLUTION

    def encode(self, x: Float[Tensor, "sample dimension"]) -> Float[Tensor, "sample bottleneck"]:
        """z = f(x)."""
        ### BEGIN SOLUTION
        return self.encoder(x)
        ### END SOLUTION

    def decode(self, z: Float[Tensor, "sample bottleneck"]) -> Float[Tensor, "sample dimension"]:
        """g(z), an x."""
        ### BEGIN SOLUTION
        return self.decoder(z)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "sample dimension"]) -> Float[Tensor, "sample dimension"]:
        """g(f(x)), the reconstruction of x."""
        ### BEGIN SOLUTION
        return self.decode(self.encode(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "autoencoder-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("autoencoder", points=5)
Student = exercise.student("Autoencoder")

with exercise.check(
    "z has m numbers, a reconstruction has D",
    points=1,
    hint="encode: (sample, D) → (sample, m). decode and forward end with (sample, D), and forward returns nothing else.",
):
    model = Student(12, 3, hidden=16)
    x = exercise.draw(7, 12)
    exercise.shape(model.encode(x), (7, 3))
    exercise.shape(model.decode(exercise.draw(7, 3)), (7, 12))
    exercise.shape(model(x), (7, 12))

with exercise.check(
    "every coordinate of z can take any real value",
    points=1,
    hint="A ReLU, sigmoid or tanh at the end of the encoder cuts or squeezes coordinate space. End with a linear layer.",
):
    seen = []
    for _ in range(8):  # eight fresh models, their weights ten times as large as usual
        model = Student(6, 4, hidden=32)
        for parameter in model.parameters():
            parameter.data *= 10
        seen.append(model.encode(exercise.draw(100, 6)).detach())
    z = torch.cat(seen)
    exercise.true(
        bool((z.amin(dim=0) < 0).all() and (z.amax(dim=0) > 0).all()),
        "over 800 inputs and eight models, some coordinate of z never changes its sign",
    )
    exercise.true(
        bool((z.abs().amax(dim=0) > 1.5).all()), "however large the weights, z stays between −1 and 1"
    )

with exercise.check(
    "the decoder sees z and nothing else",
    points=1,
    hint="forward is decode(encode(x)). No shortcut from x, no memory of the last x, no noise.",
):
    model = Student(5, 2, hidden=16)
    x, z = exercise.draw(9, 5), exercise.draw(9, 2)
    before = model.decode(z)
    exercise.close(model(x), model.decode(model.encode(x)), atol=1e-6)
    exercise.close(model.decode(z), before, atol=1e-6)

with exercise.check(
    "all parameters of both parts are known to the optimiser and learn",
    points=1,
    hint="Layers must be attributes of self (or in an nn.ModuleList): a plain Python list hides them from parameters(). "
    "Did you call .detach() or work under no_grad?",
):
    model = Student(10, 3, hidden=16)
    exercise.true(
        sum(p.numel() for p in model.parameters()) >= 2 * (10 * 16 + 16 * 3),
        "parameters() does not list two networks with hidden layers of width 16",
    )
    loss = ((model(exercise.draw(32, 10)) - exercise.draw(32, 10)) ** 2).mean()
    exercise.gradients_reach(loss, model)

### BEGIN HIDDEN TESTS
with exercise.check(
    "one curved coordinate beats one straight one",
    points=1,
    hint="Without a nonlinearity between the layers, an autoencoder is PCA: it cannot follow a curve.",
):
    angle = torch.rand(256, 1, generator=exercise.generator) * math.pi
    curve = torch.cat([angle.cos(), angle.sin(), torch.zeros(256, 4)], dim=1) @ exercise.rotation(6)
    curve = curve - curve.mean(dim=0)
    straight = float(
        (torch.linalg.svdvals(curve)[1:] ** 2).sum() / curve.numel()
    )  # the best line: PCA with one component
    model = Student(6, 1, hidden=32)
    fit(
        lambda i: ((model(curve[i]) - curve[i]) ** 2).mean(),
        model.parameters(),
        count=256,
        steps=300,
        generator=exercise.generator,
        learning_rate=1e-2,
    )
    error = float(((model(curve) - curve) ** 2).mean().detach())
    exercise.between(1 - error / straight, chance=0.0, ceiling=1.0, full=0.6)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`mlp(12, 16, 3)` maps 12 numbers to 3 through a hidden layer of 16, with a nonlinearity after the hidden layer only. Which
two of those do you need?
</details>
<details><summary>Pseudo code</summary>

```text
encoder: D → hidden → hidden → m; decoder: m → hidden → hidden → D; forward: decode what encode gave.
```
</details>
<details><summary>Help: "AttributeError: cannot assign module before Module.__init__() call"</summary>

`super().__init__()` must come first. It is already there: keep it above your layers.
</details>
"""

# %% [markdown]
"""
Four ways, three data sets. **Trustworthiness** asks of a two-dimensional picture: are the neighbours you see neighbours in data
space? 1 means all are; what points scattered at random would get stands in each title.

**Predict, then run.** Which method will fail to unroll the band, and which will find that the turning camera is a curve?
"""

# %% tags=["demo"]
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap, trustworthiness


def train_autoencoder(points: Tensor, bottleneck: int, *, seed: int, steps: int) -> Autoencoder:
    """Your autoencoder, trained to reconstruct `points`."""
    torch.manual_seed(seed)
    model = Autoencoder(points.shape[1], bottleneck)
    fit(
        lambda i: F.mse_loss(model(points[i]), points[i]),
        model.parameters(),
        count=len(points),
        steps=steps,
        generator=seeded(seed),
        label=f"autoencoder, m = {bottleneck}",
    )
    return model.eval()


def four_ways(points: Tensor, bottleneck: int, *, seed: int) -> tuple[dict[str, np.ndarray], Autoencoder]:
    """Coordinates of the samples by PCA, Isomap, UMAP and your autoencoder, and the autoencoder itself."""
    ways = {
        "PCA": PCA(bottleneck).fit_transform(points.numpy()),
        "Isomap": Isomap(n_neighbors=10, n_components=bottleneck).fit_transform(points.numpy()),
    }
    if budget(True, grading=False):
        from umap import UMAP  # takes half a minute to get ready the first time it is used on a machine

        ways["UMAP"] = UMAP(
            n_neighbors=15, n_components=bottleneck, random_state=seed, n_jobs=1
        ).fit_transform(points.numpy())
    model = train_autoencoder(points, bottleneck, seed=seed, steps=budget(1200, grading=20))
    with torch.no_grad():
        ways["autoencoder"] = model.encode(points).numpy()
    return ways, model


count = budget(600, grading=150)
band = manifolds.roll(2 * count, generator=seeded(0))  # with fewer, k = 10 neighbours jump to the next turn
film = manifolds.turning_camera(count, size=24, generator=seeded(0))
some = torch.randperm(len(digits.train_images), generator=seeded(0))[:count]
cases = {
    "rolled band": (band.points / band.points.std(), band.coordinates[:, 0], "along the band (units)"),
    "turning camera": (film.points, film.coordinates[:, 0], "camera azimuth (°)"),
    "digits": (digits.train_images.flatten(1)[some], digits.train_labels[some], "digit"),
}
embeddings = {name: four_ways(points, 2, seed=0)[0] for name, (points, _, _) in cases.items()}
for name, (points, colour, label) in cases.items():
    ways = embeddings[name]
    trust = {way: trustworthiness(points.numpy(), z, n_neighbors=10) for way, z in ways.items()}
    random = trustworthiness(
        points.numpy(), np.random.default_rng(0).random((len(points), 2)), n_neighbors=10
    )
    viz.show(
        viz.scatter_panels(
            ways,
            colour=colour,
            colour_label=label,
            title=f"{name}: {max(trust, key=trust.get)} keeps most neighbours (scattered at random: {random:.2f})",
            scores={way: f"trustworthiness {value:.3f}" for way, value in trust.items()},
        ),
        alt=f"{name} in two coordinates by {', '.join(ways)}, coloured by {label}. Trustworthiness: "
        + ", ".join(f"{way} {value:.3f}" for way, value in trust.items()),
    )

# %% [markdown]
"""
Look closely before you trust a number. PCA leaves the band rolled up, and UMAP pulls it into clumps, yet neither is
punished much: trustworthiness looks at neighbours only, and near neighbours survive a projection well. The autoencoder with its
low error is free to fold the band in any way that it can undo.

A point is a picture. Below are the film of the turning camera and the digits, each as the autoencoder sees it (two numbers) and beside
it as three principal components of the pixels, which you can turn. Point at a point, draw around a few, colour by something else.
Which pictures lie where you would not have put them?
"""

# %% tags=["demo"]
explorers.latent_scatter(
    embeddings["turning camera"]["autoencoder"],
    images=film.points.unflatten(1, (3, 24, 24)),
    factors={"camera azimuth (°)": film.coordinates[:, 0], "mean brightness": film.points.mean(dim=1)},
    inputs=PCA(3).fit_transform(film.points.numpy()),
    title="The film in the autoencoder's z",
    input_title="three principal components of x",
    notice="In both spaces the film is a curve along which the azimuth changes steadily; coloured by brightness, "
    "pieces of it that are far apart share a colour.",
)

# %% tags=["demo"]
explorers.latent_scatter(
    embeddings["digits"]["autoencoder"],
    images=digits.train_images[some],
    factors={"digit": digits.train_labels[some], "mean ink": digits.train_images[some].mean(dim=(1, 2))},
    inputs=PCA(3).fit_transform(digits.train_images[some].flatten(1).numpy()),
    title="The digits in the autoencoder's z",
    input_title="three principal components of x",
    notice="Draw around a few points where the colours mix: the counts say which digits share one place, the pictures "
    "which of them you would have mixed up yourself.",
)

# %% [markdown]
"""
For the turning camera there is a sharper question, because reality is known. Give each method *one* coordinate. How well does
it order the images by the true angle of the camera? The score is the rank correlation, without its sign, of z and the angle; the
ceiling is 1. Two baselines hardly look at the images: a *random direction* in data space, and the mean *brightness*. Chance is what an
unrelated coordinate gets. Every seed draws its own images.
"""


# %% tags=["demo"]
def order(z: np.ndarray, angle: Tensor) -> float:
    """|rank correlation| of a coordinate with the true angle of the camera."""
    return float(abs(spearmanr(np.ravel(z), angle.numpy()).statistic))


def one_coordinate(seed: int) -> tuple[manifolds.Manifold, dict[str, np.ndarray], Autoencoder]:
    """A film of its own for every seed, its images in one coordinate by all methods, and the trained autoencoder."""
    film = manifolds.turning_camera(count, size=24, generator=seeded(seed))
    ways, model = four_ways(film.points, 1, seed=seed)
    ways["mean brightness"] = film.points.mean(dim=1).numpy()
    ways["random direction"] = (
        film.points @ torch.randn(film.points.shape[1], generator=seeded(seed))
    ).numpy()
    return film, ways, model


films, coordinates, autoencoders = zip(
    *(one_coordinate(seed) for seed in range(budget(3, grading=1))), strict=True
)
rows = {
    way: [order(ways[way], film.coordinates[:, 0]) for film, ways in zip(films, coordinates, strict=True)]
    for way in coordinates[0]
}
chance = float(
    np.mean(
        [order(np.random.default_rng(seed).random(count), films[0].coordinates[:, 0]) for seed in range(100)]
    )
)
board = {
    "unit": "|rank correlation| with the camera's true angle",
    "methods": {"PCA", "Isomap", "UMAP", "autoencoder"} & rows.keys(),
    "chance": chance,
    "ceiling": 1.0,
    "title": f"{max(rows, key=lambda way: np.mean(rows[way]))} orders the views best by the camera's angle",
}
viz.show(
    viz.scoreboard(rows, **board),
    alt="How well one coordinate orders the images by the camera's angle: "
    + ", ".join(f"{way} {np.mean(score):.2f}" for way, score in rows.items()),
)
viz.scoreboard_table(rows, **board)

# %% [markdown]
"""
Two things to see. PCA and UMAP rank *below the mean brightness*, a baseline that knows nothing but how light the picture is: the film is
too curved for a straight axis, and a one-dimensional UMAP may fold or reorder what it keeps together. And the high trustworthiness of all four in
the picture above did not tell you so. A score answers its own question only.

Now turn the knobs of UMAP yourself. Few neighbours: islands. Many: one continent. `min_dist` only says how tightly points may be
packed. Nothing in the picture says that two far islands are far in reality.
"""


# %% tags=["demo"]
def umap_of_digits(n_neighbors: int, min_dist: float) -> np.ndarray:
    """Two UMAP coordinates of the digits; falls back to PCA under the grading budget."""
    points = digits.train_images.flatten(1)[some].numpy()
    if not budget(True, grading=False):
        return PCA(2).fit_transform(points)
    from umap import UMAP

    return UMAP(n_neighbors=n_neighbors, min_dist=min_dist, random_state=0, n_jobs=1).fit_transform(points)


explorers.embedding(
    umap_of_digits,
    images=digits.train_images[some],
    colour=digits.train_labels[some],
    colour_label="digit",
    parameters={"n_neighbors": (3, 5, 15, 50, 200), "min_dist": (0.0, 0.1, 0.5, 0.99)},
    start={"n_neighbors": 15, "min_dist": 0.1},
    title="UMAP of digits",
    notice="Few neighbours make islands of the digits and many make one continent; how far apart two islands lie says "
    "nothing.",
    score=lambda z: (
        f"trustworthiness {trustworthiness(digits.train_images.flatten(1)[some].numpy(), z, n_neighbors=10):.3f}"
    ),
)

# %% [markdown]
"""
## 6. On the manifold, and off it

With an encoder and a decoder you can walk. Take two images, go straight from z₁ to z₂ and decode on the way: if z is a good
coordinate, everything in between is an image that *could be*. Go straight from x₁ to x₂ instead, and the way leads through
empty data space.

{{exercise:latent_interpolation}}

Write `latent_interpolation`: decode `steps` equally spaced points on the straight line from z of `start` to z of `end`, both
ends included.

**The trap:** the line is straight in *coordinate* space. A weighted mean of two images is a double exposure, and
averaging two *decoded* images is no better.
"""


# %% nbgrader={"grade": false, "grade_id": "latent_interpolation", "locked": false, "schema_version": 3, "solution": true, "task": false}
def latent_interpolation(
    model: nn.Module, start: Float[Tensor, " dimension"], end: Float[Tensor, " dimension"], *, steps: int
) -> Float[Tensor, "step dimension"]:
    """Walk from one sample to another through coordinate space.

    Args:
        model: has `encode` (sample, dimension) → (sample, bottleneck) and `decode` back.
        start: one x.
        end: another x.
        steps: points on the way, the two ends included; at least 2.

    Returns:
        One decoded x per step, in order.

    Source: deck A, slides 47 and 58.
    """
    ### BEGIN SOLUTION
    first, last = model.encode(torch.stack([start, end]))
    way = torch.linspace(0, 1, steps)[:, None]
    return model.decode((1 - way) * first + way * last)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "latent_interpolation-check", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("latent_interpolation", points=3)
walk = exercise.student()


class Circle(nn.Module):
    """A perfect autoencoder of the unit circle: x is a point, z its angle."""

    def encode(self, x):
        return torch.atan2(x[:, 1], x[:, 0])[:, None]

    def decode(self, z):
        return torch.cat([z.cos(), z.sin()], dim=1)


with exercise.check(
    "half-way round a quarter circle is at 45 degrees, on the circle",
    points=1,
    hint="Mix the two z, then decode once. Mixing the two x cuts through the inside of the circle.",
):
    exercise.close(
        walk(Circle(), torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), steps=3)[1],
        torch.tensor([math.sqrt(0.5), math.sqrt(0.5)]),
        atol=1e-5,
    )

with exercise.check(
    "it begins at the start, ends at the end and takes equal steps",
    points=1,
    hint="torch.linspace(0, 1, steps) holds both ends; torch.arange(steps) / steps misses the last.",
):
    angle = torch.tensor([[0.3], [2.1]])
    ends = Circle().decode(angle)
    path = walk(Circle(), ends[0], ends[1], steps=7)
    exercise.close(path, Circle().decode(torch.linspace(0.3, 2.1, 7)[:, None]), atol=1e-5)

### BEGIN HIDDEN TESTS
with exercise.check(
    "follows a fresh curved manifold in more dimensions",
    points=1,
    hint="Only encode and decode of the model may know the manifold; do not assume an angle or two dimensions.",
):

    class Bent(nn.Module):
        """z ↦ (z, tanh of a mixture of z), turned: the encoder turns back and reads z off."""

        turn, mix = exercise.rotation(6), exercise.draw(3, 3)

        def encode(self, x):
            return (x @ self.turn.T)[:, :3]

        def decode(self, z):
            return torch.cat([z, torch.tanh(z @ self.mix)], dim=1) @ self.turn

    z = exercise.draw(2, 3)
    start, end = Bent().decode(z)
    middle = Bent().decode(z[:1] + torch.linspace(0, 1, 5)[:, None] * (z[1:] - z[:1]))
    exercise.close(walk(Bent(), start, end, steps=5), middle, atol=1e-4)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Where does the sentence "half-way between" make sense: for two lists of pixels, or for two positions of the camera?
</details>
<details><summary>Pseudo code</summary>

```text
z₁, z₂ = encode both → (1 − a) · z₁ + a · z₂ for a in 0 … 1 → decode them all at once.
```
</details>
<details><summary>Help: "Expected 2-D input" or a shape (1, …) too many</summary>

`encode` wants a batch: `start[None]` makes one of a single x; `[0]` takes it out again.
</details>
"""

# %% [markdown]
"""
Now the same walk with the turning camera, from one view to another. Because reality is known, we can measure how far each step is from the
manifold: the distance to the nearest of 2,000 true views. Three ways: through the z of your autoencoder with m = 1, through the z of one with
m = 2, and through x.

**Predict, then run.** The film is a curve. What could go wrong with a bottleneck that is *wider* than the manifold?
"""

# %% tags=["demo"]
true_views = manifolds.turning_camera(budget(2000, grading=200), size=24, generator=seeded(99)).points
share = torch.linspace(0, 1, 9)[:, None]


def off_manifold(x: Tensor) -> Tensor:
    """Root-mean-square difference per pixel to the nearest true view, grey levels 0 … 1."""
    return torch.cdist(x, true_views).amin(dim=1) / math.sqrt(x.shape[1])


def pictures(x: Tensor) -> Tensor:
    """Flat samples as images."""
    return x.clamp(0, 1).unflatten(-1, (3, 24, 24))


walks_by_seed = []
for seed, (film, narrow) in enumerate(zip(films, autoencoders, strict=True)):
    wide = train_autoencoder(film.points, 2, seed=seed, steps=budget(1200, grading=20))
    start, end = (film.points[(film.coordinates[:, 0] - degrees).abs().argmin()] for degrees in (-50.0, 30.0))
    with torch.no_grad():
        walks_by_seed.append(
            {
                "z (m = 1)": latent_interpolation(narrow, start, end, steps=9).clamp(0, 1),
                "z (m = 2)": latent_interpolation(wide, start, end, steps=9).clamp(0, 1),
                "x": (1 - share) * start + share * end,
            }
        )
viz.show(
    viz.strip(
        {way: pictures(path) for way, path in walks_by_seed[0].items()},
        numbers={way: off_manifold(path) for way, path in walks_by_seed[0].items()},
        number_format="{:.3f}",
        title="From view to view: which way stays near true views? (first seed; the numbers are distances)",
    ),
    alt="Walks between two views. Through z with one coordinate the camera turns. Through x one view fades into the other as a double exposure.",
)
for way in walks_by_seed[0]:
    half_way = [off_manifold(walk[way])[4].item() for walk in walks_by_seed]
    print(
        f"half-way through {way:9s}", "  ".join(f"{value:.3f}" for value in half_way), "  (one number a seed)"
    )
fresh = manifolds.turning_camera(50, size=24, generator=seeded(98)).points
print(
    f"a true view that is not among the 2,000: {off_manifold(fresh).mean():.3f}; "
    f"its reconstruction with m = 1: {off_manifold(autoencoders[0](fresh).detach()).mean():.3f}"
)

# %% [markdown]
"""
Through x the camera does not turn: one view fades out while another fades in, a picture that no camera can take. Through a z with one
coordinate, every stop is about as close to the manifold as a reconstruction gets. With two coordinates it depends on the seed: the film
is then a *curve* in the plane of z, and a straight line between two of its points may leave it. A bottleneck wider than the manifold has room
for z that belong to nothing.

This is the other half of the promise that f and g make. They are defined for *every* x and *every* z, but their values "are not expected to be
meaningful" off the manifold (A54, A58). Below, the encoder is fed what it has never seen, and the decoder coordinates far outside U.
"""

# %% tags=["demo"]
model, film = autoencoders[0], films[0]
inputs = {
    "new view": manifolds.turning_camera(2, size=24, generator=seeded(11)).points,
    "from behind": manifolds.turning_camera(2, size=24, generator=seeded(11), limits=(120.0, 240.0)).points,
    "other scene": world.render(
        world.sample_scenes(2, generator=seeded(12)), camera=world.Camera(distance=6.0), size=24
    ).image.flatten(1),
    "noise": torch.rand(2, 3 * 24 * 24, generator=seeded(13)),
}
with torch.no_grad():
    outputs = {name: model(x).clamp(0, 1) for name, x in inputs.items()}
    z = model.encode(film.points)
    times = (-20.0, -5.0, -2.0, -1.0, 1.0, 2.0, 5.0, 20.0)
    far = model.decode(z.mean() + torch.tensor(times)[:, None] * (z.max() - z.min()) / 2)
viz.show(
    viz.strip(
        {
            "x": pictures(torch.cat(list(inputs.values()))),
            "g(f(x))": pictures(torch.cat(list(outputs.values()))),
        },
        columns=[name for name in inputs for _ in range(2)],
        title="Whatever goes in, a view from the front comes out",
    ),
    alt="Top, inputs: new views, views from behind, other scenes, noise. Below, reconstructions: all look like views from the front, whatever went in.",
)
viz.show(
    viz.strip(
        {"g(z)": pictures(far)},
        columns=[f"{time:+g}" for time in times],
        title="Far outside of U the colours are false (z in half-widths of U from its middle)",
    ),
    alt="Decoded images for z inside and far outside of U: recognisable within, false colours far outside.",
)
for name, x in inputs.items():
    error = (outputs[name] - x).square().mean().sqrt()
    print(
        f"{name:12s} is off the manifold by {off_manifold(x).mean():.3f}, what comes out by {off_manifold(outputs[name]).mean():.3f}; "
        f"reconstruction error {error:.3f}"
    )

# %% [markdown]
"""
Read pictures and numbers together: what comes out for a stranger is *closer to the manifold than what went in*. The decoder has learned to draw
front views of this scene, so that is what it draws, of anything. A confident output is no sign that the input made sense. The
reconstruction error is at least a hint.

Walk along the decoder's line yourself, and past its ends.
"""


# %% tags=["demo"]
def decoded(z: np.ndarray) -> np.ndarray:
    """One image for one z."""
    with torch.no_grad():
        return pictures(model.decode(torch.as_tensor(z, dtype=torch.float32)[None]))[0].numpy()


with torch.no_grad():
    z_start, z_end = model.encode(torch.stack([start, end])).numpy()
explorers.latent_line(
    decoded,
    start=z_start,
    end=z_end,
    distance=lambda image: off_manifold(torch.as_tensor(image).flatten()[None]).item(),
)

# %% [markdown]
"""
## 7. Meaning rises with depth

"There isn't just a single hidden feature space", says A63, but a *spectrum of semantic level* from input to output. How would
you measure a semantic level? Ask how much a **linear** classifier can read off a layer (A61): information that needs no more
than one weighted sum is *accessible*. The layer itself stays frozen. Such a classifier is a **linear probe** (Alain and
Bengio 2016).

{{exercise:linear_probe}}

Write `linear_probe`. Flatten the features, standardise every feature, fit a linear classifier on the training samples and
return its accuracy on the test samples. scikit-learn's `StandardScaler` and `LogisticRegression` do the work.

**The trap:** the test samples may be used for one thing only: to be classified. Not for fitting, not for choosing, and
not for the mean and standard deviation either.
"""


# %% nbgrader={"grade": false, "grade_id": "linear_probe", "locked": false, "schema_version": 3, "solution": true, "task": false}
def linear_probe(
    train_features: Float[Tensor, "train ..."],
    train_labels: Int64[Tensor, " train"],
    test_features: Float[Tensor, "test ..."],
    test_labels: Int64[Tensor, " test"],
) -> float:
    """How well a linear classifier reads the labels off frozen features.

    Args:
        train_features: one layer's features of the training samples, of any shape per sample.
        train_labels: their classes.
        test_features: the same layer's features of other samples.
        test_labels: their classes.

    Returns:
        Accuracy on the test samples, 0 … 1.

    Source: Alain and Bengio 2016; deck A, slides 61–63.
    """
    ### BEGIN SOLUTION
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    probe.fit(train_features.flatten(1).detach().numpy(), train_labels.numpy())
    return float(probe.score(test_features.flatten(1).detach().numpy(), test_labels.numpy()))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "linear_probe-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("linear_probe", points=5)
probe = exercise.student()


def split(features, labels, first):
    return features[:first], labels[:first], features[first:], labels[first:]


with exercise.check(
    "reads what one weighted sum can tell, from features of any shape",
    points=1,
    hint="Flatten each sample: (sample, channel, height, width) → (sample, number).",
):
    features = exercise.draw(800, 2, 3, 3)
    labels = (features[:, 0].sum(dim=(1, 2)) - features[:, 1].sum(dim=(1, 2)) > 0).long()
    exercise.true(float(probe(*split(features, labels, 600))) > 0.85, "a linear rule was not found")

with exercise.check(
    "cannot read what takes more than that",
    points=1,
    hint="The probe must be linear: no hidden layer, no neighbours, no products of features. A strong probe "
    "measures itself, not the layer.",
):
    features = exercise.draw(600, 2)
    labels = (features[:, 0] * features[:, 1] > 0).long()  # exclusive or: no straight line helps
    exercise.true(
        float(probe(*split(features, labels, 400))) < 0.7,
        "the probe solved exclusive-or, which no linear classifier can",
    )

with exercise.check(
    "is judged on samples it has not seen",
    points=1,
    hint="Labels thrown with a coin cannot be predicted. An accuracy near 1 here means that you tested on the training samples.",
):
    features, labels = exercise.draw(300, 200), (exercise.draw(300) > 0).long()
    exercise.true(float(probe(*split(features, labels, 100))) < 0.7, "coin tosses were predicted")

with exercise.check(
    "does not care in which unit a feature is measured",
    points=1,
    hint="Standardise each feature with the mean and standard deviation of the training samples.",
):
    features, labels = exercise.draw(600, 6), torch.arange(600) % 2
    features[:, 0] += 6.0 * labels
    units = torch.tensor([1e-4, 1e3, 1e3, 1e3, 1e3, 1e3])
    exercise.true(
        float(probe(*split(features * units + 5 * units, labels, 400))) > 0.9,
        "the feature that decides was overlooked because its numbers are small",
    )

### BEGIN HIDDEN TESTS
with exercise.check(
    "a test sample's prediction does not depend on the others",
    points=1,
    hint="Mean, standard deviation and classifier come from the training samples alone. "
    "Tested one by one, the samples must fare as they do together.",
):
    features, labels = exercise.draw(160, 4), torch.arange(160) % 2
    features[:, 0] += 4.0 * labels
    features[120:] += 3.0 * torch.tensor([0.0, 1.0, 1.0, 1.0])  # the test samples come from elsewhere
    train, train_labels, test, test_labels = split(features, labels, 120)
    together = float(probe(train, train_labels, test, test_labels))
    one_by_one = [
        float(probe(train, train_labels, test[i : i + 1], test_labels[i : i + 1])) for i in range(40)
    ]
    exercise.close(sum(one_by_one) / 40, together, atol=1e-6)
    exercise.true(
        together > 0.6, "the accuracy is no better than guessing although one feature tells the classes apart"
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

A scikit-learn pipeline keeps scaler and classifier together: `fit` sees the training samples only, `score` the test samples.
</details>
<details><summary>Pseudo code</summary>

```text
flatten both → fit scaler on train → fit logistic regression on scaled train → accuracy on test scaled with the *same* scaler.
```
</details>
<details><summary>Help: "Can't call numpy() on Tensor that requires grad"</summary>

The layer is frozen: `features.detach().numpy()`.
</details>
"""

# %% [markdown]
"""
Train a small convolutional network to name the *shape* of one object that may have any of four colours and stand anywhere. Then probe every stage for
two things: the shape, which it was trained for, and the colour, which it was not. To be fair to small layers, each stage is described
by the same number of numbers: 64 random mixtures of its features.

Honest baselines: *chance*, and the same network *untrained*. If the untrained network did as well, depth alone would be the
explanation, not learning.

**Predict, then run.** Draw four lines: shape and colour, trained and untrained, from the image to the last stage.
"""

# %% tags=["demo"]
SHAPES = ("sphere", "cube", "cone", "torus")
COLOURS = ("red", "green", "blue", "yellow")
single = world.SceneConfig(objects=(1, 1), shapes=SHAPES, colours=COLOURS, sizes=("large",))
train_count, probe_count = budget(3000, grading=200), budget(1600, grading=120)
drawn = world.sample_scenes(train_count + probe_count, generator=seeded(20), config=single)
images = world.render(drawn, camera=world.Camera(distance=6.0), size=32).image
shape_labels = torch.tensor([SHAPES.index(world.SHAPES[i]) for i in drawn.shape[:, 0]])
colour_labels = torch.tensor([COLOURS.index(list(world.COLOURS)[i]) for i in drawn.colour[:, 0]])
labels = {"shape": shape_labels, "colour": colour_labels}


def trained_to_name_shapes(seed: int) -> ConvNet:
    """A network trained on the first `train_count` images."""
    torch.manual_seed(seed)
    net = ConvNet(len(SHAPES))
    fit(
        lambda i: F.cross_entropy(net(images[i]), shape_labels[i]),
        net.parameters(),
        count=train_count,
        steps=budget(400, grading=10),
        generator=seeded(seed),
        learning_rate=3e-3,
        label=f"naming shapes, seed {seed}",
    )
    return net.eval()


def probe_stages(net: ConvNet, seed: int) -> dict[str, list[float]]:
    """Accuracy of a linear probe at every stage, for both questions, on images the network was not trained on."""
    with torch.no_grad():
        stages = [stage.flatten(1) for stage in net.features(images[train_count:])]
    half = probe_count // 2
    found: dict[str, list[float]] = {name: [] for name in labels}
    for stage in stages:
        mixed = stage @ torch.randn(stage.shape[1], 64, generator=seeded(seed)) / math.sqrt(stage.shape[1])
        for name, truth in labels.items():
            asked = truth[train_count:]
            found[name].append(linear_probe(mixed[:half], asked[:half], mixed[half:], asked[half:]))
    return found


lines: dict[str, list[list[float]]] = {
    f"{name}, {kind}": [] for name in labels for kind in ("trained", "untrained")
}
for seed in range(budget(3, grading=1)):
    torch.manual_seed(100 + seed)
    nets = {"trained": trained_to_name_shapes(seed), "untrained": ConvNet(len(SHAPES)).eval()}
    for kind, net in nets.items():
        for name, accuracies in probe_stages(net, seed).items():
            lines[f"{name}, {kind}"].append(accuracies)
chance = max(float(torch.bincount(truth).max() / len(truth)) for truth in labels.values())
viz.show(
    viz.curves(
        lines,
        x=range(6),
        x_label="number of the stage (0: the image … 5: mean over places)",
        y_label="linear probe's accuracy",
        references={"chance": chance},
        title="Where in the network can shape and colour be read off?",
    ),
    alt="Accuracy of linear probes by depth. In the trained network shape rises with depth and colour falls; in the untrained one shape does not rise.",
)
for name, values in lines.items():
    print(f"{name:18s}", "  ".join(f"{np.mean(stage):.2f}" for stage in np.array(values).T))

# %% [markdown]
"""
"Semantic level" is now a measured thing: in the trained network the shape becomes more and more accessible, although no stage can hold more
information about it than the image did. Look at what happens to the colour, which nobody asked for, and compare the untrained network before you
say what learning did.
"""

# %% [markdown]
"""
## 8. Which would you use, and why?

The exam of the lecture asks "you are given this problem, which of A or B would you use and why" (A7). So do we.

{{exercise:which_coordinates}}

For each situation choose one method and the reason that decides. Some methods and reasons fit no situation, and nothing says
that each fits only once.

- **robot**: twelve sensors of a robot arm are, but for a little noise, fixed mixtures of three motor currents. A chip with
  4 kB of memory must compute the coordinates of every new reading.
- **morph**: from 20,000 photographs of chairs, a designer wants to see new chairs, half-way between two that she chose.
- **film**: 800 measured points lie on a strip of film that is wound on a spool. You need the distance *along the film*
  between any two of these points. There will be no further points.
- **overview**: 5,000 news articles, each a vector of 384 numbers. An editor wants one picture to see which small groups
  of articles belong together. Nobody will measure distances between groups.

Methods: `"pca"`, `"isomap"`, `"umap"`, `"autoencoder"`, `"raw pixels"`.

Reasons: `"flat"`: the manifold is flat, so a linear map loses nothing. `"way back"`: it has a decoder from z back to x.
`"geodesic"`: its distances approximate those along the manifold. `"neighbours"`: it keeps near neighbours together and needs to
keep no more. `"most parameters"`: it can represent the most functions. `"fastest"`: it has nothing to train.

**The trap:** the most powerful method is not an argument. What does the situation need that the others do not give?
"""


# %% nbgrader={"grade": false, "grade_id": "which_coordinates", "locked": false, "schema_version": 3, "solution": true, "task": false}
def which_coordinates() -> dict[str, tuple[str, str]]:
    """For each situation the method and the reason: {"robot": (method, reason), …}."""
    ### BEGIN SOLUTION
    return {
        "robot": ("pca", "flat"),
        "morph": ("autoencoder", "way back"),
        "film": ("isomap", "geodesic"),
        "overview": ("umap", "neighbours"),
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "which_coordinates-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("which_coordinates", points=4)
answers = exercise.student()

SITUATIONS = ("robot", "morph", "film", "overview")
METHODS = {
    "pca": "PCA can only rotate and project. Is this manifold flat, and is that all you need?",
    "isomap": "Isomap keeps distances along the manifold. Does the situation ask for them, and what of a new x?",
    "umap": "UMAP makes a map for the eye. Is somebody going to look at it, or to measure on it, or to generate from it?",
    "autoencoder": "An autoencoder must be trained and stored. What does it give here that something simpler does not?",
    "raw pixels": "Data space is where distances and mixtures mean least.",
}
REASONS = {
    "flat": "Is it the flatness of the manifold that decides here?",
    "way back": "Does anybody want to get from z to an x?",
    "geodesic": "Does anybody need distances along the manifold?",
    "neighbours": "Is it enough here to know who is near to whom?",
    "most parameters": "Being able to represent more functions is not a use. What is needed?",
    "fastest": "Nothing in the situation asks for speed of training.",
}

with exercise.check(
    "every situation has a method and a reason from the lists",
    points=0,
    hint='Return {"robot": ("method", "reason"), …} with all four situations. Which answers are right is decided at grading.',
):
    exercise.choices(answers(), SITUATIONS, options=METHODS, reasons=REASONS)

### BEGIN HIDDEN TESTS
with exercise.check(
    "robot: fixed mixtures, and a chip with 4 kB",
    points=1,
    hint="Mixing with fixed weights is a linear map. What undoes a linear map?",
):
    exercise.choice(answers()["robot"], options=METHODS, reasons=REASONS, correct=("pca", "flat"))

with exercise.check(
    "morph: chairs that nobody has photographed",
    points=1,
    hint="A point half-way between two z is not yet an image.",
):
    exercise.choice(answers()["morph"], options=METHODS, reasons=REASONS, correct=("autoencoder", "way back"))

with exercise.check(
    "film: the distance along the film",
    points=1,
    hint="Which of the methods is built on walks along the manifold?",
):
    exercise.choice(answers()["film"], options=METHODS, reasons=REASONS, correct=("isomap", "geodesic"))

with exercise.check(
    "overview: small groups, no distances",
    points=1,
    hint="What must a picture for the eye preserve, and what may it distort?",
):
    exercise.choice(answers()["overview"], options=METHODS, reasons=REASONS, correct=("umap", "neighbours"))
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Go through the four methods of section 5 and finish the sentence "this one is made for …". Then look for the situation that needs it.
</details>
<details><summary>How to write it down</summary>

`return {"robot": ("method", "reason"), "morph": (…), "film": (…), "overview": (…)}`
</details>
<details><summary>Help: "is not a choice on the list"</summary>

Use the short names in quotation marks, as they are written in the lists above.
</details>

## An exam question

*A colleague trains an autoencoder with m = 2 on images of a car that is photographed from all sides (the camera goes once around
it). She finds that two photographs which are almost alike lie at opposite ends of her latent space, and concludes that training
has failed. Has it? What would you tell her, and what would you change?* Take five minutes and write three sentences.

<details><summary>What we would answer</summary>

The manifold is a closed curve: m = 1, but no *interval* of ℝ has its shape, so an encoder with one coordinate must cut the circle open
somewhere, and at the cut near neighbours are torn apart. With m = 2 there is room for the circle, so nothing forces a cut: that
this network has one is a matter of its training or its start, not of principle. One may give z two coordinates and train longer or
from another start, or use the pair (cos φ, sin φ) as coordinates, a chart that closes by construction. The reconstruction error
alone would not have shown the cut; a plot of z coloured by the angle does.
</details>

## What to take home

- An input space is too large for any dataset. What makes learning possible is that real x lie on or near a manifold of far
  fewer dimensions, and m can be estimated from neighbours alone.
- Distance in data space is honest only between near neighbours. Geodesics, walked in small steps, are what distance should mean.
- Coordinates are not unique. PCA, Isomap, UMAP and autoencoders keep different things; an autoencoder also learns a curved way back.
- f and g promise nothing off the manifold, and they do not tell you when you have left it.
- What is accessible to a linear probe changes with depth: that is what "semantic level" means, measured.

## Further reading

- Facco, d'Errico, Rodriguez, Laio (2017): Estimating the intrinsic dimension of datasets by a minimal neighborhood information.
- Tenenbaum, de Silva, Langford (2000): A global geometric framework for nonlinear dimensionality reduction.
- McInnes, Healy, Melville (2018): UMAP: uniform manifold approximation and projection for dimension reduction.
- Lee (2023): A geometric perspective on autoencoders. arXiv 2309.08247.
- Olah (2014): Neural networks, manifolds, and topology.
- Alain, Bengio (2016): Understanding intermediate layers using linear classifier probes. arXiv 1610.01644.
"""
