# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here
#
# A network learns to read handwritten digits. You will **train** it yourself, **open** it in three ways, and
# then **doubt** what you saw, with numbers. That is the whole course, once, in small.
#
# **How the page works**
#
# - Grey boxes are code. Click one and press **Shift + Enter**: it runs, and the next one waits. Go from top to
#   bottom.
# - **Three dots** `...` wait for your answer. The line below them checks it and says what went wrong.
#   `lesson.hint("name")` gives a nudge; ask again for a part, and again for the answer.
# - **Predict first** asks for a guess before you see. A wrong guess teaches more than none. Only you see it.
# - A red block that ends in a line with `Error` is an error. That line says what to do; nothing is broken.
# - Lost? The menu *Kernel* · *Restart Kernel and Run All Cells* puts everything in order again.
#
# Try it on the box below.

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(0)
lesson

# %% [markdown]
# ## 1 · data
#
# Pictures of digits, written by real people. Each comes with its **label**: the digit that the writer meant.

# %%
import numpy as np

digits = dlx.data.load("digits")
train, test = digits.split(0.25, seed=0)  # a quarter is held back, never seen in training

dlx.figures.images(train.inputs[:16], titles=train.labels[:16],
                   title="Sixteen digits, each with its label")

# %% [markdown]
# Ink is white here, paper is black. You see a digit. The network gets **64 numbers**: how much ink lies on each
# pixel, from 0 (paper) to 16 (full). Here is the first picture again, as the network gets it.

# %%
from dlexplain.classroom.lessons.lesson_00 import figures as draw

draw.as_numbers(train.inputs[0, :, :, 0])

# %% [markdown]
# ## 2 · network
#
# A **network** is a chain of simple steps, called **layers**. Ours has seven:
#
# | layer | does |
# | --- | --- |
# | `look` | slides eight small windows over the picture; each answers where it finds its own pattern |
# | `positive` | keeps answers above zero |
# | `shrink` | keeps the best of every 2 × 2 |
# | `look_again` | sixteen windows, now over those answers |
# | `positive_again` | keeps answers above zero |
# | `line_up` | puts all answers in one row |
# | `decide` | weighs them into ten **scores**, one a digit; the highest is its reading |
#
# **Keras** and **Torch** are two well-known tools to build networks. They say the same things in different words.
# You see both, step by step, with the same labels.

# %%
# 2 · network, in Keras
import keras
from keras import layers

keras.utils.set_random_seed(0)  # the same start for everyone


def keras_network():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(8, 3, padding="same", name="look"),
        layers.ReLU(name="positive"),
        layers.MaxPooling2D(2, name="shrink"),
        layers.Conv2D(16, 3, padding="same", name="look_again"),
        layers.ReLU(name="positive_again"),
        layers.Flatten(name="line_up"),
        layers.Dense(10, name="decide"),
    ])


keras_net = keras_network()

# %%
# 2 · network, in Torch
from collections import OrderedDict

import torch
from torch import nn

torch.manual_seed(0)

torch_net = nn.Sequential(OrderedDict(
    look=nn.Conv2d(1, 8, 3, padding=1),
    positive=nn.ReLU(),
    shrink=nn.MaxPool2d(2),
    look_again=nn.Conv2d(8, 16, 3, padding=1),
    positive_again=nn.ReLU(),
    line_up=nn.Flatten(),
    decide=nn.Linear(16 * 4 * 4, 10),
))

dlx.layers(keras_net)[["layer", "type", "parameters"]]

# %% [markdown]
# `parameters` counts the **weights** of each layer: the numbers that training sets. So far they are random. The network
# knows nothing.

# %%
lesson.predict("accuracy")

# %% [markdown]
# ## 3 · train
#
# Training repeats four moves: **read** some pictures, measure how **wrong** the scores are (the *loss*), find for every
# weight the **slope** (which way is less wrong?), and take a small **step** that way.
#
# Keras does the four moves in one call. In Torch you write them down.
#
# Below the code come two curves. The left one should fall, the right one should rise.

# %%
# 3 · train, in Keras
def train_keras(net, labels):
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.Adam(0.003), loss=wrongness, metrics=["accuracy"])
    seen = net.fit(train.inputs, labels, epochs=12, batch_size=32, verbose=0,
                   validation_data=(test.inputs, test.labels))
    return {"loss": seen.history["loss"], "val_accuracy": seen.history["val_accuracy"]}


keras_history = train_keras(keras_net, train.labels)

# %%
# 3 · train, in Torch
def to_torch(pictures):  # Torch wants the colour channel before height and width
    return torch.tensor(pictures).permute(0, 3, 1, 2).contiguous()


all_pictures, all_answers = to_torch(train.inputs), torch.tensor(train.labels)
optimizer = torch.optim.Adam(torch_net.parameters(), lr=0.003)
wrongness = nn.CrossEntropyLoss()
torch_history = {"loss": [], "val_accuracy": []}

for _ in range(12):                              # twelve times through all pictures
    total = 0.0
    for batch in torch.randperm(len(all_pictures)).split(32):
        pictures, answers = all_pictures[batch], all_answers[batch]
        optimizer.zero_grad()                    # forget the old slopes
        scores = torch_net(pictures)             # read
        loss = wrongness(scores, answers)        # how wrong?
        loss.backward()                          # slopes
        optimizer.step()                         # step
        total += loss.item() * len(batch)
    with torch.no_grad():
        right = torch_net(to_torch(test.inputs)).argmax(1).numpy() == test.labels
    torch_history["loss"].append(total / len(all_pictures))
    torch_history["val_accuracy"].append(right.mean())

dlx.figures.training_curves({"Keras": keras_history, "Torch": torch_history},
                            title="Learning, epoch by epoch")

# %% [markdown]
# An **epoch** is one pass through all training pictures. Left: the loss falls. Right: the share of **new** digits that are
# read right rises. (*Validation* in the figure means: pictures held back.) Two tools, two random starts, nearly one
# result.

# %%
lesson.order("training_step")

# %% [markdown]
# ## 4 · look
#
# Now let the networks read the digits that were held back.

# %%
# 4 · look, in Keras and in Torch
def keras_scores(pictures):
    return keras_net.predict(pictures, verbose=0)


def torch_scores(pictures):
    with torch.no_grad():
        return torch_net(to_torch(pictures)).numpy()


scores, labels = keras_scores(test.inputs), test.labels
print("label of the first picture:", labels[0])
print("its ten scores:", {digit: round(float(score), 1) for digit, score in enumerate(scores[0])})

# %% [markdown]
# **Exercise: the share read right.** `scores` has a row for each picture, ten numbers long. `labels` has the right
# answer for each. What share of the pictures does the Keras network read right?

# %%
### BEGIN SOLUTION
share_right = (scores.argmax(1) == labels).mean()
### END SOLUTION
lesson.check("share_right", share_right, scores=scores, labels=labels)

# %%
keras_accuracy = float((keras_scores(test.inputs).argmax(1) == test.labels).mean())
torch_accuracy = float((torch_scores(test.inputs).argmax(1) == test.labels).mean())
lesson.reveal("accuracy", 100 * keras_accuracy)

# %%
missed = np.flatnonzero(scores.argmax(1) != labels)[:8]
dlx.figures.images(
    test.inputs[missed], title="Misread by the Keras network",
    titles=[f"{labels[i]}, read as {scores[i].argmax()}" for i in missed],
)

# %% [markdown]
# Would you have read them all? The data is not perfect, and neither is the reader.
#
# ## Draw one yourself
#
# Draw with the mouse, a finger or the arrow keys. Both networks read along. With each reading you see which pixels
# spoke **for** it (orange) and **against** it (blue), and what a layer passes on.
#
# Try to fool them. Then choose **no digit** among the examples: what do they say to a face?

# %%
dlx.widgets.DrawingBoard({"Keras": keras_net, "Torch": torch_net},
                         methods=["input_x_gradient", "saliency", "occlusion"],
                         layers=["positive", "positive_again", "decide"])

# %% [markdown]
# To a face they name a digit as well. Ten scores, and one of them is always the highest: **a network like this
# cannot say “I do not know”**. The per cents are only the scores in another form, so high ones promise nothing.
# And a reading alone does not tell you *why*. So open the box.
#
# ## Open the box, 1: which pixels decided?
#
# Take one nine that both networks read right. Two ways to ask stand side by side. **Orange** speaks for nine,
# **blue** against it. Where would you expect the orange?

# %%
keras_right = keras_scores(test.inputs).argmax(1) == labels
torch_right = torch_scores(test.inputs).argmax(1) == labels
asked = test.take(np.flatnonzero(keras_right & torch_right)[:100])  # a hundred right readings
nine = asked.inputs[asked.labels == 9][:1]

first_maps = dlx.compare(keras_net, nine, methods=["saliency", "integrated_gradients"], target=9)
first_maps.plot(title="Keras, asked: why nine?")

# %% [markdown]
# **Saliency** changes each pixel a tiny bit and watches the score. Orange: with more ink here, the score of nine
# would rise. Blue: it would fall. It speaks of blank pixels, too.
#
# **Integrated gradients** starts from blank paper, fades the nine in, and adds up the small changes on the way. It
# answers another question: what did the ink that **is** there contribute?
#
# <details><summary>In mathematics (you can skip this)</summary>
#
# Let $f$ be the score of nine, $x$ the picture, $x'$ blank paper. Saliency of pixel $i$ is the slope
# $\partial f/\partial x_i$ at $x$. Integrated gradients is
# $(x_i - x_i')\int_0^1 \partial f/\partial x_i\,\big(x' + a\,(x - x')\big)\,da$. Summed over all pixels it gives
# $f(x) - f(x')$ exactly. On a computer the integral is a sum over finitely many steps, so a small **gap** is left; the
# figure states it.
# </details>
#
# Now ask both networks. One call, either tool. Where do they agree, where not?
#
# (The *rank correlation* in the small print is their agreement: 1 if both put the pixels in the same order, 0 if the
# two orders have nothing in common.)

# %%
dlx.compare({"Keras": keras_net, "Torch": torch_net}, nine, method="integrated_gradients", target=9,
            tolerance=0.005).plot(title="Both networks, asked: why nine?")

# %% [markdown]
# ## Open the box, 2: how is credit shared?
#
# Cut the nine into four quarters. Each may be there or blank: sixteen pictures. The Keras network scores every one
# for “nine”.

# %%
from itertools import permutations, product


def with_quarters(present):
    # four numbers: upper left, upper right, lower left, lower right; 1 is there, 0 is blank
    return nine[0] * np.kron(np.reshape(present, (2, 2)), np.ones((4, 4)))[..., None]


def score_nine(rows):
    return keras_scores(np.stack([with_quarters(row) for row in rows]))[:, 9]


sets = list(product([0, 1], repeat=4))
score_of = dict(zip(sets, score_nine(sets), strict=True))

dlx.figures.images(
    [with_quarters(present) for present in sets],
    titles=[f"{score_of[present]:+.1f}" for present in sets],
    title="Sixteen part-nines and their scores",
)

# %%
lesson.predict("quarter")

# %% [markdown]
# **The fair share.** Let the quarters join one after the other. Note by how much each lifts the score. The order
# matters, so take **all** 24 orders and average. That mean is the **Shapley value**. Sharing credit this way is
# called **SHAP**.

# %%
rises = np.zeros(4)
for order in permutations(range(4)):
    present = [0, 0, 0, 0]
    for quarter in order:
        before = score_of[tuple(present)]
        present[quarter] = 1
        rises[quarter] += score_of[tuple(present)] - before
credit = rises / 24

dlx.figures.bars(credit, draw.QUARTERS, axis="credit, in score",
                 title="Credit of each quarter for “nine”")

# %%
lesson.reveal("quarter", draw.QUARTERS[int(credit.argmax())])

# %% [markdown]
# Credit may be negative: such a quarter speaks **against** nine.
#
# **Exercise: the missing credit.** All credits together make up the whole rise, from the score of blank paper to
# that of the full nine. `credits` holds the first three. Find the fourth, without looking at `credit[3]`.

# %%
credits = credit[:3]
full_score, blank_score = score_of[1, 1, 1, 1], score_of[0, 0, 0, 0]
### BEGIN SOLUTION
missing = full_score - blank_score - credits.sum()
### END SOLUTION
lesson.check("missing_credit", missing, credits=credits,
             full_score=full_score, blank_score=blank_score)

# %% [markdown]
# **Four quarters, or 64 pixels.** With pixels there are 2⁶⁴ part-pictures: nobody can score them all. So SHAP
# takes a sample of the orders. The price: each value is an estimate. The sum still fits.

# %%
dlx.explain(keras_net, nine, "shap:Permutation", target=9).plot(title="SHAP for each of the 64 pixels (Keras)")

# %% [markdown]
# **Straight from the libraries.** Nothing here is a secret of this course. The package **SHAP** gives the same four
# credits. The package **Captum** gives the same integrated gradients.

# %%
import shap
from captum.attr import IntegratedGradients, Saliency

nothing, everything = np.zeros((1, 4)), np.ones((1, 4))
shap_credit = shap.KernelExplainer(score_nine, nothing).shap_values(everything, silent=True)[0]

torch_nine = to_torch(nine)
captum_map = IntegratedGradients(torch_net).attribute(torch_nine, target=9, n_steps=200).numpy()
our_map = dlx.explain(torch_net, torch_nine, "integrated_gradients", target=9, steps=200).values

shap_difference = float(np.abs(shap_credit - credit).max())
captum_difference = float(np.abs(captum_map - our_map).max())
print(f"largest difference between SHAP's credits and ours:  {shap_difference:.5f}")
print(f"largest difference between Captum's map and ours:    {captum_difference:.5f}")

# %% [markdown]
# And where do they fail? Captum knows Torch only. And its `Saliency` drops the sign unless you ask for it: all
# pixels seem to speak for nine.

# %%
captum_saliency = Saliency(torch_net).attribute(torch_nine.clone().requires_grad_(), target=9)
our_saliency = dlx.explain(torch_net, torch_nine, "saliency", target=9).values
against, captum_against = int((our_saliency < 0).sum()), int((captum_saliency < 0).sum())
print(f"pixels where more ink would lower the score: {against}; Captum shows {captum_against}\n")

try:
    dlx.explain(keras_net, nine, "captum:IntegratedGradients", target=9)
except dlx.UnsupportedModelError as refusal:
    print(refusal)

# %% [markdown]
# ## Open the box, 3: what did the layers see?
#
# Look at what the first two layers pass on: the answers of the eight windows. Bright means “my pattern is here”.

# %%
seen_keras = dlx.activations(keras_net, nine, ["positive"])
seen_keras.plot().update_layout(title_text="<b>Keras: what its eight windows see</b>")

# %%
seen_torch = dlx.activations(torch_net, torch_nine, ["positive"])
seen_torch.plot().update_layout(title_text="<b>Torch: what its eight windows see</b>")

# %% [markdown]
# Nobody told the windows what to look for. Training found their patterns. The two networks started from different
# random weights. So do not expect the same windows in both.
#
# These pictures show what **passes through** a layer. They do not show whether it **matters** for the answer.
#
# ## May I believe this?
#
# The maps look sensible. That is the danger. So make maps that are **wrong for sure**, and see whether ours can be
# told from them. A comparison that could have shown you wrong is called a **control**.
#
# **First control: a network that learned nonsense.** Same layers, same pictures, but the labels are shuffled, as if
# all name tags had been mixed up.

# %%
shuffled_net = keras_network()
train_keras(shuffled_net, np.random.default_rng(0).permutation(train.labels))
shuffled_accuracy = float((shuffled_net.predict(test.inputs, verbose=0).argmax(1) == test.labels).mean())
print(f"It reads {shuffled_accuracy:.0%} of new digits right. Blind guessing: {1 / 10:.0%}.")

# %% [markdown]
# **Second control: a random map.** Our own, with its pixels scattered.

# %%
from dataclasses import replace

both = dlx.compare({"Keras": keras_net, "Torch": torch_net}, asked.inputs,
                   method="integrated_gradients", target=asked.labels, tolerance=0.005)
keras_map, torch_map = both.attributions.values()

# the nonsense network's scores hardly move, so we let it miss them by a fifth
nonsense_map = dlx.explain(shuffled_net, asked.inputs, target=asked.labels, tolerance=0.2)

pixels = keras_map.values.reshape(100, 64)
scattered = np.random.default_rng(0).permuted(pixels, axis=1).reshape(100, 8, 8, 1)

compared = dlx.Comparison({**both.attributions, "nonsense": nonsense_map,
                           "random": replace(keras_map, values=scattered)})
compared.plot(samples=3, title="Two real maps, two wrong for sure")

# %% [markdown]
# Look at *nonsense*. It is pale, but it lies on the strokes, too! Against blank paper only ink can count, so
# **every** such map lies there, wise or silly. Lying on the strokes proves nothing. So compare by number:
# **agreement** is 1 when two maps put the pixels in the same order, and 0 when the orders have nothing in common.

# %%
from IPython.display import Markdown

agreement = {(row.a, row.b): float(row.rank_correlation) for row in compared.table.itertuples()}
twins, nonsense, chance = (agreement["Keras", other] for other in ("Torch", "nonsense", "random"))
Markdown(f"""
| the Keras map, beside | agreement (middle one of 100 pictures) |
| --- | --- |
| the map of the Torch network, trained apart from it | **{twins:.2f}** |
| the map of the nonsense network | {nonsense:.2f} |
| the random map | {chance:.2f} |
""")

# %% [markdown]
# **Third control: hide what the map names.** If these pixels decided, then without them the reading should break.
# Take a hundred pictures that were read right. In each, blank the 8 pixels that its map puts first. Count how many
# are now read wrong.

# %%
def hide(pictures, maps, count=8):
    """Blank the `count` pixels of each picture that its map puts first."""
    flat = pictures.reshape(len(pictures), -1).copy()
    first = np.argsort(-maps.reshape(len(maps), -1), axis=1)[:, :count]
    np.put_along_axis(flat, first, 0, axis=1)
    return flat.reshape(pictures.shape)


def broken(reads, maps):
    """Of the hundred right readings, how many break?"""
    return int((reads(hide(asked.inputs, maps)).argmax(1) != asked.labels).sum())


lesson.predict("broken")

# %%
breaks = {
    "named by its own map": broken(keras_scores, keras_map.values),
    "named by Torch's map": broken(keras_scores, np.moveaxis(torch_map.values, 1, -1)),
    "the brightest (no network asked)": broken(keras_scores, asked.inputs),
    "named by the nonsense map": broken(keras_scores, nonsense_map.values),
    "named at random": broken(keras_scores, scattered),
}
dlx.figures.bars(list(breaks.values()), list(breaks), axis="readings broken, of 100",
                 title="Keras, with 8 of 64 pixels hidden")

# %%
lesson.reveal("broken", breaks["named by its own map"])

# %% [markdown]
# The lower bars are the point. Hiding the brightest pixels breaks many readings, too, and no network was asked for
# those. A map must beat **that**, not zero.
#
# **Exercise: the mystery maps.** Three sets of maps, `A`, `B` and `C`. One was made from the **Torch** network, the
# others were not. First look. Bright: this pixel speaks for the digit.

# %%
maps = draw.mystery(asked.inputs, np.moveaxis(torch_map.values, 1, -1), nonsense_map.values)
draw.mystery_figure(asked.inputs[1:4], {letter: maps[letter][1:4] for letter in "ABC"})

# %% [markdown]
# Now let numbers decide. `broken(torch_scores, maps["A"])` hides what A names and counts how many readings of the
# Torch network break. Put the letter of the real map, such as `"A"`, into `real`.

# %%
### BEGIN SOLUTION
real = max("ABC", key=lambda letter: broken(torch_scores, maps[letter]))
### END SOLUTION
lesson.check("mystery", real)

# %% [markdown]
# **Would you sign?** Three questions, and beside each what would have condemned the map.

# %%
gap = float(keras_map.relative_gap.max())
own, bright = breaks["named by its own map"], breaks["the brightest (no network asked)"]
draw.record([
    ("Do the values add up to the rise of the score?", "the gap passes 1 %",
     f"{gap:.2%} at most", gap < 0.01),
    ("Does the map depend on what was learned?", "nonsense agrees half as well as Torch",
     f"{nonsense:.2f} beside {twins:.2f}", abs(nonsense) < twins / 2),
    ("Does the reading hang on the pixels it names?", "it does not beat the brightest by a fifth",
     f"{own} beside {bright} of 100 broken", own > 1.2 * bright),
])

# %% [markdown]
# **What this does not show.** The map tells what *this network* did with *these pictures*. It does not say that a
# reading is right, that the network can read *your* hand, or that it knows a face from a digit. And a picture with
# holes is one that nobody would write; that is why the random bar stands beside the others.
#
# ## Recall

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Training sets a network's weights, step by step, so that its answers get less wrong. Keras and Torch do the same.
# 2. **Saliency** and **integrated gradients** tell which pixels moved the score, for and against.
# 3. **SHAP** shares the credit fairly; the credits add up to the change of the score.
# 4. **Activations** show what a layer passes on, not whether it matters.
# 5. A map that looks right proves nothing. Put it beside maps that are wrong for sure.
#
# **Words of this lesson**

# %%
lesson.glossary()

# %% [markdown]
# **Sources**

# %%
lesson.sources()

# %% [markdown]
# **What you have done, and where to go**

# %%
lesson.progress()

# %%
draw.course_map()
