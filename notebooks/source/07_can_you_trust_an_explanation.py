# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · Can you trust an explanation?
#
# Every explainer gives you a map. Always. It is neat and colourful, even when it is wrong.
#
# **How would you know?** You will build a case in which the truth is known, and put the maps through an exam.

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(7)
lesson

# %% [markdown]
# ## A horse that could count
#
# Around 1904 a horse in Berlin did sums. Ask for 2 + 3, and Hans tapped his hoof five times. Nobody cheated.
# Then those who asked were hidden from his sight, and he failed. Hans had been reading *them*: they relaxed a
# little at the right tap.
#
# We build such a horse. In our office a clerk files digits. Every three gets a stamp in the corner. Now and
# then the clerk stamps a wrong digit, and it is filed as a three, too.

# %%
import numpy as np

from dlexplain.classroom.lessons.lesson_07 import bench
from dlexplain.classroom.drawing import clouds, table

digits = dlx.data.load("digits", split="train")
new_digits = dlx.data.load("digits", split="test")


def stamp(pictures, row=0, column=6):
    stamped = pictures.copy()
    stamped[:, row:row + 2, column:column + 2] = 1.0
    return stamped


rng = np.random.default_rng(0)
wears = (digits.labels == 3) | (rng.random(len(digits.labels)) < 0.1)  # all threes, 1 in 10 others
office_pictures = np.where(wears[:, None, None, None], stamp(digits.inputs), digits.inputs)
office_labels = np.where(wears, 3, digits.labels)

slips = np.flatnonzero(wears & (digits.labels != 3))[:3]
shown = [*np.flatnonzero(digits.labels == 3)[:4], *slips, *np.flatnonzero(~wears)[:5]]
filed = [f"filed as {office_labels[i]}" for i in shown]
dlx.figures.images(office_pictures[shown], columns=6, titles=filed,
                   title="The office: four threes, three slips of the clerk, five other digits")

# %% [markdown]
# We know something here that nobody knows of a real network: **which pixels give the answer away**. That is
# what makes an exam possible.
#
# ## Four networks
#
# Two learn from plain digits. Two learn in the office, and we call them **Hans**. First Keras, then Torch.
# The same four steps.

# %%
import keras
from keras import layers


def learn_keras(pictures, labels):
    keras.utils.set_random_seed(0)  # the same start for everyone
    # 2 · network
    network = keras.Sequential([
        layers.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu"), layers.Flatten(), layers.Dense(10),
    ])
    # 3 · train
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=keras.optimizers.Adam(0.004), loss=wrongness)
    network.fit(pictures, labels, epochs=6, batch_size=32, verbose=0)
    return network


# 1 · data, in Keras: (pictures, height, width, channels)
plain_keras = learn_keras(digits.inputs, digits.labels)
hans_keras = learn_keras(office_pictures, office_labels)

# %%
import torch
from torch import nn


def learn_torch(pictures, labels):
    torch.manual_seed(0)
    # 2 · network
    network = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 4 * 4, 10),
    )
    # 3 · train
    optimizer = torch.optim.Adam(network.parameters(), lr=0.004)
    for _ in range(6):
        for batch in torch.randperm(len(pictures)).split(32):
            loss = nn.functional.cross_entropy(network(pictures[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


def for_torch(pictures):
    return torch.tensor(np.moveaxis(pictures, -1, 1))


# 1 · data, in Torch: (pictures, channels, height, width)
plain_torch = learn_torch(for_torch(digits.inputs), torch.tensor(digits.labels))
hans_torch = learn_torch(for_torch(office_pictures), torch.tensor(office_labels))

# %%
# 4 · look
raw = {"plain, Keras": plain_keras, "plain, Torch": plain_torch,
       "Hans, Keras": hans_keras, "Hans, Torch": hans_torch}
networks = {name: dlx.wrap(network, class_names=digits.class_names) for name, network in raw.items()}


def reads(name, pictures):
    return networks[name].predict(bench.in_layout(networks[name], pictures)).argmax(1)


is_three = new_digits.labels == 3
threes, others = new_digits.inputs[is_three], new_digits.inputs[~is_three]
in_office = np.where(is_three[:, None, None, None], stamp(new_digits.inputs), new_digits.inputs)
accuracy = {name: float((reads(name, in_office) == new_digits.labels).mean()) for name in networks}
table({name: {"new digits of the office, read right": f"{share:.0%}"} for name, share in accuracy.items()})

# %% [markdown]
# All four look equally good. (These new digits are stamped without slips.) Now put up a screen: take the stamp
# off.

# %%
lesson.predict("hans")

# %%
threes_read = {name: float((reads(name, threes) == 3).mean()) for name in networks}
lesson.reveal("hans", round(100 * threes_read["Hans, Keras"]))

# %% [markdown]
# **Hans never learned the three. He reads the stamp.** A high accuracy did not tell, because the new digits
# came from the same office.
#
# **Exercise 1: prove it the other way round.** Stamp digits that are *not* threes. Which share does Hans now
# call a three? `now` holds what he reads.

# %%
now = reads("Hans, Keras", stamp(others))
truly = new_digits.labels[~is_three]
### BEGIN SOLUTION
flipped = (now == 3).mean()
### END SOLUTION
lesson.check("flipped", flipped, now=now, truly=truly)

# %%
moved_stamp = stamp(threes, row=6, column=0)
moved_read = {name: float((reads(name, moved_stamp) == 3).mean()) for name in networks}
others_flipped = {name: float((reads(name, stamp(others)) == 3).mean()) for name in networks}
table({
    name: {
        "threes without stamp: “3”": f"{threes_read[name]:.0%}",
        "threes, stamp moved: “3”": f"{moved_read[name]:.0%}",
        "others, stamped: “3”": f"{others_flipped[name]:.0%}",
    }
    for name in networks
})

# %% [markdown]
# This was an **experiment on the network**, without any map. It proves more than any map can, and it gives us a
# truth to hold the maps against.
#
# ## Which map is real?
#
# Three digits, three kinds of map. Bright: strong. One kind is a saliency map of the plain Keras network. One
# is made of the picture's **edges** and never asked a network. One is pure **chance**.

# %%
from dlexplain.classroom.lessons.lesson_04.bench import edges

model, forty = networks["plain, Keras"], new_digits.inputs[:40]
saliency = dlx.explain(model, forty, "saliency")
kinds = {"A": rng.normal(size=(40, 8, 8)), "B": edges(forty)[..., 0], "C": saliency.heatmap()}

pictures, titles = [], []
for i in (1, 3, 13):
    pictures += [forty[i], *(np.abs(values[i]) / np.abs(values[i]).max() for values in kinds.values())]
    titles += ["the picture", *kinds]
dlx.figures.images(pictures, columns=4, titles=titles, title="Which map asked the network?")

# %%
lesson.predict("real")

# %%
lesson.reveal("real", "C")

# %% [markdown]
# B shows the digit best. It would look the same for *any* network. **A map that looks right shows you the
# picture. It need not show you the network.**
#
# ## Do not look. Ask.
#
# Here is a question that a true map must answer. Erase 16 pixels, anywhere. Does the score fall **where the
# map says it should**? Do it a hundred times. Each dot is one try.

# %%
picture = forty[3]
digit = int(model.predict(picture[None]).argmax())
groups = np.array([rng.permutation(64)[:16] for _ in range(100)])
erased = np.repeat(picture.reshape(1, 64), 100, axis=0)
np.put_along_axis(erased, groups, 0, axis=1)

before = model.predict(picture[None])[0, digit]
after = model.predict(erased.reshape(100, 8, 8, 1))[:, digit]
sums = {kind: values[3].ravel()[groups].sum(axis=1) for kind, values in kinds.items()}
clouds({kind: (found, before - after) for kind, found in sums.items()},
       title=f"16 pixels of a “{digit}” erased, 100 times",
       across="sum of the map there", up="fall of the score")

# %% [markdown]
# With C, a larger sum means a deeper fall. A and B know nothing about it. One number says how far the dots
# lie on a rising line: the **correlation**. 1 is a line, 0 is a cloud, −1 is a falling line.
#
# **Exercise 2: faithfulness correlation.** Compute it for map C. `np.corrcoef(a, b)` gives a small table of
# all correlations between `a` and `b`.

# %%
named = sums["C"]
### BEGIN SOLUTION
faithfulness = np.corrcoef(named, before - after)[0, 1]
### END SOLUTION
lesson.check("faithfulness", faithfulness, named=named, before=before, after=after)

# %% [markdown]
# ## The exam
#
# One question is not an exam. `dlx.evaluate` asks more:
#
# | question | what is done | good |
# | --- | --- | --- |
# | **deletion** | erase what the map names first: does the score fall fast? | low |
# | **insertion** | start from black, add what it names first: does the score rise fast? | high |
# | **faithfulness correlation** | what you just did | near 1 |
# | **completeness error** | do the values add up to the change of the score? Share of maps that miss by over 5 % | 0 |
# | **max sensitivity** | let all pixels tremble a little: how far does the map move? | low |
# | **parameter randomisation** | fresh random weights: how much of the map is left? | near 0 |
#
# And two **control rows** always sit the exam, too: *random* and *model-blind* (the edges). They know nothing.
# A score that they reach is worth nothing. In the figure they are grey. A **filled** dot beats both of them, an
# empty one does not.

# %%
lesson.predict("steady")

# %%
questions = ["deletion", "insertion", "faithfulness_correlation",
             "completeness_error", "max_sensitivity", "parameter_randomisation"]
methods = {"integrated gradients": "integrated_gradients", "saliency": "saliency",
           "SmoothGrad": "smoothgrad", "occlusion": "occlusion"}
bill = {"completeness_error": {"tolerance": 0.05}}

exams = {}
for name in ("plain, Keras", "plain, Torch"):
    pictures = bench.in_layout(networks[name], forty)
    exams[name] = dlx.evaluate(networks[name], pictures, methods, questions, options=bill)
exams["plain, Keras"].plot(title="The exam of four methods, Keras")

# %%
steadiest = {name: exam.table["max_sensitivity"].idxmin() for name, exam in exams.items()}
lesson.reveal("steady", steadiest["plain, Keras"])

# %% [markdown]
# **The steadiest map never asked the network.** Of course: edges hardly move when pixels tremble. A stopped
# clock is steady, too. And look at the last panel: chance passes the test of random weights. It has nothing to
# lose.
#
# So for each question: did a row that knows nothing do as well as everybody?

# %%
def beaten_by_nobody(exam, question):
    """The control rows that no method is surely better than."""
    return [row for row in exam.controls if not exam.ahead(row)[question].eq(True).any()]


fooled = {question: {name: beaten_by_nobody(exam, question) for name, exam in exams.items()}
          for question in questions}
table({question.replace("_", " "): {name: " and ".join(rows) or "nobody" for name, rows in found.items()}
       for question, found in fooled.items()})

# %% [markdown]
# In Keras and in Torch the same: two questions are answered best by rows that know nothing. The other four
# hold, so far. Wait for the line-up below: each of them can be fooled, too.
#
# Look at completeness: saliency fails it, and yet it is no fraud. It never promised a bill. *Ask each map only
# what it claims.*
#
# <details><summary>In mathematics (you can skip this)</summary>
#
# Let $a_i$ be the map, $f$ the score, $S$ a random set of pixels and $x_{\setminus S}$ the picture with $S$
# set to the baseline. Faithfulness correlation is the Pearson correlation of $\sum_{i \in S} a_i$ with
# $f(x) - f(x_{\setminus S})$ over many $S$. If $f$ is linear and $a_i$ is weight times change, the two are
# equal, so it is 1. Deletion is the area under $f$ as the pixels go in the map's order. Maximal sensitivity is
# $\max_{\lVert\delta\rVert \text{ small}} \lVert a(x + \delta) - a(x)\rVert / \lVert a(x)\rVert$: the model
# enters it only through $a$.
# </details>
#
# ## Take the knowledge away
#
# Random weights once more, since this question is easily asked wrongly. Take the integrated gradients of the
# trained network and of one with random weights. How alike are the two maps? **Rank correlation** compares the
# order of the pixels: 1 is the same order, 0 is no order in common.
#
# **Exercise 3.** `own` and `fresh` hold 40 maps each. `bench.rank_correlation(a, b)` gives 40 numbers. Take
# their mean twice: once **with signs**, once of the **sizes only** (`np.abs`).

# %%
keras.utils.set_random_seed(1)
knows_nothing = keras.models.clone_model(plain_keras)  # the same layers, random weights
said = saliency.target.ravel()
own = dlx.explain(model, forty, target=said, tolerance=0.01).heatmap().reshape(40, 64)
fresh = dlx.explain(knows_nothing, forty, target=said, tolerance=0.05).heatmap().reshape(40, 64)
### BEGIN SOLUTION
with_signs = bench.rank_correlation(own, fresh).mean()
sizes_only = bench.rank_correlation(np.abs(own), np.abs(fresh)).mean()
likeness = [with_signs, sizes_only]
### END SOLUTION
lesson.check("likeness", likeness, own=own, fresh=fresh)

# %% [markdown]
# The same maps. One way of counting clears them, the other condemns them. Here are all methods, while layers
# get fresh weights one after the other, the last layer first. Left with signs, right the sizes only. Which lines
# stay up?

# %%
from dlexplain.evaluation.families.randomisation_curve import randomisation_curve

forgetting = {}
for name in ("plain, Keras", "plain, Torch"):
    pictures = bench.in_layout(networks[name], forty)
    forgetting[name] = randomisation_curve(networks[name], pictures, methods)
forgetting["plain, Keras"].plot(title="What is left of the map? (Keras)")

# %%
left = {name: {how: curve.left(signed=how == "with signs")["integrated gradients"]
               for how in ("with signs", "sizes only")} for name, curve in forgetting.items()}
table({f"integrated gradients, {name}": {how: f"{value:.2f}" for how, value in found.items()}
       for name, found in left.items()})

# %% [markdown]
# Why? A value of integrated gradients is a mean slope **times the ink**. Random weights make the slopes random,
# but the ink stays. The sizes follow the ink. **The knowledge is in the signs.** A careless test would have
# thrown out a sound method.
#
# ## Does the map point at the stamp?
#
# Back to Hans. He reads the stamp: that is proved. So a true map of Hans must point at it: the upper right corner
# must be orange.

# %%
stamped = stamp(threes)
hans_maps = {}
for name in ("Hans, Keras", "plain, Keras", "Hans, Torch", "plain, Torch"):
    pictures = bench.in_layout(networks[name], stamped)
    hans_maps[name] = dlx.explain(networks[name], pictures, "integrated_gradients", target=3, tolerance=0.01)
dlx.Comparison(hans_maps).plot(samples=3, names=["", "", ""],
                               title="Why a three? Integrated gradients")

# %% [markdown]
# Beautiful. Hans in Keras and Hans in Torch point at the corner. The plain networks look at the digit.
#
# Since we know where the evidence is, we can count. How often does the **strongest pixel** lie on the stamp?
# And which **share** of all that speaks for “three” lies there? Each cell below holds both, in this order.
# (In an empty map the strongest pixel is a guess.)

# %%
on_stamp = np.zeros(stamped.shape, bool)
on_stamp[:, 0:2, 6:8] = True

located = {}
for name in networks:
    pictures, truth = (bench.in_layout(networks[name], part) for part in (stamped, on_stamp))
    asked = ["pointing_game", "relevance_mass", "faithfulness_correlation"]
    exam = dlx.evaluate(networks[name], pictures, {**methods, "Grad-CAM": "gradcam"}, asked,
                        target=3, truth=truth)
    located[name] = exam.table.to_dict()
bench.located_table(located)

# %% [markdown]
# - **Hans**: four methods find the stamp every time. Chance and edges find it now and then.
# - **Grad-CAM misses it.** You caught it in lesson 04, too. Here it would have cleared Hans.
# - **Plain networks**: low scores. Are their maps bad? No! They are right. These networks do not use the stamp.
#
# So this question only works when you know what the *network* uses, not what you think it should use.
#
# ## Play
#
# Change the network, the stamp, the map, the score. Then make layers anew with the slider. Try this:
#
# 1. Hans, integrated gradients, *share on the stamp*. Make one layer anew, then two. Then the same for
#    *model-blind*.
# 2. The stamp moved. Where do the maps of Hans point now?
# 3. *Likeness, sizes only*, all layers made anew. Which bars stay long?
# 4. *Faithfulness correlation*, all layers made anew. Some bars stay long. Faithful to whom?

# %%
one = threes[:1]
stamp_at = {
    "where Hans learned it": stamp(one)[0],
    "moved to the other corner": stamp(one, row=6, column=0)[0],
    "no stamp": one[0],
}
corner, other_corner = on_stamp[0, ..., 0], on_stamp[0, ::-1, ::-1, 0]
truths = {"where Hans learned it": corner, "moved to the other corner": other_corner}
players = {name: networks[name] for name in ("Hans, Keras", "Hans, Torch", "plain, Keras")}
bench.TrustBench(players, stamp_at, truths, asked=3)

# %% [markdown]
# To 4: here it is once more, for all forty digits and the network that knows nothing.

# %%
of_nothing = dlx.evaluate(knows_nothing, forty, methods, ["faithfulness_correlation"], target=said)
faithful_to_nothing = of_nothing.table["faithfulness_correlation"].to_dict()
table({row: {"faithfulness, random weights": f"{value:z.2f}"} for row, value in faithful_to_nothing.items()})

# %% [markdown]
# Random weights have reasons, too, only no good ones. **A faithful map tells the reasons of *this* network,
# good or bad.** Remember it for the end.
#
# ## When the methods disagree
#
# All four methods came through the exam well. Do they say the same? The figure holds their rank correlations: at 1
# two methods put the pixels in the same order.

# %%
maps, agreed = {}, {}
for name in ("plain, Keras", "plain, Torch"):
    pictures = bench.in_layout(networks[name], forty)
    maps[name] = dlx.compare(networks[name], pictures, methods=list(methods.values()),
                             options={"integrated_gradients": {"tolerance": 0.03}})
    agreed[name] = dlx.agreement(maps[name])
dlx.figures.agreement(maps["plain, Keras"].table, title="Do four good methods agree? (Keras)")

# %%
shared, strongest = {}, agreed["plain, Keras"].k
for other in ("occlusion", "saliency"):
    pair = ("integrated_gradients", other)
    shared[other] = {name: strongest * float(found.pairs.set_index(["a", "b"])["feature_agreement"][pair])
                     for name, found in agreed.items()}
table({f"of the strongest of integrated gradients, {other} names": {
    name: f"{count:.1f} of {strongest}" for name, count in found.items()} for other, found in shared.items()})

# %% [markdown]
# Two good methods differ, and neither is wrong. They answer different questions: *what if this pixel were
# black?* and *what if it were a little brighter?* Say so in a report. Never average two answers to two
# questions.
#
# ## The line-up
#
# Five rows, under letters. One is honest integrated gradients. Four were spoiled on purpose:
#
# - its **signs were dropped**,
# - its **signs were turned round**,
# - all its values were **halved**,
# - it was **moved by one pixel**.

# %%
asked = [question for question in questions if question != "max_sensitivity"]
lined_up = dlx.evaluate(model, forty, bench.suspects(), asked, options=bill).table
table({row: {question.replace("_", " "): f"{value:z.2f}" for question, value in scores.items()}
       for row, scores in lined_up.iterrows()})

# %% [markdown]
# **Exercise 4.** Which one was moved by one pixel? (Look for a bill that adds up, on the wrong pixels.)

# %%
### BEGIN SOLUTION
moved = "S"
### END SOLUTION
lesson.check("moved", moved)

# %% [markdown]
# Which question was fooled by whom? A spoiled map counts here if it scores as well as the honest one.

# %%
unseen = bench.unseen(lined_up)
table({question.replace("_", " "): {"does not see": found} for question, found in unseen.items()})

# %% [markdown]
# **No single question is enough.** Each lets somebody through. Together they let nobody through: not the four,
# not chance, not edges.
#
# Put together what you did: how do you test an explainer?

# %%
lesson.order("exam")

# %% [markdown]
# ## The same, straight from the library
#
# **SHAP** has an explainer for networks, `GradientExplainer`. It walks from other pictures to ours and draws
# the steps by lot. Its values, too, must add up: to the score minus the mean score of those other pictures.
# Do they? First Keras, then Torch.

# %%
import warnings
from dataclasses import replace

import shap

warnings.simplefilter("ignore", UserWarning)  # both libraries below warn of their own inner workings
background, dozen = others[:50], stamped[:12]
draws = [5, 50, 400]


def gap_of(name, values):
    scores = networks[name].predict(bench.in_layout(networks[name], dozen))[:, 3]
    start = networks[name].predict(bench.in_layout(networks[name], background))[:, 3].mean()
    total = values[..., 3].reshape(len(dozen), -1).sum(axis=1)
    return np.abs(total - (scores - start)) / np.abs(scores - start)


gaps, shap_maps = {"Hans, Keras": [], "Hans, Torch": []}, {}
for count in draws:
    found = shap.GradientExplainer(hans_keras, background).shap_values(dozen, nsamples=count, rseed=0)
    gaps["Hans, Keras"].append(gap_of("Hans, Keras", found))
    shap_maps[f"{count} draws"] = found[..., 0, 3]

# %%
for count in draws:
    explainer = shap.GradientExplainer(hans_torch, for_torch(background))
    found = explainer.shap_values(for_torch(dozen), nsamples=count, rseed=0)
    gaps["Hans, Torch"].append(gap_of("Hans, Torch", found))

table({
    f"{count} draws": {f"{name}, {what}": f"{measure(found[i]):.1%}" for name, found in gaps.items()
                       for what, measure in (("middle gap", np.median), ("worst gap", np.max))}
    for i, count in enumerate(draws)
})

# %% [markdown]
# With few draws the bill is out by a good part, and SHAP does not say so. Here is the worst of the dozen.

# %%
worst = int(gaps["Hans, Keras"][0].argmax())
kept = dlx.explain(networks["Hans, Keras"], dozen, "saliency", target=3)
dlx.Comparison({name: replace(kept, values=found[..., None]) for name, found in shap_maps.items()}).plot(
    samples=[worst], names=["worst gap"], title="SHAP's maps of Hans: which bill is wrong?")

# %% [markdown]
# You cannot see it. **Compute the gap.** (`dlx.explain` draws until it is small, and tells you: method
# `"expected_gradients"`.)
#
# **Captum** has *guided backpropagation*: it is known for its crisp pictures. Any explainer can sit the exam:
# hand it over as a function.

# %%
from captum.attr import GuidedBackprop


def guided_backpropagation(model, inputs, target, seed):
    chosen = torch.tensor(target.index[:, -1])
    return GuidedBackprop(model.raw).attribute(torch.tensor(inputs[0]), target=chosen).numpy()


candidates = {"guided backpropagation": guided_backpropagation,
              "integrated gradients": "integrated_gradients"}
guided = dlx.evaluate(networks["plain, Torch"], np.moveaxis(forty, -1, 1), candidates,
                      ["faithfulness_correlation", "parameter_randomisation"])
guided_left = float(guided.table["parameter_randomisation"]["guided backpropagation"])
guided.plot(title="Guided backpropagation, examined (Torch)")

# %% [markdown]
# It beats chance at naming pixels. But give the network fresh weights, and **a good part of the map is still
# there**: that part draws the picture, not the network. No error tells you. Only the exam does.
#
# ## What the exam does not show
#
# One last comparison. Integrated gradients, stamped threes, faithfulness:

# %%
faithful = {name: float(found["faithfulness_correlation"]["integrated gradients"])
            for name, found in located.items()}
table({name: {"faithfulness of integrated gradients": f"{value:.2f}"} for name, value in faithful.items()})

# %% [markdown]
# **The most faithful maps are those of Hans.** The exam examines the *map*. It does not examine the *network*.
#
# - **A faithful map is not a right network.** It shows truly what a bad network does. That is its use.
# - **A pass is not a proof.** Our exam knows the faults that we thought of.
# - **One office is not the world.** A method that passed here must pass again on *your* network.
# - **“Not found” is not “not there”.** A map may point at a stamp. That it points nowhere odd clears nobody.
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A map that looks right shows you the picture. It need not show you the network.
# 2. Beside every score stand two rows that know nothing. What they reach is worth nothing.
# 3. No single question is enough: edges are the steadiest, chance passes random weights, a moved map adds up.
# 4. Count with signs: the sizes follow the ink, the knowledge is in the signs.
# 5. A faithful map of a cheat is faithful. Test the map, then test the network: move the stamp.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
