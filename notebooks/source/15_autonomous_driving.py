# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15 · Autonomous driving
#
# A network sees a picture of the road and turns the steering wheel. A moment later it sees the next picture.
#
# **What does the driver look at? And who may drive?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(15)
lesson

# %%
import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_15 import drawing as own
from dlexplain.classroom.lessons.lesson_15 import seat
from dlexplain.data.driving import drive
from dlexplain.data.road import Scene, winding_road

first = drive([winding_road(3, metres=150)], keep=True)
moments = [5, 40, 75, 110]
own.strip(
    {"what we see": first.colour[moments, 0], "what the car sees": first.pictures[moments, 0]},
    [f"{m} m: {seat.turn(first.steering[m, 0])}" for m in moments],
    words="Four moments of a drive on a winding road: in colour, and in the grey of the car's camera.",
)

# %% [markdown]
# The road is generated, so that we know the truth:
#
# - The camera is black and white. **In grey, grass and asphalt look alike.** Only the yellow middle line and the
#   white edge lines tell where the road goes.
# - Trees stand at random. The sky says nothing.
# - An **expert** drives. He does not look at the picture: he knows the road exactly.
#
# The number is the **steering angle** in degrees. Left is positive, right is negative.
#
# ## Learn by watching
#
# A network shall learn to drive by watching the expert: picture in, steering angle out. This is called
# **behaviour cloning**. It is ordinary training, with a number as the answer.
#
# We record two experts of equal skill.
#
# - **Perfect drives.** The car is always in the middle. There is never anything to mend.
# - **Drives with mishaps.** Every 12 metres something sets the car aside, up to 1.5 m. The expert brings it back.

# %%
roads = [winding_road(100 + k, metres=150) for k in range(16)]
recorded = {"perfect": drive(roads, keep=True), "mishaps": drive(roads, kicks=1.5, keep=True)}

# roads that no network learns from
new_roads = [winding_road(500 + k, metres=120) for k in range(6)]
test = drive(new_roads, keep=True)  # everyday driving, by the expert
test_pictures, test_answers = test.samples()
Markdown(f"**{len(recorded['perfect'].samples()[0]):,} pictures** of each kind to learn from. "
         f"**{len(test_pictures)}** of everyday driving on new roads to test.")

# %% [markdown]
# **Exercise 1: the way back.** The car stands `offset` metres left of the middle (negative: right). The bend
# alone would need `bend` degrees. What does an expert steer who adds 2 degrees **back to the middle** for each metre?

# %%
def way_back(bend, offset):
    ### BEGIN SOLUTION
    return bend - 2 * offset
    ### END SOLUTION


lesson.check("way_back", way_back)

# %% [markdown]
# In the perfect drives the offset is always almost 0. They hold no lesson on the way back. Will it matter?
#
# ## Two networks, in Keras and in Torch
#
# A few thousand weights: two layers of sliding patterns, then two plain layers.

# %%
import keras
from keras import layers


def train_keras(pictures, answers, epochs=20):
    keras.utils.set_random_seed(0)  # the same start for everyone
    network = keras.Sequential([
        layers.Input((24, 40, 1)),
        layers.Conv2D(8, 4, strides=2, activation="relu"),
        layers.Conv2D(12, 3, strides=2, activation="relu"),
        layers.Flatten(),
        layers.Dense(24, activation="relu"),
        layers.Dense(1),
    ])
    network.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")
    network.fit(pictures, answers, epochs=epochs, batch_size=32, verbose=0)
    return network


# 1 · data, in Keras: (pictures, height, width, channels); 2 · network, 3 · train
keras_networks = {kind: train_keras(*rides.samples()) for kind, rides in recorded.items()}


# 4 · look: a driver takes pictures and gives degrees
def driver_keras(network):
    return lambda pictures: network.predict_on_batch(pictures)[:, 0]


for kind, network in keras_networks.items():
    off = np.abs(driver_keras(network)(test_pictures) - test_answers).mean()
    print(f"Keras, {kind}: off by {off:.2f} degrees on everyday driving")

# %%
import torch
from torch import nn


def channels_first(pictures):
    return torch.tensor(np.moveaxis(pictures, -1, 1).copy())


def train_torch(pictures, answers, epochs=20):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 8, 4, stride=2), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(12 * 5 * 9, 24), nn.ReLU(), nn.Linear(24, 1),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    inputs, wanted = channels_first(pictures), torch.tensor(answers)[:, None]
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(32):
            loss = nn.functional.mse_loss(network(inputs[batch]), wanted[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


# 1 · data, in Torch: (pictures, channels, height, width); 2 · network, 3 · train
torch_networks = {kind: train_torch(*rides.samples()) for kind, rides in recorded.items()}


# 4 · look
def driver_torch(network):
    @torch.no_grad()
    def steer(pictures):
        return network(channels_first(pictures))[:, 0].numpy()

    return steer


for kind, network in torch_networks.items():
    off = np.abs(driver_torch(network)(test_pictures) - test_answers).mean()
    print(f"Torch, {kind}: off by {off:.2f} degrees on everyday driving")

# %%
drivers = {
    "Keras, perfect": driver_keras(keras_networks["perfect"]),
    "Keras, mishaps": driver_keras(keras_networks["mishaps"]),
    "Torch, perfect": driver_torch(torch_networks["perfect"]),
    "Torch, mishaps": driver_torch(torch_networks["mishaps"]),
}
off_by = {name: float(np.abs(steer(test_pictures) - test_answers).mean()) for name, steer in drivers.items()}
straight_on = float(np.abs(test_answers).mean())
dlx.figures.bars([*off_by.values(), straight_on], [*off_by, "always straight on"], axis="degrees",
                 title="Error on everyday driving, new roads")

# %% [markdown]
# All four are off by a fraction of a degree. The ones that saw only **perfect driving have the smallest error**.
# By this test you would buy them.
#
# ## Let go of the wheel
#
# In the test, the expert drove, and the networks only commented. Now **they** drive. What they steer decides which
# picture they see next. This is a **closed loop**.
#
# Ten new roads, 240 metres each. A ride ends when the middle of the car is over the grass.

# %%
lesson.predict("distance")

# %%
race_roads = [winding_road(k, metres=240) for k in range(10)]
race = {name: drive(race_roads, steer) for name, steer in drivers.items()}
driven = {name: float(rides.driven.mean()) for name, rides in race.items()}
lesson.reveal("distance", driven["Keras, perfect"])

# %%
draw.table({
    name: {"off by, everyday driving": f"{off_by[name]:.2f}°", "drives, of 240 m": f"{driven[name]:.0f} m",
           "rides to the end": f"{rides.complete.mean():.0%}"}
    for name, rides in race.items()
})

# %% [markdown]
# **The smaller error drives worse.** Good loss is not good driving. Look at one road from above.

# %%
shortest = int(race["Keras, perfect"].driven.argmin())
ways, crash = {}, {}
for name in ("Keras, perfect", "Keras, mishaps"):
    ends = int(race[name].driven[shortest])
    ways[name], crash[name] = race[name].xy[: ends + 1, shortest], not race[name].complete[shortest]
own.ways_note(race_roads[shortest], ways, int(race["Keras, perfect"].driven[shortest]) + 25, crash,
              words=f"A road from above; the clone of perfect driving leaves it after "
                    f"{int(race['Keras, perfect'].driven[shortest])} metres, the other stays on it.")

# %%
apart = {kind: np.abs(race[f"Keras, {kind}"].offsets[:, shortest]) for kind in ("perfect", "mishaps")}
ended = int(race["Keras, perfect"].driven[shortest])
draw.curves(
    np.arange(0, ended + 1, 2),
    {"perfect": apart["perfect"][: ended + 1 : 2], "mishaps": apart["mishaps"][: ended + 1 : 2]},
    title="The same road: metres from the middle",
    across_title="metres driven", up_title="metres from the middle",
    facts=["At 3 metres the car is over the grass."],
)

# %% [markdown]
# A tiny error sets the car a little aside. Now it sees a picture that no perfect driver ever saw. So it errs more,
# and the next picture is stranger still. **Errors feed on errors.** The other network knows the way back.
#
# It is not enough to be right where the expert goes. **A driver must be right where it gets itself.**
#
# **Exercise 2: where does a ride end?** `offsets` holds metres from the middle, a number a metre driven. The road
# reaches 3 metres to each side. How many metres did the car drive? (If it never leaves: all of them.)

# %%
def metres(offsets):
    ### BEGIN SOLUTION
    off = np.abs(offsets) > 3
    return off.argmax() if off.any() else len(offsets)
    ### END SOLUTION


lesson.check("metres", metres)

# %%
lesson.order("loop")

# %% [markdown]
# ## What does the driver look at?

# %%
lesson.predict("looks")

# %% [markdown]
# You know **integrated gradients** from lesson 04. The start of the walk is the **mean picture** of all recordings.
# So we ask: *what in this picture turns the wheel, compared with the mean picture?*
#
# Orange turned the wheel to the left, blue to the right. (Where we need hundreds of maps, we take **DeepLIFT**: it
# shares out the same change layer by layer, in one sweep.)

# %%
mean_picture = recorded["mishaps"].samples()[0].mean(axis=0)


def look_keras(network, pictures, start=mean_picture, method="deeplift", **options):
    return dlx.explain(network, pictures, method, target=0, baseline=start, **options).values[..., 0]


def look_torch(network, pictures, start=mean_picture, method="deeplift", **options):
    turned, start = np.moveaxis(pictures, -1, 1).copy(), np.moveaxis(start, -1, 0).copy()
    return dlx.explain(network, turned, method, target=0, baseline=start, **options).values[:, 0]


ride = drive(race_roads[:1], drivers["Keras, mishaps"], keep=True)
moments = np.array([20, 50, 80, 110])
frames = ride.pictures[moments, 0]
walk = {"method": "integrated_gradients", "tolerance": 0.02}  # the bill must add up to within 2 %
film_keras = look_keras(keras_networks["mishaps"], frames, **walk)
film_torch = look_torch(torch_networks["mishaps"], frames, **walk)
own.strip(
    {
        "picture": ride.colour[moments, 0],
        "Keras": [own.tinted(g, m, own.limit_of(film_keras)) for g, m in zip(frames, film_keras)],
        "Torch": [own.tinted(g, m, own.limit_of(film_torch)) for g, m in zip(frames, film_torch)],
    },
    [f"{m} m: {seat.turn(ride.steering[m, 0])}" for m in moments],
    words="Four moments of a ride, and what moved the wheel of each network: "
          "mostly along the lines of the road.",
)

# %% [markdown]
# Do they look at the road? Do not trust your eyes: count. The generator knows which pixels are line.
#
# **Exercise 3: the share.** `credit` is a map, with signs. `mask` says how much of each pixel is line (0 to 1).
# Which share of the map's **size** lies on the lines?

# %%
def share(credit, mask):
    ### BEGIN SOLUTION
    return (np.abs(credit) * mask).sum() / np.abs(credit).sum()
    ### END SOLUTION


lesson.check("share", share)

# %% [markdown]
# ## A control: could this have gone wrong?
#
# The same count for maps that cannot know: networks that learned **nothing**, a **random** map, and an **edge
# finder**, which marks every jump of brightness, without any network.

# %%
asked, parts = test_pictures[::12], {name: mask.reshape(-1, 24, 40)[::12] for name, mask in test.parts.items()}
lines = ["middle line", "edge lines"]

untrained = []
for seed in range(3):
    keras.utils.set_random_seed(seed + 1)
    fresh = keras.models.clone_model(keras_networks["mishaps"])
    untrained.append(seat.shares(look_keras(fresh, asked), parts, lines))

on_lines = {
    "Keras, mishaps": seat.shares(look_keras(keras_networks["mishaps"], asked), parts, lines),
    "Torch, mishaps": seat.shares(look_torch(torch_networks["mishaps"], asked), parts, lines),
    "Keras, perfect": seat.shares(look_keras(keras_networks["perfect"], asked), parts, lines),
    "control: untrained": float(np.mean(untrained)),
    "control: random map": seat.shares(np.random.default_rng(0).random(parts["sky"].shape), parts, lines),
    "no network: edge finder": seat.shares(seat.edge_finder(asked), parts, lines),
}
dlx.figures.bars(100 * np.array(list(on_lines.values())), list(on_lines), axis="% of the map on the lines",
                 title="How much of the map lies on the lines?")

# %%
looks = {
    name: seat.shares(look_keras(keras_networks["mishaps"], asked), parts, names)
    for name, names in {"the lines, and the asphalt between them": [*lines, "asphalt"],
                        "the trees": ["tree"], "the sky": ["sky"]}.items()
}
lesson.reveal("looks", max(looks, key=looks.get))

# %% [markdown]
# The trained networks put clearly more of their map on the lines than any control. So the map depends on what was
# learned: they do look at the lines.
#
# But compare the bars of “mishaps” and “perfect”. **The bad driver looks at the lines, too.** The map does not tell
# the good driver from the bad one. And does a driver *need* what it looks at? A map is a suspicion. **To know,
# change the world and see what happens.**
#
# **What this does not show.** The share does not say *which* line matters, nor whether the network could do
# without. And grey asphalt beside a line gets credit, too: a bend moves the line to other pixels, and where it is
# missing counts as much as where it is.
#
# ## Change the world
#
# This is an **intervention**: one thing is changed, all else stays. Guess first.

# %%
lesson.predict("line")

# %%
worlds = {
    "as built": Scene(),
    "no middle line": Scene(line=False),
    "no edge lines": Scene(edges=False),
    "no lines at all": Scene(line=False, edges=False),
    "shadows across": Scene(shadows=True),
    "trees moved": Scene(trees=-1),
}
seen = {world: test.seen(scene, every=8) for world, scene in worlds.items()}
own.strip(
    {"": [view.colour[20] for view in seen.values()]}, list(worlds), wide=130,
    words="One place of a road in six worlds: as built, without middle line, without edge lines, "
          "without any line, with a slanted shadow, with the trees on the other side.",
)

# %% [markdown]
# First the same places, in still pictures: how far does the wheel turn from where it was?
#
# **Exercise 4: the effect.** `before` and `after` hold the steering of the Keras network at the same places, as
# built and without the middle line. What is the mean **size** of the change?

# %%
steers = drivers["Keras, mishaps"]
before, after = steers(seen["as built"].grey), steers(seen["no middle line"].grey)
### BEGIN SOLUTION
effect = np.abs(after - before).mean()
### END SOLUTION
lesson.check("effect", effect, before=before, after=after)

# %% [markdown]
# Now every world, and the closed loop with it: five roads in each.

# %%
many = [scene for scene in worlds.values() for _ in range(5)]
still, loops = {}, {}
for name in ("Keras, mishaps", "Torch, mishaps"):
    steer = drivers[name]
    usual = steer(seen["as built"].grey)
    still[name] = {w: float(np.abs(steer(v.grey) - usual).mean()) for w, v in seen.items()}
    rides = drive(race_roads[:5] * len(worlds), steer, scene=many)
    loops[name] = dict(zip(worlds, rides.driven.reshape(-1, 5).mean(axis=1).tolist(), strict=True))

draw.table({
    world: {
        **{f"{name[:5]}: wheel turns by": f"{still[name][world]:.1f}°" for name in still},
        **{f"{name[:5]}: drives": f"{loops[name][world]:.0f} of 240 m" for name in loops},
    }
    for world in worlds
})

# %%
without_line = loops["Keras, mishaps"]["no middle line"]
fates = ["it leaves the road within 100 m", "it gets a little less far", "nothing much: it drives on"]
lesson.reveal("line", fates[int(without_line > 100) + int(without_line > 200)])

# %% [markdown]
# Four lessons stand in this table.
#
# - **Credit is not need.** The middle line has credit. Take it away: the edge lines do. Take all lines away, and
#   the driver is blind.
# - **Trees moved**: hardly anything happens. The map said so, and the intervention proves it, *for these roads*.
# - **A shadow** is no line. And yet it turns the wheel much farther than moved trees do. No recording had shadows.
#   Nobody taught the networks to pass over them. Compare how far each of the two gets.
# - **A still picture is not a drive.** Without edge lines the wheel jerks more than without any line, and yet the
#   ride goes farther: the next picture corrects it. Only the closed loop shows what ends in the grass.
#
# ## A driver that watches the wrong thing
#
# Many cars show the driver what the car is doing. Ours gets a strip of **lamps** on the dashboard: the farther the
# wheel is turned, the more of them are lit, on that side. The camera sees them. We record the expert again, with
# mishaps, and train once more.

# %%
with_lamps = drive(roads, kicks=1.5, lamps=True, keep=True)
lamp_test = drive(new_roads, lamps=True, keep=True)
lamp_network = train_keras(*with_lamps.samples())
lamp_pictures, lamp_answers = lamp_test.samples()
off_lamps = float(np.abs(driver_keras(lamp_network)(lamp_pictures) - lamp_answers).mean())
Markdown(f"Off by **{off_lamps:.2f}°** on everyday driving. Without lamps it was "
         f"{off_by['Keras, mishaps']:.2f}°. A great success?")

# %%
lesson.predict("lamps")

# %%
lamp_race = drive(race_roads, driver_keras(lamp_network), lamps=True)
driven_lamps = float(lamp_race.driven.mean())
fates = ["it leaves the road soon", "about as far as the others", "it drives farther than the others"]
lesson.reveal("lamps", fates[int(driven_lamps > 120) + int(driven_lamps > 235)])

# %%
lamp_mean = with_lamps.samples()[0].mean(axis=0)
dashboard = ["dashboard", "lamps"]
lamp_asked = lamp_pictures[::12]
lamp_parts = {name: mask.reshape(-1, 24, 40)[::12] for name, mask in lamp_test.parts.items()}
lamp_maps = look_keras(lamp_network, lamp_asked, lamp_mean)
on_dashboard = {
    "network with lamps": seat.shares(lamp_maps, lamp_parts, dashboard),
    "network without lamps": seat.shares(look_keras(keras_networks["mishaps"], asked), parts, dashboard),
    "no network: edge finder": seat.shares(seat.edge_finder(lamp_asked), lamp_parts, dashboard),
    "random map (the dashboard's area)": float(lamp_parts["dashboard"].mean() + lamp_parts["lamps"].mean()),
}
four = np.argsort(lamp_answers[::12])[[0, 3, -4, -1]]
own.strip(
    {"picture": lamp_test.colour.reshape(-1, 24, 40, 3)[::12][four],
     "map": [own.tinted(g, m, own.limit_of(lamp_maps)) for g, m in zip(lamp_asked[four], lamp_maps[four])]},
    [f"expert: {seat.turn(float(lamp_answers[::12][k]))}" for k in four],
    words="Four pictures with lit lamps, and the map of the network that learned with lamps: "
          "much of it is on the lamps.",
)

# %%
draw.table({name: {"of the map on the dashboard": f"{value:.0%}"} for name, value in on_dashboard.items()})

# %% [markdown]
# The network reads the answer off the dashboard. In the recording the expert has already turned the wheel: **the
# lamps give away the answer.** When the network drives, they show what it did itself a moment ago. It copies itself,
# straight on, into the grass.
#
# No test on the expert's recordings could show this. The map did, before any ride. This has a name: **causal
# confusion**. An effect of steering was taken for its cause.
#
# ## The driver's seat
#
# Choose a network and a world. Play the ride, or go through it with the arrow keys. Find a world that ends a ride,
# and see in the map what misled the driver.
#
# (If a warning shows: in some picture the wheel hardly turns, and rounding is a visible part of so small a bill.)

# %%
road = race_roads[1]
reel = {
    "Keras, mishaps": seat.films(
        drivers["Keras, mishaps"], lambda p: look_keras(keras_networks["mishaps"], p), road, worlds),
    "Keras, perfect": seat.films(
        drivers["Keras, perfect"], lambda p: look_keras(keras_networks["perfect"], p), road, worlds),
    "Torch, mishaps": seat.films(
        drivers["Torch, mishaps"], lambda p: look_torch(torch_networks["mishaps"], p), road, worlds),
    "Keras, with lamps": seat.films(
        driver_keras(lamp_network), lambda p: look_keras(lamp_network, p, lamp_mean), road, worlds,
        lamps=True),
}
seat.DriversSeat(reel)

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# The test measures $\mathbb{E}_{x \sim d_{\text{expert}}} |f(x) - a(x)|$: pictures as the **expert** meets them. The
# drive depends on $\mathbb{E}_{x \sim d_f}$: pictures as the **network** meets them. With an error of $\varepsilon$
# a step, the cost of $T$ steps can grow as $\varepsilon T^2$, not $\varepsilon T$ (Ross and Bagnell, 2010). Mishaps
# widen $d_{\text{expert}}$. The method DAgger goes farther: let the network drive, ask the expert what *he* would
# have done in each of its pictures, add these, train again.
# </details>
#
# ## The same, straight from the library
#
# **Captum** explains Torch networks. Once as it comes, once with our start.

# %%
from captum.attr import IntegratedGradients

captum = IntegratedGradients(torch_networks["mishaps"])
inputs, start = channels_first(asked), channels_first(mean_picture[None])
as_it_comes = captum.attribute(inputs, target=0, n_steps=32)[:, 0].detach().numpy()
our_start = captum.attribute(inputs, baselines=start, target=0, n_steps=32)[:, 0].detach().numpy()

groups = {"lines": lines, "asphalt and grass": ["asphalt", "grass"], "sky and trees": ["sky", "tree"]}
captum_shares = {
    name: {group: seat.shares(maps, parts, names) for group, names in groups.items()}
    for name, maps in (("Captum, as it comes (start: black)", as_it_comes),
                       ("Captum, start: mean picture", our_start))
}
draw.table({name: {g: f"{v:.0%}" for g, v in row.items()} for name, row in captum_shares.items()})

# %% [markdown]
# As it comes, Captum starts at a **black picture**. It asks: what parts this from darkness? Then every bright pixel
# counts, and less of the map lies on the lines. Name the start yourself.
#
# And see what *no* such tool does: it explains one picture. That errors feed on errors, you find only by driving.
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Behaviour cloning learns the expert's answer to the expert's pictures. A driver makes its own pictures.
# 2. In a closed loop errors feed on errors. The smaller error can be the worse driver.
# 3. Teach the way back: record mishaps, too.
# 4. A map is a suspicion: the bad driver looks at the lines, too. An intervention is the proof.
# 5. If something in the picture gives the answer away, the loss falls and the driving fails. Look for it in the map.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
