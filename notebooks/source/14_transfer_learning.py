# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14 · Transfer learning
#
# You want a network that reads handwritten digits. You have a handful of them. Labelling more costs money.
#
# But **printed letters** cost nothing. **Can a network learn from letters first, and then need fewer digits?
# How little data and money suffice?**

# %%
import dlexplain as dlx  # first: it keeps TensorFlow and Torch from ending the process together

lesson = dlx.classroom.lesson(14)
lesson

# %%
import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing
from dlexplain.classroom.lessons.lesson_14 import bench, bigger, costs
from dlexplain.classroom.lessons.lesson_14 import drawing as own
from dlexplain.classroom.lessons.lesson_14.glyphs import glyphs

letters = glyphs(6000)
pool, test = dlx.data.load("digits").split(0.4, seed=0)

dlx.figures.images(
    [*letters.inputs[:20], *pool.inputs[:10]], columns=10,
    titles=[*[letters.class_names[k] for k in letters.labels[:20]], *pool.labels[:10].astype(str)],
    title="Above: printed letters · below: digits that people wrote",
)

# %%
kinds, fonts = len(letters.class_names), len(letters.font_names)
Markdown(f"**{len(letters):,} letters** of {kinds} kinds, in {fonts} fonts that ship with Matplotlib: "
         f"slanted, thickened, warped. **{len(pool):,} digits** to draw a few from, {len(test)} locked up "
         "for testing. All are 8 × 8 pixels.")

# %% [markdown]
# Nobody had to label the letters: whoever prints an R knows that it is an R. We left out O, o, I and l. They would
# be digits. So the network meets **no digit** while it learns letters.
#
# This is **transfer learning**: learn one thing first, where data is plenty (**pre-train**). Then use what was
# learned for another, where data is scarce (**tune**).
#
# ## A few digits, by chance
#
# With five digits of each kind, luck matters: which five? So we shall draw several times, and show the spread.
#
# **Exercise 1: a fair draw.** Draw `count` places of *each* digit, none twice. Another seed, another draw.

# %%
def draw(labels, count, seed):
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    return np.concatenate([
        rng.choice(np.flatnonzero(labels == digit), count, replace=False) for digit in range(10)
    ])
    ### END SOLUTION


lesson.check("draw", draw)

# %% [markdown]
# ## Pre-train on letters, in Keras and in Torch
#
# The same network in both. It has a **body** of three layers, `first`, `second` and `third`. They turn a picture into
# 64 numbers, its **features**. The **head**, `answer`, turns features into scores.

# %%
import keras
from keras import layers

RATE, STEPS = 0.01, 100  # for digits: step size, and how many steps of 32 pictures


def batches(count, steps, size, seed):
    """Which pictures to learn from in each step: the same for both frameworks."""
    return np.random.default_rng(seed).integers(count, size=(steps, size))


def network_keras(answers, seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu", name="first"),
        layers.Conv2D(16, 3, padding="same", activation="relu", name="second"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu", name="third"),
        layers.Dropout(0.2),
        layers.Dense(answers, name="answer"),
    ])


def ready_keras(network, rate):
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(rate), wrongness, steps_per_execution=25)
    return network


def learn_keras(network, pictures, labels, order):
    size, order = order.shape[1], order.ravel()
    network.fit(pictures[order], labels[order], batch_size=size, shuffle=False, verbose=0)
    return network


# 1 · data: (pictures, height, width, channels)
new_letters = glyphs(1000, seed=1)
plenty = batches(len(letters), 750, 64, seed=0)

# 2 · network
letters_keras = ready_keras(network_keras(len(letters.class_names), seed=0), 0.003)

# 3 · train
learn_keras(letters_keras, letters.inputs, letters.labels, plenty)

# 4 · look
read = letters_keras.predict(new_letters.inputs, verbose=0).argmax(1)
letters_right = {"Keras": float((read == new_letters.labels).mean())}
print(f"Keras reads {letters_right['Keras']:.0%} of new letters right.")

# %%
import time
from collections import OrderedDict

import torch
from torch import nn


def network_torch(answers, seed):
    torch.manual_seed(seed)
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 12, 3, padding=1), first=nn.ReLU(),
        conv2=nn.Conv2d(12, 16, 3, padding=1), second=nn.ReLU(),
        pool=nn.MaxPool2d(2), flat=nn.Flatten(),
        dense=nn.Linear(256, 64), third=nn.ReLU(),
        drop=nn.Dropout(0.2), answer=nn.Linear(64, answers),
    ))


def channels_first(pictures):
    return np.ascontiguousarray(np.moveaxis(pictures, -1, 1))


def learn_torch(network, pictures, labels, order, rate):
    pictures, labels = torch.tensor(channels_first(pictures)), torch.tensor(labels)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    network.train()
    for batch in order:
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(pictures[batch]), labels[batch]).backward()
        optimizer.step()
    return network.eval()


# 1 · data: the same; `learn_torch` turns it into (pictures, channels, height, width)

# 2 · network
letters_torch = network_torch(len(letters.class_names), seed=0)

# 3 · train, and stop the time
began = time.process_time()
learn_torch(letters_torch, letters.inputs, letters.labels, plenty, 0.003)
pretraining_seconds = time.process_time() - began

# 4 · look
read = dlx.wrap(letters_torch).predict(channels_first(new_letters.inputs)).argmax(1)
letters_right["Torch"] = float((read == new_letters.labels).mean())
print(f"Torch reads {letters_right['Torch']:.0%} of new letters right.")

# %% [markdown]
# ## Frozen: only a new head learns
#
# Take the head off. Keep the body as the letters made it: **frozen**. Put on a new head for ten digits.

# %%
features, classes = 64, 10
whole = network_keras(classes, seed=0).count_params()
print(f"{features} features, {classes} digits. The whole network has {whole:,} weights.")

# %% [markdown]
# **Exercise 2.** How many weights learn, if the body is frozen?

# %%
### BEGIN SOLUTION
trained = features * classes + classes
### END SOLUTION
lesson.check("trained", trained, features=features, classes=classes, whole=whole)

# %% [markdown]
# A frozen body gives a picture the same features each time. So we ask it **once** for each picture. Learning a
# head on them is *logistic regression*: plain statistics, exact, a moment's work.

# %%
lesson.predict("few")

# %%
from sklearn.linear_model import LogisticRegression


def features_of(network, pictures):
    if not isinstance(network, keras.Model):
        pictures = channels_first(pictures)
    return dlx.activations(network, pictures, "third")["third"]


def head_on(known, labels):
    scale = known.std()
    return scale, LogisticRegression(C=10, max_iter=2000).fit(known / scale, labels)


def share_right(known, asked, chosen):
    """Learn a head from the chosen digits; the share of test digits that it reads right."""
    scale, head = head_on(known[chosen], pool.labels[chosen])
    return float((head.predict(asked / scale) == test.labels).mean())


SIZES, DRAWS = (1, 2, 5, 10, 20, 50), 5
chosen = {(size, k): bench.draw_places(pool.labels, size, seed=k) for size in SIZES for k in range(DRAWS)}


def frozen(network):
    """The share right, and the seconds: a row a size, a column a draw."""
    began = time.process_time()
    known, asked = features_of(network, pool.inputs), features_of(network, test.inputs)
    asking = (time.process_time() - began) / (len(SIZES) * DRAWS)  # each bears its part
    found, took = costs.timed(lambda size, k: share_right(known, asked, chosen[size, k]), SIZES, DRAWS)
    return found, took + asking


right, seconds_of = {"Torch": {}, "Keras": {}}, {}
right["Torch"]["frozen"], seconds_of["frozen"] = frozen(letters_torch)
right["Keras"]["frozen"], _ = frozen(letters_keras)
five = float(100 * right["Keras"]["frozen"][SIZES.index(5)].mean())
lesson.reveal("few", five)

# %% [markdown]
# ## Thawed, and from scratch
#
# Two others compete, with the same digits:
#
# - **thawed**: start from the body of the letters, and let *every* weight learn;
# - **from scratch**: start from random weights, as if there were no letters.
#
# Both get the same steps, in the same order, at the same rate.

# %%
digits_keras = ready_keras(network_keras(10, seed=0), RATE)
digits_keras.optimizer.build(digits_keras.trainable_variables)
unused = [value.numpy() for value in digits_keras.optimizer.variables]
random_keras = [network_keras(10, seed=k).get_weights() for k in range(DRAWS)]


def tune_keras(body, mine, k=0):
    start = random_keras[k]
    if body is not None:
        start = [*body.get_weights()[:-2], *start[-2:]]  # all but the head
    digits_keras.set_weights(start)
    for value, fresh in zip(digits_keras.optimizer.variables, unused, strict=True):
        value.assign(fresh)  # the optimizer forgets, too
    order = batches(len(mine), STEPS, 32, seed=k)
    return learn_keras(digits_keras, pool.inputs[mine], pool.labels[mine], order)


def body_of(network):
    weights = network.state_dict().items()
    return {name: value for name, value in weights if not name.startswith("answer")}


def tune_torch(body, mine, k=0, rate=RATE):
    network = network_torch(10, seed=k)
    if body is not None:
        network.load_state_dict(body_of(body), strict=False)
    order = batches(len(mine), STEPS, 32, seed=k)
    return learn_torch(network, pool.inputs[mine], pool.labels[mine], order, rate)


def scores(network, pictures):
    if isinstance(network, keras.Model):
        return np.asarray(network(pictures, training=False))
    with torch.no_grad():
        return network(torch.tensor(channels_first(pictures))).numpy()


def scored(tune, body):
    """The share right, and the seconds: a row a size, a column a draw."""
    def right_after(size, k):
        read = scores(tune(body, chosen[size, k], k), test.inputs).argmax(1)
        return (read == test.labels).mean()

    return costs.timed(right_after, SIZES, DRAWS)


for name, tune, body in (("Keras", tune_keras, letters_keras), ("Torch", tune_torch, letters_torch)):
    for way, start in (("thawed", body), ("from scratch", None)):
        right[name][way], seconds_of[way] = scored(tune, start)  # the seconds: Torch's, in the end

# %% [markdown]
# And a fourth, without any network: logistic regression straight on the **64 pixels**. It is the control. Whoever
# does not beat it has learned nothing worth having.
#
# Look at the left end first: who is on top while digits are few? Then at the right end: how much of the lead is left?

# %%
flat, flat_test = pool.inputs.reshape(-1, 64), test.inputs.reshape(-1, 64)
pixels = np.array([[share_right(flat, flat_test, chosen[size, k]) for k in range(DRAWS)] for size in SIZES])
for name in right:
    right[name]["plain pixels"] = pixels

own.learning_curves(SIZES, right["Keras"], title="Keras: the share of new digits read right")

# %%
own.learning_curves(SIZES, right["Torch"], title="Torch: the share of new digits read right")

# %% [markdown]
# Each point is the mean of five draws. The **error bar** shows how far single draws scatter (one standard
# deviation).
#
# **Frozen leads while digits are few.** As they grow, thawed catches up: there is now enough to teach every weight.
#
# And look at the plain pixels. They keep up with the network from scratch! Small clean pictures are easy. Without
# this control we should praise the network too much.
#
# **Exercise 3: is the lead real?** Five draws of two digits a class: `with_letters` (frozen) and `from_scratch`,
# a number a draw, the same draws. By how much does pre-training lead on average? And how far may this mean be off by
# luck (its **standard error**)? Give `[mean, standard error]`.

# %%
with_letters, from_scratch = right["Torch"]["frozen"][1], right["Torch"]["from scratch"][1]
### BEGIN SOLUTION
apart = with_letters - from_scratch
difference = [apart.mean(), apart.std(ddof=1) / np.sqrt(len(apart))]
### END SOLUTION
lesson.check("difference", difference, frozen=with_letters, scratch=from_scratch)

# %%
lead = {}
for name, found in right.items():
    for other in ("from scratch", "plain pixels"):
        gaps = found["frozen"] - found[other]
        lead[f"{name}: frozen − {other}"] = {
            f"{size} a class": [float(row.mean()), float(row.std(ddof=1) / np.sqrt(DRAWS))]
            for size, row in zip(SIZES, gaps, strict=True)
        }
drawing.table({
    name: {size.replace(" ", "\u00a0"): f"{100 * mean:+.1f}\u00a0±\u00a0{100 * error:.1f}"
           for size, (mean, error) in row.items()}
    for name, row in lead.items()
})

# %% [markdown]
# In percentage points, with standard errors. A lead of more than about two or three standard errors is hard to
# explain by luck.
#
# ## Was it the letters?
#
# Perhaps any body would do. Two more frozen bodies: one **never trained**, and one that learned the same letters with
# **shuffled names**. It was trained as long, on nonsense.

# %%
lesson.predict("nonsense")

# %%
shuffled_names = np.random.default_rng(0).permutation(letters.labels)
nonsense = network_torch(len(letters.class_names), seed=0)
learn_torch(nonsense, letters.inputs, shuffled_names, plenty, 0.003)
untrained = network_torch(len(letters.class_names), seed=0)

bodies = {
    "letters": right["Torch"]["frozen"],
    "plain pixels": pixels,
    "never trained": frozen(untrained)[0],
    "shuffled names": frozen(nonsense)[0],
}
ten = SIZES.index(10)
at_ten = {name: float(found[ten].mean()) for name, found in bodies.items()}
worse = at_ten["shuffled names"] - at_ten["never trained"]
outcomes = ["worse", "about the same", "better: it has seen letters"]
lesson.reveal("nonsense", outcomes[int(worse > -0.02) + int(worse > 0.02)])

# %%
own.learning_curves(SIZES, bodies, title="Torch: a new head on four frozen bodies")

# %% [markdown]
# Learning nonsense did **harm**: to learn names by heart, the body threw away what letters have in common. Even the
# body that never learned is below plain pixels. So what helped was not “a network”, and not “training”. It was
# **learning something that digits share**.
#
# ## Your own tuning
#
# Choose a way, the digits a class and the learning rate. Each time it learns anew. The square shows which digit was
# read as which: mistakes are orange.

# %%
known = {name: [features_of(body, of) for of in (pool.inputs, test.inputs)]
         for name, body in (("Keras", letters_keras), ("Torch", letters_torch))}


def head_torch(mine, rate, framework):
    """Learn a head on frozen features, with the learning rate; the scores of all test digits."""
    torch.manual_seed(0)
    mine_known, asked = known[framework]
    head, scale = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), mine_known[mine].std()
    order = batches(len(mine), STEPS, 32, seed=0)
    learn_torch(head, (mine_known[mine] / scale)[:, None, None], pool.labels[mine], order, rate)
    with torch.no_grad():
        return head(torch.tensor(asked / scale)).numpy()


def whole_torch(mine, rate, body):
    return scores(tune_torch(body, mine, rate=rate), test.inputs)


desk = bench.TuningBench(
    {
        "frozen body of Torch": lambda mine, rate: head_torch(mine, rate, "Torch"),
        "frozen body of Keras": lambda mine, rate: head_torch(mine, rate, "Keras"),
        "thawed (Torch)": lambda mine, rate: whole_torch(mine, rate, letters_torch),
        "from scratch (Torch)": lambda mine, rate: whole_torch(mine, rate, None),
    },
    pool.labels, test.labels,
)
desk

# %% [markdown]
# **Try it.** Two digits a class: freeze, then thaw. Then a rate of 0.1, both ways.

# %%
hasty = float((whole_torch(chosen[5, 0], 0.1, letters_torch).argmax(1) == test.labels).mean())
gentle = float((whole_torch(chosen[5, 0], 0.01, letters_torch).argmax(1) == test.labels).mean())
Markdown(f"Thawed, with five digits a class, at a rate of 0.1: **{hasty:.0%}** right. At 0.01: "
         f"**{gentle:.0%}**. A rate that is too large tears down what the letters built.")

# %% [markdown]
# ## What was kept, what changed?
#
# You know **CKA** from lesson 06: how alike do two layers arrange the same pictures? 1: the same, up to turning
# and scale. We compare each layer before and after tuning on 20 digits a class.

# %%
lesson.predict("layer")

# %%
LAYERS = ["first", "second", "third"]
twenty = chosen[20, 0]
tuned, scratch = tune_torch(letters_torch, twenty), tune_torch(None, twenty)
tuned_keras = keras.models.clone_model(tune_keras(letters_keras, twenty))
tuned_keras.set_weights(digits_keras.get_weights())
asked_torch = channels_first(test.inputs)


def kept(before, after, pictures):
    found = dlx.similarity(before, after, pictures, layers_a=LAYERS, layers_b=LAYERS).values
    return {layer: float(found[i, i]) for i, layer in enumerate(LAYERS)}


cka = {
    "tuned (Keras)": kept(letters_keras, tuned_keras, test.inputs),
    "tuned (Torch)": kept(letters_torch, tuned, asked_torch),
    "control: from scratch": kept(letters_torch, scratch, asked_torch),
    "control: never trained": kept(letters_torch, network_torch(10, seed=3), asked_torch),
}
lesson.reveal("layer", min(LAYERS, key=cka["tuned (Keras)"].get))

# %%
drawing.layer_lines(cka, title="How alike is each layer to that of the letters' network?", up="CKA", low=0.5)

# %% [markdown]
# Tuning kept the early layers and changed the last. Edges and bows serve letters and digits alike.
#
# Now read the controls. Networks that **never saw a letter** have early layers nearly as alike: these still show the
# picture itself. And in the third layer, the tuned networks are hardly nearer to the letters than one that learned
# digits from scratch. So the high numbers of the early layers prove little. The fall in the third is real.
#
# **What it does not show:** whether a kept layer is *needed*. For that, take it away and look.
#
# ## What decides, before and after?
#
# Now integrated gradients (lesson 04) for the same digits. First we put the frozen head back on its body, so that
# it is one network. Compare the rows of **frozen** and **thawed**. Then look at the last row.

# %%
scale, head = head_on(features_of(letters_torch, pool.inputs[twenty]), pool.labels[twenty])
before = network_torch(10, seed=0)
before.load_state_dict(body_of(letters_torch), strict=False)
with torch.no_grad():
    before.answer.weight.copy_(torch.tensor(head.coef_ / scale))
    before.answer.bias.copy_(torch.tensor(head.intercept_))
before.eval()

networks = {"frozen": before, "thawed": tuned, "from scratch": scratch,
            "never trained": network_torch(10, seed=3).eval()}
maps = {
    name: dlx.explain(
        network, asked_torch[:100], "integrated_gradients", target=test.labels[:100], tolerance=0.05
    )
    for name, network in networks.items()
}
some = [int(np.flatnonzero(test.labels[:100] == digit)[0]) for digit in (0, 3, 4, 7)]
own.maps({name: found.heatmap()[some] for name, found in maps.items()}, test.inputs[some, :, :, 0],
         title="What spoke for the right digit")

# %%
def agreement(a, b):
    """The mean correlation of two maps of the same digit."""
    pairs = zip(maps[a].values.reshape(100, -1), maps[b].values.reshape(100, -1), strict=True)
    return float(np.mean([np.corrcoef(one, other)[0, 1] for one, other in pairs]))


agree = {f"frozen and {other}": agreement("frozen", other) for other in list(maps)[1:]}
drawing.table({name: {"mean correlation of their maps": f"{value:.2f}"} for name, value in agree.items()})

# %% [markdown]
# The maps of frozen and thawed agree best. A network that never saw a letter agrees less, yet far more than one that
# knows nothing: there is only one three on the paper.
#
# **What it does not show:** that they read digits in the same *way*. Maps say where, not what.
#
# ## Frozen, and yet it moves
#
# A trap. Many large networks contain **batch normalisation**: a layer that counts the mean of what passes through.
# Freeze such a layer, let pictures pass in training mode, and look at its mean.

# %%
passing = 5 + np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)

norm_torch = nn.BatchNorm1d(3).requires_grad_(False)  # "frozen"
norm_torch.train()
norm_torch(torch.tensor(passing))

norm_keras = layers.BatchNormalization()
norm_keras.build(passing.shape)
norm_keras.trainable = False  # frozen
norm_keras(passing, training=True)

moved = {
    "Torch, requires_grad_(False)": float(norm_torch.running_mean.abs().max()),
    "Keras, trainable = False": float(np.abs(np.asarray(norm_keras.moving_mean)).max()),
}
drawing.table({name: {"its mean was 0, and is now": f"{value:.2f}"} for name, value in moved.items()})

# %% [markdown]
# In Torch, the frozen layer moved. `requires_grad` stops slopes, and counting needs no slopes. Set a frozen part to
# `eval()`. Keras stops the counting with `trainable = False`.

# %%
lesson.order("steps")

# %% [markdown]
# ## What is saved?
#
# How many digits a class does each way need to read 90 % right? We read it off each draw's curve, between the points.
# The mean of five draws stands before ±, its standard error after it.

# %%
GOAL = 0.9
LABEL, HOUR, WATTS = 0.05, 0.04, 10.0  # prices of our own making: put in yours

draws_need = {
    name: {way: np.array([costs.needed(SIZES, found[way][:, k], GOAL) for k in range(DRAWS)])
           for way in ("from scratch", "plain pixels", "thawed", "frozen")}
    for name, found in right.items()
}
needed = {name: {way: float(each.mean()) for way, each in found.items()} for name, found in draws_need.items()}
drawing.table({
    name: {way: f"{costs.with_error(each, '.1f')} a class" for way, each in found.items()}
    for name, found in draws_need.items()
})

# %%
tune_passes = STEPS * 32 * 3  # learning from a picture: once forward, and backward at the price of two
passes = {
    "from scratch": tune_passes, "thawed": tune_passes, "frozen": 10 * needed["Torch"]["frozen"],
    "pre-training": plenty.size * 3,
}


def bill(way, labels, took):
    return costs.bill(labels, passes[way], took, label=LABEL, hour=HOUR, watts=WATTS)


bills = {  # a bill a draw
    way: [bill(way, *each) for each in zip(10 * draws_need["Torch"][way], seconds_of[way].mean(0), strict=True)]
    for way in ("from scratch", "thawed", "frozen")
}
bills["saved by frozen"] = [a - b for a, b in zip(bills["from scratch"], bills["frozen"], strict=True)]
bills["pre-training, once"] = [bill("pre-training", 0, pretraining_seconds)]
drawing.table({way: costs.row(several) for way, several in bills.items()})

# %% [markdown]
# The prices are examples: a label at 0.05, an hour of a processor core at 0.04, and 10 watts. The rest was
# measured here, in Torch. “Saved by frozen” is what it spares beside from scratch, draw by draw.
#
# - **Data**: pre-training saves a good part of the labels, not all. Look at the ±: five draws do not say precisely
#   how many.
# - **Time and energy**: a frozen body is asked once a picture. That saves nearly all of the passes.
# - **Money**: here it is nearly all *labels*. Nobody had to label the letters.
#
# **Exercise 4: when does it pay?** Pre-training costs something once. A task from scratch has one cost, a tuned
# task a smaller one. After how many tasks is pre-training paid?

# %%
def break_even(pretraining, scratch, tuned):
    ### BEGIN SOLUTION
    return pretraining / (scratch - tuned)
    ### END SOLUTION


lesson.check("break_even", break_even)

# %%
tasks = {
    "passes": costs.break_even(passes["pre-training"], passes["from scratch"], passes["frozen"]),
    "money": costs.break_even(
        *(float(np.mean([each.money for each in bills[way]]))
          for way in ("pre-training, once", "from scratch", "frozen"))
    ),
}
label_share = LABEL * bills["from scratch"][0].labels / bills["from scratch"][0].money
Markdown(f"Computing is **{100 * (1 - label_share):.5f} %** of the bill from scratch; labels are the rest.\n\n"
         "Tasks until pre-training has paid, with a "
         f"frozen body: **{tasks['passes']:.0f}** counted in passes, **{max(1, tasks['money']):.0f}** counted in "
         "money, labels and all.")

# %% [markdown]
# That is why the world shares pre-trained weights. One pays, thousands tune. But *someone* paid, and their choice
# of data is now inside your network.
#
# <details><summary>In mathematics (you can skip this)</summary>
#
# The network is $h(g(x))$, with body $g$ and head $h$. Pre-training finds $g_0$ and some $h_0$ on letters. Frozen:
# minimise over $h$ only, with $g = g_0$: a convex problem. Thawed: minimise over $h$ and $g$, starting at $g_0$.
# From scratch: the same, starting at random. With $n$ draws of differences $d_i$, the standard error of $\bar d$
# is $\sqrt{\sum_i (d_i-\bar d)^2 / (n-1)}\,/\sqrt n$.
# </details>
#
# ## The same, straight from the library
#
# **Captum** explains Torch networks. Here is a mistake that tuning invites: after the last step the network is
# still in *training mode*, and its dropout throws numbers away by chance.

# %%
from captum.attr import IntegratedGradients

captum, one = IntegratedGradients(tuned), torch.tensor(asked_torch[:20])
goal = torch.tensor(test.labels[:20])


def twice(explain):
    """Explain the same digits twice: how far are the maps apart, as a share of their size?"""
    first, second = (np.asarray(explain()) for _ in range(2))
    return float(np.linalg.norm(first - second) / np.linalg.norm(first))


torch.manual_seed(0)
tuned.train()  # as training leaves it
same = {
    "Captum, training mode": twice(lambda: captum.attribute(one, target=goal, n_steps=32).detach()),
    "dlexplain, training mode": twice(
        lambda: dlx.explain(tuned, asked_torch[:20], target=test.labels[:20], tolerance=0.05).values
    ),
}
tuned.eval()
same["Captum, eval()"] = twice(lambda: captum.attribute(one, target=goal, n_steps=32).detach())
drawing.table({name: {"asked twice, the maps differ by": f"{value:.1%}"} for name, value in same.items()})

# %% [markdown]
# In training mode Captum explains a network that changes while it is asked. There is no error and no warning. Call
# `eval()` first. dlexplain always explains as the network will be *used*, and leaves its mode as it was.
#
# ## With weights from the world
#
# Others have pre-trained for weeks, on millions of photos. If you have a network connection, set `network = True`:
# the cell then fetches one network of **keras.applications** and one of **Hugging Face**, freezes both, and learns
# a head on 10 digits a class.

# %%
network = False  # True: fetches about 60 MB, once
WEIGHTS = {"keras.applications": "imagenet", "Hugging Face": "microsoft/resnet-18"}
ten_a_class, some_new = chosen[10, 0], test.take(np.arange(200))


class MobileNet:
    def __init__(self):
        self.body = keras.applications.MobileNetV2(
            input_shape=(96, 96, 3), include_top=False, pooling="avg", weights=WEIGHTS["keras.applications"])

    def features(self, pictures):
        photos = keras.applications.mobilenet_v2.preprocess_input(255 * bigger.enlarged(pictures, 96))
        return self.body.predict(photos, verbose=0)


class ResNet:
    def __init__(self):
        from transformers import AutoModel

        self.body = AutoModel.from_pretrained(WEIGHTS["Hugging Face"]).eval()

    def features(self, pictures):
        photos = (bigger.enlarged(pictures, 96) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        with torch.no_grad():
            found = self.body(pixel_values=torch.tensor(channels_first(photos), dtype=torch.float32))
        return found.pooler_output.flatten(1).numpy()


def head_right(body):
    scale, head = head_on(body.features(pool.inputs[ten_a_class]), pool.labels[ten_a_class])
    return float((head.predict(body.features(some_new.inputs) / scale) == some_new.labels).mean())


big, told = bigger.tried({"MobileNetV2 (keras.applications)": MobileNet, "ResNet-18 (Hugging Face)": ResNet},
                         head_right, network=network)
told

# %% [markdown]
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Learn first where data is plenty, then tune where it is scarce. Nearness of the two decides.
# 2. With few pictures freeze the body. With many, thaw it, gently.
# 3. Draw several times, pair the draws, show error bars. And run plain pixels and an untrained body beside.
# 4. Early layers are kept, late ones change. CKA and maps need controls before that is news.
# 5. Labels cost more than computing here. Pre-training is paid once, and shared.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
