# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Saliency
#
# A network looks at a picture and says “three”. **Which pixels decided?**
#
# You will ask in five ways, from a single wiggled pixel to maps of whole photos. Each way answers a slightly
# different question. Then you will try to catch each one lying.

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(4)
lesson

# %%
from dataclasses import replace

import numpy as np
from IPython.display import Markdown

from dlexplain.classroom.lessons.lesson_04 import bench
from dlexplain.classroom.drawing import curves, table

digits = dlx.data.load("digits", split="train")
new_digits = dlx.data.load("digits", split="test")
three = new_digits.inputs[39]

dlx.figures.images([three], titles=["white: ink · black: empty paper"],
                   title="A three that no network has seen yet")

# %% [markdown]
# We are going to draw a **map**: for each pixel, how strongly it moves the network's score for “three”. Guess
# first.

# %%
lesson.predict("empty")

# %% [markdown]
# ## Two networks for one task
#
# The same small network twice: first in Keras, then in Torch. The same four steps.

# %%
import keras
from keras import layers


def small_network(shape, outputs):
    return keras.Sequential([
        layers.Input(shape),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(outputs),
    ])


def train(network, pictures, labels, wrongness, epochs):
    network.compile(optimizer=keras.optimizers.Adam(0.003), loss=wrongness)
    network.fit(pictures, labels, epochs=epochs, batch_size=32, verbose=0)


keras.utils.set_random_seed(0)  # the same start for everyone

# 1 · data, in Keras: (pictures, height, width, channels)
pictures, labels = digits.inputs, digits.labels

# 2 · network
net_keras = small_network((8, 8, 1), outputs=10)

# 3 · train
which_digit = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train(net_keras, pictures, labels, which_digit, epochs=12)

# 4 · look
reader_keras = dlx.wrap(net_keras, class_names=digits.class_names)
read_keras = reader_keras.predict(new_digits.inputs).argmax(1)
accuracy_keras = float((read_keras == new_digits.labels).mean())
print(f"Keras reads {accuracy_keras:.1%} of new digits right.")

# %%
import torch
from torch import nn

torch.manual_seed(0)

# 1 · data, in Torch: (pictures, channels, height, width)
pictures = torch.tensor(digits.channels("first").inputs)
labels = torch.tensor(digits.labels)

# 2 · network
net_torch = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(32 * 2 * 2, 10),
)

# 3 · train
optimizer = torch.optim.Adam(net_torch.parameters(), lr=0.003)
for _ in range(12):
    for batch in torch.randperm(len(pictures)).split(32):
        loss = nn.functional.cross_entropy(net_torch(pictures[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# 4 · look
reader_torch = dlx.wrap(net_torch.eval(), class_names=digits.class_names)
read_torch = reader_torch.predict(new_digits.channels("first").inputs).argmax(1)
accuracy_torch = float((read_torch == new_digits.labels).mean())
print(f"Torch reads {accuracy_torch:.1%} of new digits right.")

# %% [markdown]
# `dlx.wrap` gives both networks one face: from here on you can ask either of them in the same words.
#
# For each of the ten digits a network gives a **score**: a plain number. The highest score wins. Here are the
# ten scores for our three.

# %%
scores_of_three = reader_keras.predict(three[None])[0]
dlx.figures.bars(scores_of_three, [f"digit {i}" for i in range(10)], title="The ten scores (Keras)",
                 axis="score")

# %% [markdown]
# ## Wiggle one pixel
#
# Choose a pixel. Make it brighter. Watch the score for three. Both networks answer.

# %%
asked = 3


def score_keras(pictures):
    return reader_keras.predict(pictures)[:, asked]


def score_torch(pictures):
    channels_first = np.moveaxis(pictures, -1, 1)  # as Torch wants them
    return reader_torch.predict(channels_first)[:, asked]


scores_of = {"Keras": score_keras, "Torch": score_torch}
bench.PixelBench(three, scores_of, place=(2, 2), asked="three")

# %% [markdown]
# The thick short line is the **slope**: how steeply the score moves, right here.
#
# - **Uphill**: more ink here speaks *for* three.
# - **Downhill**: more ink here speaks *against* it.
# - **Flat**: a little more ink here does nothing.
#
# The pixel shown first is empty paper, and it goes steeply downhill. What digit would ink there begin to
# draw? Keep your guess.
#
# **Exercise 1: one slope by hand.** One pixel gets brighter by 0.01. Compute the slope: how far does the
# score move *for each unit* of brightness?

# %%
brighter = three.copy()
brighter[2, 2] += 0.01
before, after = score_keras(three[None])[0], score_keras(brighter[None])[0]
### BEGIN SOLUTION
slope = (after - before) / 0.01
### END SOLUTION
lesson.check("slope", slope, before=before, after=after)

# %% [markdown]
# ## Wiggle them all: the saliency map
#
# Sixty-four pixels, sixty-four slopes. Draw each slope on its pixel and you have a **saliency map**.

# %%
wiggled = np.zeros((8, 8))
here = score_keras(three[None])[0]
for row in range(8):
    for column in range(8):
        brighter = three.copy()
        brighter[row, column] += 0.01
        wiggled[row, column] = (score_keras(brighter[None])[0] - here) / 0.01

# %% [markdown]
# There is a short cut. While it learns, a network finds the slopes of all its weights in one sweep from back
# to front. The same sweep finds the slopes of all pixels. That is what `dlx.explain` does.
#
# Orange: brighter here, higher score. Blue: brighter here, lower score. Do wiggles and sweep give the same map? Do the
# two networks? (*Rank correlation* in the small print is agreement: 1
# if two maps put the pixels in the same order, 0 if their orders have nothing in common.)

# %%
three_torch = np.moveaxis(three[None], -1, 1)
map_keras = dlx.explain(reader_keras, three[None], "saliency", target=3)
map_torch = dlx.explain(reader_torch, three_torch, "saliency", target=3)
map_wiggled = replace(map_keras, values=wiggled[None, :, :, None].astype(np.float32))

dlx.Comparison({
    "64 wiggles, Keras": map_wiggled, "saliency, Keras": map_keras, "saliency, Torch": map_torch,
}).plot(title="Wiggles and slopes")

# %%
wiggle_agreement = bench.agreement(map_wiggled, map_keras)
network_agreement = bench.agreement(map_keras, map_torch)
strength = np.abs(map_keras.heatmap()[0])
on_empty = float(strength[three[..., 0] == 0].sum() / strength.sum())
lesson.reveal("empty", on_empty)

# %% [markdown]
# **Empty paper decides, too.** Blue on black says: ink here would have made this something else. Try it, with
# six pixels of empty paper.

# %%
inked = three.copy()
inked[2:4, 1:4] = 1.0

both = np.stack([three, inked])
says_keras = reader_keras.predict(both).argmax(1)
says_torch = reader_torch.predict(np.moveaxis(both, -1, 1)).argmax(1)
captions = [f"Keras: {k} · Torch: {t}" for k, t in zip(says_keras, says_torch, strict=True)]
dlx.figures.images(both, titles=captions, title="Ink where the map is blue, and ask again")

# %% [markdown]
# Look at the map once more: the loop was missing, and its absence spoke for three.
#
# **The two networks differ**, though both read the three rightly. Each found its own way to tell digits
# apart. A map explains *a network*. It does not explain the digit.
#
# <details><summary>In mathematics (you can skip this)</summary>
#
# Let $f(x)$ be the score of the picture $x$. The slope for pixel $i$ is the limit of $\big(f(x + h\,e_i) -
# f(x)\big)/h$ when $h$ gets small: the **derivative** $\partial f/\partial x_i$. All of them together are the
# **gradient** $\nabla f(x)$. Backpropagation finds it for about the cost of two predictions, however many
# pixels there are. Our 64 wiggles used $h = 0.01$, so they differ from it a little where the score bends.
# </details>
#
# ## On a photo the map turns to snow
#
# Now real photos: small pieces of news photos. Half are faces. The task: face or no face? One score is
# enough. Above zero means “face”.

# %%
faces = dlx.data.load("faces", split="train")
new_faces = dlx.data.load("faces", split="test")
people = new_faces.inputs[new_faces.labels == 1]
backgrounds = new_faces.inputs[new_faces.labels == 0]

keras.utils.set_random_seed(0)
net_face = small_network((25, 25, 1), outputs=1)
face_or_not = keras.losses.BinaryCrossentropy(from_logits=True)
train(net_face, faces.inputs, faces.labels, face_or_not, epochs=30)


def says_face(network, pictures):
    return float((dlx.wrap(network).predict(pictures)[:, 0] > 0).mean())


faces_right, backgrounds_right = says_face(net_face, people), 1 - says_face(net_face, backgrounds)
dlx.figures.images([*people[:6], *backgrounds[:6]], columns=6,
                   titles=["face"] * 6 + ["no face"] * 6, title="Pictures the network has not seen")

# %%
Markdown(f"Of the new pictures it gets **{faces_right:.0%}** of the faces and "
         f"**{backgrounds_right:.0%}** of the others right.")

# %% [markdown]
# Take one face, and a copy with a breath of noise on it. You can hardly see the noise. Compare the maps.

# %%
rng = np.random.default_rng(0)
noisy = np.clip(people + rng.normal(0, 0.03, people.shape), 0, 1).astype(np.float32)
reader_face = dlx.wrap(net_face, class_names=["face"])

dlx.compare(
    reader_face, np.stack([people[3], noisy[3]]), methods=["saliency", "smoothgrad"],
    options={"smoothgrad": {"noise": 0.2}},
).plot(title="Above: the photo · below: its noisy copy")

# %%
def steadiness(method, **options):
    """How far the maps of the photos and of their noisy copies agree; 1: the same order of pixels."""
    maps = [dlx.explain(reader_face, each, method, **options) for each in (people, noisy)]
    return bench.agreement(*maps)


steady_saliency = steadiness("saliency")
steady_smoothgrad = steadiness("smoothgrad", noise=0.2)
Markdown(f"Agreement of photo and copy, over {len(people)} faces: "
         f"**saliency {steady_saliency:.2f}**, **SmoothGrad {steady_smoothgrad:.2f}**.")

# %% [markdown]
# The photo hardly changed, and the saliency map did. Why? This network is made of **straight pieces**, joined
# at corners. (You saw the corners in the curves of the pixel bench.) On each piece the slope is constant.
# Step over a corner and it jumps. In a photo a corner is never far.
#
# **SmoothGrad** asks 50 times, each time with fresh noise on the picture, and takes the mean of the 50 maps.
# The jumps cancel. The map gets *steadier*. That does not make it *truer*.
#
# ## Blind on the plateau
#
# Slopes have a worse fault. Think of a lamp with two dimmers. Either alone can light it fully. Both are
# turned up.

# %%
# a network set by hand: light = 1 - relu(1 - a - b)
lamp = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
with torch.no_grad():
    lamp[0].weight[:], lamp[0].bias[:] = -1.0, 1.0
    lamp[2].weight[:], lamp[2].bias[:] = -1.0, 1.0

level = np.linspace(0, 1, 11)
light = dlx.wrap(lamp).predict(np.stack([level, level], axis=1))[:, 0]
curves(level, {"light": light}, title="Turn both dimmers up together",
             across_title="both dimmers", up_title="light",
             facts=["From the middle on, more does not help: the lamp is on a plateau."])

# %%
named_lamp = dlx.wrap(lamp, feature_names=["dimmer a", "dimmer b"], class_names=["light"])
lamp_maps = dlx.compare(named_lamp, [[1.0, 1.0]],
                        methods=["saliency", "occlusion", "integrated_gradients"])
lamp_credit = {name: found.values[0].tolist() for name, found in lamp_maps.attributions.items()}
lamp_maps.plot(title="Who lights the lamp?")

# %% [markdown]
# **Saliency** says: nobody. On the plateau every slope is zero. **Occlusion** (take one away and look) says
# nobody, too: the other one still lights the lamp. The third method gives each a half. You will build it in a
# moment.
#
# Real networks stand on plateaus all the time. A **percentage** is one: when the network is sure, it hardly
# moves.

# %%
# the same network; softmax turns its scores into shares of one
percent = dlx.wrap(keras.Sequential([net_keras, layers.Softmax()]), class_names=digits.class_names)
certainty = float(percent.predict(three[None])[0, asked])

plateau = dlx.compare({"slopes of the score": reader_keras, "slopes of the percentage": percent},
                      three[None], method="saliency", target=3)
plateau.plot(title=f"One network, {certainty:.2%} sure")

# %%
steepest = [float(np.abs(found.values).max()) for found in plateau.attributions.values()]
Markdown(f"The steepest slope of the score is **{steepest[0]:.1f}**. That of the percentage is "
         f"**{steepest[1]:.4f}**: the second map is all but empty.")

# %% [markdown]
# The same network, the same picture. **Explain the score, not the percentage.**
#
# ## Walk instead of standing still
#
# The way out: do not ask only *here*. Start from a black picture and fade the three in, step by step. At each
# step note the slopes and multiply them by how far the pixels moved. Add everything up. These sums are
# **integrated gradients**.
#
# Move **walked** slowly from 0 to 100 %. Then try more and fewer **steps**.

# %%
def slopes_keras(pictures):
    return dlx.explain(reader_keras, pictures, "saliency", target=asked).values


mean_digit = digits.inputs.mean(axis=0)
starts = {"black": 0.0, "grey": 0.5, "the mean of all digits": mean_digit}
bench.PathWalk(three, starts, score_keras, slopes_keras, asked="three")

# %% [markdown]
# Look at the two lines. The sum of the map follows the score. Slope times distance is how far a line climbs;
# add up the climbs and you have the whole change. So there is a **bill that must add up**:
#
# > sum of all values in the map = score of the picture − score of the start
#
# This is called **completeness**. What is missing is the **gap**. With few steps you cut corners and the gap
# is large.

# %%
lesson.order("steps")

# %% [markdown]
# **Exercise 2: the walk in NumPy.** `points` holds one picture for each step, taken in its middle. Finish the
# function.

# %%
def path_sum(picture, start, steps, slopes_at):
    places = (np.arange(steps) + 0.5) / steps                    # the middle of each step
    points = start + np.multiply.outer(places, picture - start)  # one picture for each place
    slopes = slopes_at(points)                                   # the slopes there: a row a step
    ### BEGIN SOLUTION
    return (picture - start) * slopes.mean(axis=0)
    ### END SOLUTION


lesson.check("path_sum", path_sum)

# %% [markdown]
# `dlexplain` does the same with cleverly placed points. Here is its gap for 2, 4, 8, … steps.

# %%
import warnings

hundred, read = new_digits.inputs[:100], read_keras[:100]
steps = [2, 4, 8, 16, 32, 64]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", dlx.GapWarning)  # too few steps give a warning; look at the gap
    walks = [dlx.explain(reader_keras, hundred, "integrated_gradients", target=read, steps=count)
             for count in steps]

gaps = {
    "the middle one of 100 digits": [float(np.median(found.relative_gap)) for found in walks],
    "the worst of 100 digits": [float(found.relative_gap.max()) for found in walks],
}
curves(steps, gaps, title="More steps, smaller gap", across_title="steps",
             up_title="gap, share of the change", doubling=True)

# %% [markdown]
# You need not choose: without `steps`, `dlx.explain` doubles them until the gap is below a thousandth, and
# tells you the gap.
#
# **Exercise 3: by hand.** A network of two inputs, without any code:
#
# > `score = relu(relu(a) − 1 − relu(b))`, where `relu` keeps what is above zero and turns the rest into 0.
#
# The start is (0, 0). The picture is (3, 1). Walk straight. On the first half of the way the score stays
# flat. On the second half it climbs: the slope for `a` is 1, the slope for `b` is −1. What values do `a` and
# `b` get? Paper and pencil will do.

# %%
way = np.linspace(0, 1, 9)
climb = np.maximum(np.maximum(3 * way, 0) - 1 - np.maximum(1 * way, 0), 0)
curves(way, {"score": climb}, title="The score on the way to (3, 1)",
             across_title="share of the way", up_title="score")

# %%
### BEGIN SOLUTION
by_hand = [3 * 0.5 * 1, 1 * 0.5 * -1]
### END SOLUTION
lesson.check("by_hand", by_hand)

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# With start (*baseline*) $x'$ the value of pixel $i$ is $(x_i - x'_i)\int_0^1 \partial f/\partial
# x_i\,\big(x' + t\,(x - x')\big)\,dt$. Summed over $i$, the inside is the derivative of $t \mapsto f\big(x' +
# t(x - x')\big)$, so the sum is $f(x) - f(x')$: the fundamental theorem of calculus. The package puts its
# points at the Gauss-Legendre places instead of the middles of equal steps.
# </details>
#
# ## Where does the walk start?
#
# The start is called the **baseline**. It says what “nothing there” means. We took black.

# %%
lesson.predict("black")

# %%
from_starts = {
    f"start: {name}": dlx.explain(reader_keras, three[None], target=3, baseline=start)
    for name, start in {"black": 0.0, "white": 1.0, "mean digit": mean_digit}.items()
}
dlx.Comparison(from_starts).plot(title="One network, one three, three starts")

# %%
def share_on_empty(found):
    strength = np.abs(found.heatmap()[0])
    return float(strength[three[..., 0] == 0].sum() / strength.sum())


empty_shares = {name: share_on_empty(found) for name, found in from_starts.items()}
outcome = bench.in_words(empty_shares["start: black"])
lesson.reveal("black", outcome)

# %% [markdown]
# A pixel that does not move on the walk gets nothing, whatever its slope. From black, empty paper does not
# move.
#
# None of the three maps is wrong. They answer different questions:
#
# - **black**: what did the *ink* contribute?
# - **white**: what did the *paper* contribute? (White ink all over is an odd start, but a fair question.)
# - **the mean digit**: what sets this three apart from an average digit?
#
# So a map without its baseline says nothing. `dlexplain` keeps the baseline with the result and writes it on
# the figure.
#
# ## Cover and see, and ask a layer
#
# Two more ways, without any walk.
#
# - **Occlusion**: cover a small window of the picture and see how far the score falls. Move the window. No
#   slopes at all.
# - **Grad-CAM**: ask the last convolution *where* it found something, and weigh its channels by their slopes.
#   The map is as coarse as that layer, and it only shows what speaks *for*.
#
# The maps have different units. To compare them, each is divided by its own total: a colour means a *share of
# the map*, on one scale for all. Occlusion stands there twice, with a black and with a grey cover. Look at the eyes.

# %%
ways = {
    "saliency": ("saliency", {}),
    "SmoothGrad": ("smoothgrad", {"noise": 0.2}),
    "integrated gradients": ("integrated_gradients", {"tolerance": 0.01}),
    "black cover": ("occlusion", {"window": 5, "stride": 2, "baseline": 0.0}),
    "grey cover": ("occlusion", {"window": 5, "stride": 2, "baseline": 0.5}),
    "Grad-CAM": ("gradcam", {}),
}
face_maps = {name: dlx.explain(reader_face, people[[3, 0, 6]], method, **options)
             for name, (method, options) in ways.items()}
dlx.Comparison({name: bench.in_shares(found) for name, found in face_maps.items()}).plot(
    title="Five ways to ask: why a face?")

# %%
eyes = (slice(None), slice(7, 11), slice(5, 20))  # a band of rows and columns, on every face
eyes_under = {name: float(face_maps[name].heatmap()[eyes].mean())
              for name in ("black cover", "grey cover")}
said = ", ".join(f"{name} **{value:+.2f}**" for name, value in eyes_under.items())
Markdown(f"On the eyes, on average: {said}.")

# %% [markdown]
# Read the figure slowly. Which way would *you* show to a friend? Keep your answer in mind.
#
# And the eyes under the two covers? Grey on the eyes is orange: without eyes the score falls. Black on
# the eyes is blue: to this network a black bar is even better than eyes. **No cover is neutral.** Occlusion
# has a baseline, too.
#
# **Play.** Other digits, other classes (“why *not* an eight?”), other ways and layers, both networks.

# %%
explorer = dlx.widgets.ExplanationExplorer(
    {"Keras": reader_keras, "Torch": reader_torch},
    {"Keras": new_digits.inputs[30:42], "Torch": new_digits.channels("first").inputs[30:42]},
    labels=new_digits.labels[30:42], class_names=digits.class_names,
    methods=["saliency", "smoothgrad", "integrated_gradients", "occlusion", "gradcam"],
    options={"integrated_gradients": {"tolerance": 0.01}, "occlusion": {"window": 3, "stride": 1}},
)
explorer.sample = 9  # our three
explorer

# %% [markdown]
# ## What did it see in those pixels?
#
# The maps of the faces look sensible: forehead, eyes, nose. “It looks at the face”, you would say. Test it.
# Cut every face into 25 tiles and shuffle them.

# %%
shuffled_people = bench.shuffle_tiles(people, seed=1)
dlx.figures.images(shuffled_people[:6], columns=6, title="Six faces, shuffled")

# %%
lesson.predict("shuffled")

# %%
shuffled_faces = says_face(net_face, shuffled_people)
lesson.reveal("shuffled", 100 * shuffled_faces)

# %% [markdown]
# The network never learned what a face is. Its “no face” pictures are smooth walls and curtains. So “anything
# busy” was good enough. The maps did not tell you. They show *which* pixels moved the score, not *what was
# seen* in them.
#
# Can it be cured? Give it shuffled faces as examples of “no face”. Then ask both networks about three pieces
# of photos from elsewhere: an astronaut's face, her space suit, a cup of coffee.

# %%
shuffled_training = bench.shuffle_tiles(np.repeat(faces.inputs[faces.labels == 1], 3, axis=0))
more_pictures = np.concatenate([faces.inputs, shuffled_training])
more_labels = np.concatenate([faces.labels, np.zeros(len(shuffled_training))])

keras.utils.set_random_seed(0)
net_cured = small_network((25, 25, 1), outputs=1)
train(net_cured, more_pictures, more_labels, face_or_not, epochs=30)

pieces = np.stack([
    bench.piece("astronaut", top=55, left=160, side=130),
    bench.piece("astronaut", top=390, left=190, side=120),
    bench.piece("coffee", top=100, left=200, side=200),
])
reader_cured = dlx.wrap(net_cured, class_names=["face"])
both_networks = {"first network": reader_face, "cured network": reader_cured}
dlx.compare(both_networks, pieces, method="occlusion", window=5, stride=2, baseline=0.5).plot(
    title="Grey cover: why a face?")

# %%
shuffled_faces_cured = says_face(net_cured, shuffled_people)
piece_scores = {name: network.predict(pieces)[:, 0].tolist() for name, network in both_networks.items()}
table({
    name: {
        "faces: “face”": f"{says_face(network, people):.0%}",
        "shuffled faces: “face”": f"{says_face(network, shuffled_people):.0%}",
        "score of her face": f"{piece_scores[name][0]:+.1f}",
        "score of her suit": f"{piece_scores[name][1]:+.1f}",
        "score of the cup": f"{piece_scores[name][2]:+.1f}",
    }
    for name, network in both_networks.items()
})

# %% [markdown]
# To the first network the space suit is more of a face than the face. To the cured one her face is far ahead,
# and hardly a shuffled face passes. No map found this fault. An **experiment** did: a picture to which a
# sound network must say no.
#
# ## Can you catch a map lying?
#
# **Control 1: take the network's knowledge away.** Put fresh random weights into the network. It now reads
# nothing. A map that still looks the same never showed the network.
#
# Below are four kinds of maps, A to D: first of the trained network, then of a random one. Which is which
# stays secret for now.

# %%
keras.utils.set_random_seed(1)
reader_random = dlx.wrap(small_network((8, 8, 1), outputs=10), class_names=digits.class_names)
read_random = reader_random.predict(new_digits.inputs).argmax(1)
accuracy_random = float((read_random == new_digits.labels).mean())

trained = bench.four_kinds(reader_keras, hundred, read)
random_weights = bench.four_kinds(reader_random, hundred, read)
dlx.Comparison({kind: bench.in_shares(maps) for kind, maps in trained.items()}).plot(
    title="The trained network", samples=3)

# %%
dlx.Comparison({kind: bench.in_shares(maps) for kind, maps in random_weights.items()}).plot(
    title=f"Random weights: {accuracy_random:.0%} read right", samples=3)

# %% [markdown]
# **Exercise 4: spot the impostor.** One of the four maps never looked at the network. Which?

# %%
### BEGIN SOLUTION
impostor = "C"
### END SOLUTION
lesson.check("impostor", impostor)

# %%
kept = {
    bench.KINDS[kind]: {
        "with signs": bench.agreement(trained[kind], random_weights[kind]),
        "strength only": bench.agreement(trained[kind], random_weights[kind], strength=True),
    }
    for kind in "ABCD"
}
table({kind: {name: f"{value:z.2f}" for name, value in row.items()} for kind, row in kept.items()})

# %% [markdown]
# So far do the trained and the random network's maps agree: 1 means the same order of pixels, although one of
# them knows nothing.
#
# Look at integrated gradients. With signs the agreement is gone, as it should be. **Without signs it is
# nearly complete.** The strength of the map is mostly the ink itself, because every slope is multiplied by
# the ink. So keep the signs, and do not be charmed by a neat outline.
#
# **Control 2: do the named pixels matter?** Take a map. Blacken the pixels that it names first, four at a
# time. If the map is right, the score must fall fast, and faster than in random order. Remember which map you
# would have shown to a friend?

# %%
def fall(maps):
    """The mean score of 100 digits while pixels are blackened, the largest values first."""
    order = np.argsort(-maps.reshape(len(hundred), 64), axis=1, kind="stable")
    scores = []
    for gone in range(0, 65, 4):
        pictures = hundred.copy().reshape(len(hundred), 64)
        np.put_along_axis(pictures, order[:, :gone], 0, axis=1)
        every = reader_keras.predict(pictures.reshape(hundred.shape))
        scores.append(float(every[np.arange(len(hundred)), read].mean()))
    return scores


orders = {
    "integrated gradients": trained["B"].heatmap(),
    "saliency": trained["A"].heatmap(),
    "occlusion": dlx.explain(reader_keras, hundred, "occlusion", target=read, window=3,
                             stride=1).heatmap(),
    "Grad-CAM": dlx.explain(reader_keras, hundred, "gradcam", target=read).heatmap(),
    "edges (no network)": trained["C"].heatmap(),
    "random order": np.random.default_rng(0).random((100, 8, 8)),
}
falls = {name: fall(maps) for name, maps in orders.items()}
mean_score = {name: float(np.mean(scores)) for name, scores in falls.items()}
curves(range(0, 65, 4), falls, title="Blacken the named pixels first",
             across_title="pixels blackened", up_title="mean score of the digit read")

# %% [markdown]
# Integrated gradients, saliency and occlusion fall at once. They name pixels that matter. The edges do no
# better than chance: they do not know this network.
#
# **And Grad-CAM is caught.** On this network it hardly beats chance. It gives each channel *one* weight for
# the whole picture, but the last layer here weighs every place differently. (Many large networks average each
# channel over the picture before they decide. There, one weight a channel is right.) A method is never good
# or bad by itself: test it on *your* network.
#
# ## The same, straight from the library
#
# **A twin.** `dlx.convert` rebuilds the Keras network in Torch, with the same weights. The same network has
# the same map.

# %%
twin = dlx.convert(net_keras, to="torch")
map_twin = dlx.explain(twin, three_torch, "saliency", target=3)
twin_difference = float(np.abs(map_twin.heatmap() - map_keras.heatmap()).max())
print(f"Largest difference between the maps of the twins: {twin_difference:.0e}")

# %% [markdown]
# **The same name, another meaning.** The library **Captum** explains Torch networks. Call its saliency and
# its integrated gradients.

# %%
from captum.attr import IntegratedGradients, Saliency

picture = torch.tensor(three_torch, requires_grad=True)
captum_saliency = Saliency(twin).attribute(picture, target=3)
captum_walk, captum_gap = IntegratedGradients(twin).attribute(
    picture, baselines=0.0, target=3, n_steps=64, return_convergence_delta=True)

our_walk = dlx.explain(twin, three_torch, "integrated_gradients", target=3)
dlx.Comparison({
    "saliency, dlexplain": map_twin,
    "Saliency, Captum": replace(map_twin, values=captum_saliency.detach().numpy()),
    "walk, dlexplain": our_walk,
    "walk, Captum": replace(our_walk, values=captum_walk.detach().numpy().astype(np.float32)),
}).plot(title="Two libraries, the same two names")

# %%
unsigned = bool(np.allclose(captum_saliency.detach().numpy(), np.abs(map_twin.values), atol=1e-4))
apart = np.abs(captum_walk.detach().numpy() - our_walk.values).max()
walk_difference = float(apart / np.abs(our_walk.values).max())
Markdown(f"Captum's `Saliency` is ours **without its signs**: {unsigned}. The two walks differ by at most "
         f"{walk_difference:.1%} of the largest value.")

# %% [markdown]
# Captum drops the signs unless you pass `abs=False`. Neither library is wrong. But “for” and “against” are
# gone, and the name is the same. **Before you compare two saliency maps, ask what each means by the word.**
#
# **Silently wrong.** Captum's `DeepLift` also promises a bill that adds up. Here is our Torch network written
# a second time, with the same weights, as many people write it: with `relu` as a function.

# %%
class Functional(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.first, self.second, self.last = network[0], network[3], network[7]

    def forward(self, x):
        x = nn.functional.max_pool2d(nn.functional.relu(self.first(x)), 2)
        x = nn.functional.max_pool2d(nn.functional.relu(self.second(x)), 2)
        return self.last(x.flatten(1))


net_functional = Functional(net_torch).eval()
hundred_torch = new_digits.channels("first").inputs[:100]
same_scores = bool(np.allclose(dlx.wrap(net_functional).predict(hundred_torch),
                               reader_torch.predict(hundred_torch), atol=1e-4))

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dlx.GapWarning)  # it warns each time; the figure below shows it
    deeplift = {
        name: dlx.explain(network, hundred_torch, "captum:DeepLift", target=read_torch[:100])
        for name, network in {
            "relu as layers": net_torch,
            "relu as functions": net_functional,
            "layers, and softmax at the end": nn.Sequential(net_torch, nn.Softmax(-1)),
        }.items()
    }

deeplift_gaps = {name: [float(np.median(found.relative_gap)), float(found.relative_gap.max())]
                 for name, found in deeplift.items()}
table({name: {"gap, the middle one of 100 digits": f"{middle:.0%}", "the worst": f"{worst:.0%}"}
             for name, (middle, worst) in deeplift_gaps.items()})

# %%
worst_digit = int(deeplift["relu as functions"].relative_gap.argmax())
deeplift["relu as functions"][worst_digit].plot()

# %%
product = dlx.explain(net_functional, hundred_torch, "input_x_gradient", target=read_torch[:100])
is_product = bool(np.allclose(deeplift["relu as functions"].values, product.values, atol=1e-4))
Markdown(f"The same scores, however relu is written: **{same_scores}**. With relu as functions, “DeepLift” "
         f"is nothing but slope times input: **{is_product}**.")

# %% [markdown]
# Captum looks for relu *layers* and found none. No error, a neat map. Only the gap gives it away. Even with
# relu as layers the bill does not add up on this network. `dlexplain` measures the gap and warns, whichever
# library made the map.

# %% [markdown]
# ## What a map does not show
#
# - **Not what was seen.** It says *where*. “Busy” and “face” can sit on the same pixels.
# - **Not teamwork.** Two pixels that matter only together still get one number each.
# - **Not the cause in the world.** It explains the network, with all its mistakes.
# - **Not without its question.** Score or percentage? Which class? Which baseline? Signs or strength?
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A saliency map is 64 (or a million) slopes: how the score moves if a pixel gets a little brighter.
# 2. Slopes flicker, and on a plateau they are blind. SmoothGrad steadies them. Integrated gradients walks
#    there.
# 3. A walk pays its bill: the values sum to the change of the score. The gap says how well.
# 4. Baseline, class, sign and score belong to a map. Without them it says nothing.
# 5. Neat is not true. Randomise the weights, blacken the pixels, shuffle the tiles; then believe.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
