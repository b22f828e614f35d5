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
# This page reads handwritten digits. You will **train** the reader yourself, **open** it three ways, and then
# **doubt** it, with numbers. After that you have seen the whole course once, in small.
#
# **How the page works**
#
# - Grey boxes are code. Click one and press **Shift + Enter**: it runs, and the next one waits. Go from top to bottom.
# - **Three dots** `...` wait for your answer. The line below checks it and says what went wrong. `lesson.hint("name")`
#   gives a nudge, then a part, then the answer.
# - **Predict first** asks you to guess before you see. A wrong guess teaches more than none. Nobody but you sees it.
# - Lost? Menu *Kernel*, *Restart Kernel and Run All Cells* puts everything in order again.
#
# Try it now, on the box below.

# %%
import dlexplain as dlx  # always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you

lesson = dlx.classroom.lesson(0)
lesson

# %% [markdown]
# ## 1 · data
#
# Pictures of digits, written by real people. Each comes with its **label**: the digit that the writer meant.

# %%
import numpy as np

digits = dlx.data.load("digits")
train, test = digits.split(0.25, seed=0)  # a quarter is held back: the network never sees it in training

dlx.figures.images(train.inputs[:16], titles=train.labels[:16], title="Sixteen digits, each with its label")

# %% [markdown]
# You see a digit. The network gets **64 numbers**: how much ink lies on each pixel, from 0 (paper) to 16 (full). Here
# is the first picture again, as the network gets it.

# %%
from dlexplain.classroom.lessons import lesson_00

lesson_00.as_numbers(train.inputs[0, :, :, 0])

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
# There are two well-known tools to build it. **Keras** and **Torch** say the same thing in different words. Read both; the
# steps have the same numbers.

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

dlx.layers(keras_net)

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

# %%
# 3 · train, in Keras
def train_keras(net, labels):
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.Adam(0.003), loss=wrongness, metrics=["accuracy"])
    seen = net.fit(train.inputs, labels, epochs=12, batch_size=32, verbose=0, validation_data=(test.inputs, test.labels))
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

for epoch in range(12):
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

dlx.figures.training_curves({"Keras": keras_history, "Torch": torch_history}, title="Learning, epoch by epoch")

# %% [markdown]
# An **epoch** is one pass through all training pictures. Left: the loss falls. Right: the share of **new** digits that are
# read right rises. Two tools, two random starts, nearly one result.

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
scores[0].round(1), labels[0]

# %% [markdown]
# Ten scores for the first held-back picture, from digit 0 to digit 9, and its label.
#
# **Exercise: the share read right.** `scores` has a row for each picture, `labels` the right answer for each. What share
# of the pictures is read right?

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
# Draw with the mouse, a finger or the arrow keys. Both networks read along. Beside each reading you see which pixels
# spoke **for** it (orange) and **against** it (blue), and what a layer passes on. Those are the three ways to open the
# box; the next three parts explain them one at a time.
#
# Try to fool it. Then choose **no digit** among the examples: what does it say to a face?

# %%
dlx.widgets.DrawingBoard({"Keras": keras_net, "Torch": torch_net}, methods=["input_x_gradient", "saliency", "occlusion"])

# %% [markdown]
# It named a digit for the face as well. It has ten scores and one of them is always the highest: **it cannot say “I do not
# know”**. And a reading alone does not tell you *why*. So open the box.
#
# ## Open the box, 1: which pixels decided?
#
# Take one nine that both networks read right.

# %%
both_right = (keras_scores(test.inputs).argmax(1) == labels) & (torch_scores(test.inputs).argmax(1) == labels)
asked = test.take(np.flatnonzero(both_right)[:100])  # a hundred right readings, for later
nine = asked.inputs[asked.labels == 9][:1]

dlx.compare(keras_net, nine, methods=["saliency", "integrated_gradients"], target=9, options={
    "integrated_gradients": {"tolerance": 0.01}}).plot(title="Keras, asked: why nine?")

# %% [markdown]
# **Saliency** changes each pixel a tiny bit and watches the score. Orange: more ink here, higher score for nine. Blue: more ink
# here, lower score. It speaks of blank pixels, too: ink *would* harm there.
#
# **Integrated gradients** starts from blank paper, fades the nine in, and adds up all the small changes on the way. So it
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
# Now the same question to both networks. One call, either tool.

# %%
dlx.compare({"Keras": keras_net, "Torch": torch_net}, nine, method="integrated_gradients", target=9, tolerance=0.01).plot(
    title="Integrated gradients: why nine?")

# %% [markdown]
# ## Open the box, 2: how is credit shared?
#
# Cut the nine into four quarters. Each may be there or blank: sixteen pictures. The network scores them all for “nine”.

# %%
from itertools import permutations, product


def with_quarters(present):
    """The nine with only some quarters: upper left, upper right, lower left, lower right; 1 is there, 0 is blank."""
    return nine[0] * np.kron(np.reshape(present, (2, 2)), np.ones((4, 4)))[..., None]


def score_nine(rows):
    return keras_scores(np.stack([with_quarters(row) for row in rows]))[:, 9]


sets = list(product([0, 1], repeat=4))
score_of = dict(zip(sets, score_nine(sets)))

dlx.figures.images(
    [with_quarters(present) for present in sets], titles=[f"{score_of[present]:+.1f}" for present in sets],
    title="Sixteen part-nines and their score for nine",
)

# %%
lesson.predict("quarter")

# %% [markdown]
# **The fair share.** Let the quarters join one after the other, and note by how much each lifts the score. The order
# matters, so take **all** 24 orders and average. That mean is the **Shapley value**, and sharing credit this way is called
# **SHAP**.

# %%
rises = np.zeros(4)
for order in permutations(range(4)):
    present = [0, 0, 0, 0]
    for quarter in order:
        before = score_of[tuple(present)]
        present[quarter] = 1
        rises[quarter] += score_of[tuple(present)] - before
credit = rises / 24

dlx.figures.bars(credit, lesson_00.QUARTERS, title="Credit of each quarter for “nine”", axis="credit (score)")

# %%
lesson.reveal("quarter", lesson_00.QUARTERS[int(credit.argmax())])

# %% [markdown]
# **Exercise: the missing credit.** Suppose you know three credits, but not that of the lower right quarter. You also know the score
# of the whole nine and that of blank paper. Find the missing one, without looking at `credit[3]`.

# %%
credits = credit[:3]
full_score, blank_score = score_of[1, 1, 1, 1], score_of[0, 0, 0, 0]
### BEGIN SOLUTION
missing = full_score - blank_score - credits.sum()
### END SOLUTION
lesson.check("missing_credit", missing, credits=credits, full_score=full_score, blank_score=blank_score)

# %% [markdown]
# **Straight from the libraries.** Nothing above is a secret of this course. The package **SHAP** gives the same four credits,
# and **Captum** gives integrated gradients for Torch.

# %%
import shap
from captum.attr import IntegratedGradients

shap_credit = shap.ExactExplainer(score_nine, np.zeros((1, 4)))(np.ones((1, 4))).values[0]

captum_values, captum_gap = IntegratedGradients(torch_net).attribute(
    to_torch(nine), target=9, n_steps=200, return_convergence_delta=True)
our_values = dlx.explain(torch_net, to_torch(nine), "integrated_gradients", target=9, steps=200).values

shap_difference = float(np.abs(shap_credit - credit).max())
captum_difference = float(np.abs(captum_values.numpy() - our_values).max())
print(f"SHAP's credits and ours differ by at most      {shap_difference:.6f}")
print(f"Captum's pixel values and ours differ by at most {captum_difference:.6f}")

# %% [markdown]
# Where do they end? Four quarters have 16 part-pictures; 64 pixels have more than there are grains of sand on Earth. So SHAP
# **samples** orders. And Captum knows Torch only. Ask for it with the Keras network:

# %%
try:
    dlx.explain(keras_net, nine, "captum:IntegratedGradients", target=9)
except dlx.UnsupportedModelError as refusal:
    print(refusal)

# %%
dlx.explain(keras_net, nine, "shap:Permutation", target=9).plot(title="SHAP for each of the 64 pixels (Keras)")

# %% [markdown]
# ## Open the box, 3: what did the layers see?
#
# Look at what the first layer passes on: the answers of its eight windows. Bright means “my pattern is here”.

# %%
dlx.activations(keras_net, nine, ["positive"]).plot()

# %%
dlx.activations(torch_net, to_torch(nine), ["positive"]).plot()

# %% [markdown]
# Some windows answer to upper edges, some to lower ones, some to whole strokes. Nobody told them to. The two
# networks found their own windows, in their own order, because their random starts differed.
#
# These pictures show what **passes through** a layer. They do not show whether it **matters** for the answer.
#
# ## May I believe this?
#
# The maps look sensible. That is the danger: we believe what looks sensible. So make maps that are **wrong for sure**, and see
# whether ours can be told from them. A comparison that could have shown you wrong is called a **control**.
#
# **First control: a network that learned nonsense.** Same layers, same pictures, but the labels are shuffled, as if all name tags
# had been mixed up. **Second control: a random map**, our own with its pixels scattered.

# %%
shuffled_net = keras_network()
train_keras(shuffled_net, np.random.default_rng(0).permutation(train.labels))
shuffled_accuracy = float((shuffled_net.predict(test.inputs, verbose=0).argmax(1) == test.labels).mean())
print(f"The network with shuffled labels reads {shuffled_accuracy:.0%} of new digits right. Guessing gives 10%.")

# %%
import warnings
from dataclasses import replace

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dlx.GapWarning)  # the nonsense network hardly answers: of nearly nothing, 1% is nothing
    compared = dlx.compare(
        {"Keras": keras_net, "Torch": torch_net, "shuffled labels": shuffled_net},
        asked.inputs, method="integrated_gradients", target=asked.labels, tolerance=0.01)

keras_map, torch_map, shuffled_map = compared.attributions.values()
scattered = np.random.default_rng(0).permuted(keras_map.values.reshape(100, 64), axis=1).reshape(100, 8, 8, 1)
compared = dlx.Comparison({**compared.attributions, "random": replace(keras_map, values=scattered)})
compared.plot(samples=3, title="Two real maps and two that are wrong for sure")

# %% [markdown]
# Look at *shuffled labels*. It lies on the strokes, too! Only ink can count against blank paper, so **every** map of this kind
# lies there, whether the network is wise or silly. Your eye cannot tell. A number can: **agreement**, 1 for the same
# order of pixels, 0 for none, here as the middle one of 100 pictures.

# %%
from IPython.display import Markdown

agreement = {(row.a, row.b): float(row.rank_correlation) for row in compared.table.itertuples()}
twins, nonsense, chance = (agreement["Keras", other] for other in ("Torch", "shuffled labels", "random"))
Markdown(f"""
| the Keras map agrees with the map of | agreement |
| --- | --- |
| the Torch network, trained apart from it | **{twins:.2f}** |
| the network with shuffled labels | {nonsense:.2f} |
| chance | {chance:.2f} |
""")

# %% [markdown]
# **Third control: hide what the map names.** If these pixels decided, then without them the reading should break. Blank
# the 8 pixels that a map puts first, in a hundred pictures that were read right. Count how many are now read wrong.

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
    "named by the nonsense map": broken(keras_scores, shuffled_map.values),
    "named at random": broken(keras_scores, scattered),
}
dlx.figures.bars(list(breaks.values()), list(breaks), title="Hide 8 of 64 pixels: how many of 100 readings break?",
                 axis="readings broken, of 100")

# %%
lesson.reveal("broken", breaks["named by its own map"])

# %% [markdown]
# The two lower bars are the point. Hiding **any** eight pixels does some harm, and hiding the brightest does more. A map
# must beat **those**, not zero.
#
# **Exercise: the mystery maps.** Three sets of maps, `A`, `B` and `C`. One was made from the **Torch** network, the others were
# not. First look.

# %%
maps = lesson_00.mystery(asked.inputs, np.moveaxis(torch_map.values, 1, -1), shuffled_map.values)
dlx.figures.images([asked.inputs[0]] + [np.maximum(maps[m][0], 0) for m in "ABC"], titles=["the picture", "A", "B", "C"],
                   title="Which map is from the Torch network? (what speaks for)")

# %% [markdown]
# Now let numbers decide. Use `broken` with `torch_scores` and each of the three. Put the letter of the real map, such as
# `"A"`, into `real`.

# %%
### BEGIN SOLUTION
real = max("ABC", key=lambda letter: broken(torch_scores, maps[letter]))
### END SOLUTION
lesson.check("mystery", real)

# %% [markdown]
# **The record.** Three questions, three numbers, and beside each what would have condemned the map.

# %%
gap = float(keras_map.relative_gap.max())
own, bright, guess = breaks["named by its own map"], breaks["the brightest (no network asked)"], breaks["named at random"]
verdict = {
    "bill": gap < 0.01,
    "network": twins > 0.3 > nonsense,
    "hiding": own > bright > guess,
}
sign = {True: "✓ held", False: "✗ failed"}
Markdown(f"""
| question | it fails if | found | |
| --- | --- | --- | --- |
| Do the values add up to the score? | the gap is over 1 % | at most {gap:.1%} | {sign[verdict["bill"]]} |
| Does the map depend on what was learned? | nonsense agrees as well as the other network (0.3) | {nonsense:.2f} against {twins:.2f} | {sign[verdict["network"]]} |
| Does the reading hang on the pixels named? | the brightest pixels break as many | {own} against {bright} | {sign[verdict["hiding"]]} |
""")

# %% [markdown]
# **What this does not show.** The map tells what *this network* did with *these pictures*. It does not say that the reading is
# right, that the network will read *your* hand, or that it knows a face from a digit. A hidden pixel also makes a picture that
# nobody would write; that is why the random row stands beside it.
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
lesson_00.course_map()
