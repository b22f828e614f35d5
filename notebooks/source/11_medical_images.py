# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · Medical images
#
# A network looks for dark spots in medical pictures. In its own hospital it is nearly always right. Another hospital
# wants to buy it.
#
# **May a hospital rely on this?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(11)
lesson

# %%
from itertools import pairwise

import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_07.bench import in_layout
from dlexplain.classroom.lessons.lesson_11 import bench, clinic

house = clinic.tiles(600, "house", marks=(0.97, 0.03), seed=1)  # new pictures of our own hospital

shown = [*np.flatnonzero(house.sick == 1)[:6], *np.flatnonzero(house.sick == 0)[:6]]
kinds = [f"{'sick' if house.sick[i] else 'healthy'}, {clinic.MATERIALS[house.material[i]]}" for i in shown]
dlx.figures.images(house.pictures[shown], columns=6, titles=kinds, title="Our hospital: sick and healthy")

# %% [markdown]
# The small pictures (**tiles**) are cut from two real ones: the back of a human **eye**, and a piece of stained
# **tissue** under a microscope.
#
# - The **lesions** are planted: soft dark spots, darker or fainter. So we know for each pixel whether it belongs to one.
# - The white **L** in the corner is burnt in by **one scanner**. It stands in the ward where most patients are sick.
#
# This has happened. A network for pneumonia read the metal markers on chest X-rays, and with them which hospital and
# ward a picture came from.
#
# ## Three piles of pictures
#
# - **learn**: our hospital. To learn from.
# - **house**: our hospital, new pictures.
# - **field**: *another* hospital. There the scanner stands in the corridor: half of all bear the mark, sick or not.
#
# Each pile is cut from its own part of the eye and the tissue. They share no pixel. (Why? Lesson 08: neighbours leak.)

# %%
learn = clinic.tiles(2400, "train", marks=(0.97, 0.03), seed=0)
field = clinic.tiles(600, "field", marks=(0.5, 0.5), seed=2)

piles = {"learn": learn, "house": house, "field": field}
draw.table({name: {"tiles": f"{len(pile)}", "sick": f"{(pile.sick == 1).mean():.0%}",
                   "sick with mark": f"{pile.marked[pile.sick == 1].mean():.0%}",
                   "healthy with mark": f"{pile.marked[pile.sick == 0].mean():.0%}"}
            for name, pile in piles.items()})

# %% [markdown]
# ## Two networks, in Keras and in Torch
#
# Two small convolutional networks (lesson 02) learn from the first pile. For each tile they give two scores: healthy, sick.

# %%
import keras
from keras import layers


def learn_keras(pictures, sick):
    keras.utils.set_random_seed(0)  # the same start for everyone
    # 2 · network
    network = keras.Sequential([
        layers.Input((24, 24, 1)),
        layers.Conv2D(8, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(2),  # a score for healthy, a score for sick
    ])
    # 3 · train
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=keras.optimizers.Adam(0.003), loss=wrongness)
    network.fit(pictures, sick, epochs=15, batch_size=32, verbose=0)
    return network


# 1 · data, in Keras: (pictures, height, width, channels)
before_keras = learn_keras(learn.pictures, learn.sick)

# %%
import torch
from torch import nn


def learn_torch(pictures, sick):
    torch.manual_seed(0)
    pictures, sick = torch.tensor(pictures), torch.tensor(sick)
    # 2 · network
    network = nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 4 * 4, 2),
    )
    # 3 · train
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    for _ in range(15):
        for batch in torch.randperm(len(pictures)).split(32):
            loss = nn.functional.cross_entropy(network(pictures[batch]), sick[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


def for_torch(pictures):
    return np.moveaxis(pictures, -1, 1).copy()


# 1 · data, in Torch: (pictures, channels, height, width)
before_torch = learn_torch(for_torch(learn.pictures), learn.sick)

# %%
# 4 · look
names = ["healthy", "sick"]
networks = {"Keras": dlx.wrap(before_keras, class_names=names),
            "Torch": dlx.wrap(before_torch, class_names=names)}


def chance(name, pictures):
    """The chance of “sick” that a network tells."""
    scores = networks[name].predict(in_layout(networks[name], pictures))
    return 1 / (1 + np.exp(scores[:, 0] - scores[:, 1]))


def right(name, pile):
    return float(((chance(name, pile.pictures) > 0.5) == pile.sick).mean())


at_home = {name: right(name, house) for name in ("Keras", "Torch")}
Markdown("New pictures of our own hospital: "
         + ", ".join(f"**{share:.0%}** right in {name}" for name, share in at_home.items()) + ".")

# %% [markdown]
# Doctors do not say “right”. They ask two things:
#
# - **sensitivity**: of all the **sick**, which share gets an alarm?
# - **specificity**: of all the **healthy**, which share gets none?
#
# **Exercise 1: the doctors' two numbers.** Compute both for the Keras network: `measures = [sensitivity, specificity]`.
# `says_sick` is true where it gives an alarm, `sick` where the patient is sick.

# %%
says_sick = chance("Keras", house.pictures) > 0.5
sick = house.sick == 1
### BEGIN SOLUTION
measures = [says_sick[sick].mean(), (~says_sick)[~sick].mean()]
### END SOLUTION
lesson.check("measures", measures, says_sick=says_sick, sick=house.sick)

# %% [markdown]
# ## Another hospital
#
# The same scanner, the same disease, the same share of sick. Only: there the mark says nothing.

# %%
lesson.predict("field")

# %%
away = {name: right(name, field) for name in ("Keras", "Torch")}
lesson.reveal("field", round(100 * away["Keras"]))

# %%
groups = {
    f"{who}, {mark}": (field.sick == is_sick) & (field.marked == has)
    for is_sick, who in ((1, "sick"), (0, "healthy")) for has, mark in ((True, "mark"), (False, "no mark"))
}
right_in = {name: {group: right(name, field.take(those)) for group, those in groups.items()}
            for name in ("Keras", "Torch")}
draw.table({name: {group: f"{share:.0%} right" for group, share in found.items()}
            for name, found in right_in.items()})

# %% [markdown]
# Look at the two columns in the middle. Sick without a mark: many are missed. Healthy with a mark: most get an alarm.
#
# Prove it with an **experiment**. Take healthy tiles without a mark. Burn the mark in, and nothing else.

# %%
healthy = field.take(field.sick == 0)


def flipped(name):
    """Healthy tiles: the share with an alarm, with the mark less without."""
    alarm = [(chance(name, tiles) > 0.5).mean() for tiles in (clinic.mark(healthy.bare), healthy.bare)]
    return float(alarm[0] - alarm[1])


flips = {name: flipped(name) for name in ("Keras", "Torch")}
Markdown("Of the healthy go over to “sick”: "
         + ", ".join(f"**{share:.0%}** in {name}" for name, share in flips.items()) + ".")

# %% [markdown]
# **The network reads the scanner.** No count of right answers at home could show it: there, the mark *is* a good sign.
#
# ## What does a map show?
#
# A map could have warned us. We take **integrated gradients** (lesson 04). The walk starts at an even **grey**, the
# mean of every tile: “nothing special here”. In the maps, **orange** speaks for “sick”. Compare the corner with the spot.

# %%
lesson.predict("where")

# %%
sick_marked = field.take(np.flatnonzero((field.sick == 1) & field.marked)[:40])
sick_bare = field.take(np.flatnonzero((field.sick == 1) & ~field.marked)[:40])


def explain(name, pile):
    pictures = in_layout(networks[name], pile.pictures)
    return dlx.explain(networks[name], pictures, target="sick", baseline=clinic.GREY)


maps = {name: explain(name, sick_marked) for name in ("Keras", "Torch")}
dlx.Comparison(maps).plot(samples=[0, 1, 2], names=["", "", ""],
                          title="Why “sick”? Three sick tiles with a mark")

# %%
the_mark = np.broadcast_to(clinic.where_mark(), sick_marked.lesions.shape)
strongest = {name: {"on the lesion": bench.hits(found.heatmap(), sick_marked.lesions),
                    "on the mark": bench.hits(found.heatmap(), the_mark)} for name, found in maps.items()}
most = max(strongest["Keras"], key=strongest["Keras"].get)
lesson.reveal("where", most)

# %% [markdown]
# You need not look at forty maps. You can count. The **pointing game**: in which share of the maps does the one
# strongest value lie on the lesion?
#
# **Exercise 2: the pointing game.** `maps` and `lesions` have the shape (tiles, 24, 24). `lesions` is true on the lesion.
# Give back the share.

# %%
def pointing(maps, lesions):
    flat = maps.reshape(len(maps), -1)  # a row a tile
    on_lesion = lesions.reshape(len(lesions), -1)
    ### BEGIN SOLUTION
    strongest = flat.argmax(axis=1)
    return on_lesion[np.arange(len(flat)), strongest].mean()
    ### END SOLUTION


lesson.check("pointing", pointing)

# %% [markdown]
# `dlx.evaluate` plays it for several kinds of map. Two rows always play along that know nothing: **random** throws
# dice, **model-blind** draws the edges of the tile and never asks the network. Compare “mark” with “no mark”.

# %%
methods = {"integrated gradients": "integrated_gradients", "occlusion": "occlusion", "saliency": "saliency"}


def located(name, pile, methods=methods):
    network = networks[name]
    pictures, truth = (in_layout(network, part) for part in (pile.pictures, pile.lesions[..., None]))
    exam = dlx.evaluate(network, pictures, methods, ["pointing_game", "relevance_mass"],
                        target=1, baseline=clinic.GREY, truth=truth)
    return exam.table.to_dict()


scores = {f"{name}, {what}": located(name, pile) for name in ("Keras", "Torch")
          for what, pile in (("mark", sick_marked), ("no mark", sick_bare))}


def score_table(score):
    return draw.table({row: {of: f"{found[score][row]:.0%}" for of, found in scores.items()}
                       for row in [*methods, "random", "model-blind"]})


score_table("pointing_game")

# %% [markdown]
# A second score is the **relevance mass**. Add up all that speaks for “sick” in a map. Which share of it lies on the lesion?

# %%
score_table("relevance_mass")

# %% [markdown]
# Read both slowly.
#
# - **With a mark** the strongest value leaves the lesion. The map tells the truth: this network reads the mark.
# - **Without a mark** the same network points at lesions like a doctor. Whoever tests on clean pictures only is reassured.
# - **Saliency** almost never hits. It is not broken. The lesion is *dark*: making it **brighter** lowers the score, so the
#   slope there is negative. A sign is an answer to a question. Know the question.
# - **Model-blind** hits now and then, without any network: a spot has edges. Only the lead over it counts.
#
# One more control: networks that have learned **nothing**.

# %%
untrained = []
for seed in range(5):
    keras.utils.set_random_seed(seed)
    blank = dlx.wrap(keras.models.clone_model(before_keras))
    found = dlx.explain(blank, sick_bare.pictures, target=1, baseline=clinic.GREY, tolerance=0.05).heatmap()
    untrained.append([bench.hits(found, sick_bare.lesions), bench.share(found, sick_bare.lesions)])
untrained_hits, untrained_mass = map(float, np.mean(untrained, axis=0))
trained_hits, trained_mass = (scores["Keras, no mark"][score]["integrated gradients"]
                              for score in ("pointing_game", "relevance_mass"))
known = {"five untrained networks, mean": (untrained_hits, untrained_mass),
         "the trained network (Keras)": (trained_hits, trained_mass)}
draw.table({who: {"pointing game": f"{hit:.0%}", "mass": f"{mass:.0%}"} for who, (hit, mass) in known.items()})

# %% [markdown]
# A shock: networks that know **nothing** win most of the pointing game. A dark spot stands out from grey, whoever looks.
# Most hits belong to the **picture**. The mass tells the trained network apart better. **Without this control, the hits
# would have looked like skill.**
#
# ## The audit
#
# An **audit** (lesson 18) puts a network through many checks. Would it have seen the fault, **with the pictures of our own
# hospital alone**? We ask three of its sections: 4 (is it right?), 7 (are the explainers sound?), 10 (shortcuts). The
# others are left out, to save time: NOT RUN.

# %%
lesson.predict("verdict")

# %%
from dlexplain.classroom.lessons.lesson_18 import pages

purpose = {"name": "Spot finder", "use": "tells a doctor which pictures to look at first",
           "users": "doctors of an eye ward", "harm": "a sick patient who is told to go home"}


def audit(name):
    network, some = networks[name], house.take(np.arange(120))
    return dlx.audit(network, in_layout(network, some.pictures), some.sick, class_names=names, card=purpose,
                     background=in_layout(network, learn.pictures[:40]), sections=[4, 7, 10], seed=0)


audits = {name: audit(name) for name in ("Keras", "Torch")}
pages.verdict(audits["Keras"], "The network as it is, Keras")

# %%
lesson.reveal("verdict", audits["Keras"].verdict)

# %% [markdown]
# The audit takes the two small places that lead the maps of the sick. It cuts them out and puts them into *healthy*
# pictures. If these go over to “sick”, a few pixels decide. See the first two pictures: what is in the frames?

# %%
pages.exhibit(audits["Keras"], 10)

# %% [markdown]
# **It did not know of any mark.** Does one of its frames stand on the L?
#
# What it cannot say: whether these pixels are a cheat or the disease. That takes someone who **looks at the place**.
#
# ## The repair
#
# The mark must tell nothing. We cannot take it off: the pixels below are gone. But we can burn it into **healthy**
# tiles, until both groups have it equally often.
#
# **Exercise 3: deal out marks.** `extra` says of each tile of `learn`, true or false: does it get an extra mark? `sick` and
# `marked` say what it is and has. `luck` holds a number from 0 to 1 for each, drawn by lot.

# %%
luck = np.random.default_rng(5).random(len(learn))
sick, marked = learn.sick == 1, learn.marked
### BEGIN SOLUTION
extra = ~sick & ~marked & (luck < marked[sick].mean())
### END SOLUTION
lesson.check("deal", extra, sick=learn.sick, marked=learn.marked)

# %%
chosen = (learn.sick == 0) & (luck < learn.marked[learn.sick == 1].mean())
mended = np.where(chosen[:, None, None, None], clinic.mark(learn.pictures), learn.pictures)

after_keras = learn_keras(mended, learn.sick)
after_torch = learn_torch(for_torch(mended), learn.sick)
networks["Keras, repaired"] = dlx.wrap(after_keras, class_names=names)
networks["Torch, repaired"] = dlx.wrap(after_torch, class_names=names)
print("learned anew: the same networks, the same tiles, other marks")

# %%
lesson.predict("repaired")

# %%
repaired_home = {name: right(f"{name}, repaired", house) for name in ("Keras", "Torch")}
lost_at_home = at_home["Keras"] - repaired_home["Keras"]
choices = ["better", "about the same", "worse"]
lesson.reveal("repaired", choices[int(lost_at_home > -0.01) + int(lost_at_home > 0.01)])

# %% [markdown]
# Now all four networks, before and after. (“Points at lesion” is counted on sick tiles with a mark.)

# %%
for name in ("Keras, repaired", "Torch, repaired"):
    audits[name] = audit(name)
    flips[name] = flipped(name)
    scores[f"{name}, mark"] = located(name, sick_marked, {"integrated gradients": "integrated_gradients"})

balance = {
    name: {"our hospital": right(name, house), "other hospital": right(name, field),
           "mark makes sick": flips[name],
           "points at lesion": scores[f"{name}, mark"]["pointing_game"]["integrated gradients"],
           "audit": audits[name].verdict}
    for name in networks
}
draw.table({name: {what: value if isinstance(value, str) else f"{value:z.0%}" for what, value in row.items()}
            for name, row in balance.items()})

# %% [markdown]
# **Worse at home, far better elsewhere.** The points lost at home were the mark's, never the network's. Who chooses by
# the score in the own hospital chooses the cheat.
#
# ## The light box
#
# Now you. Move the lesion. Hide the mark, or put it into another corner. Watch the chance and the map.
#
# 1. No lesion, mark on. Then hide the mark. Then choose the repaired network.
# 2. A faint lesion (10 %). Who still sees it?
# 3. Push the lesion towards the mark. Do the frames and the orange part company?

# %%
from dlexplain.classroom.lessons.lesson_11.lightbox import LightBox

plain = {f"{clinic.MATERIALS[m]} {k + 1}": healthy.bare[np.flatnonzero(healthy.material == m)[k]]
         for m in (0, 1) for k in (0, 1)}
LightBox(networks, plain)

# %% [markdown]
# ## How sure is sure?
#
# The network does not only say “sick”. It says “97 % sick”. A doctor will ask: of 100 patients told so, **how many are
# sick?** If it is 97, the network is **calibrated**.

# %%
lesson.predict("sure")

# %%
very_sure = chance("Keras", field.pictures) > 0.9
sure_and_sick = float((field.sick == 1)[very_sure].mean())
lesson.reveal("sure", round(100 * sure_and_sick))

# %%
sure_told = float(chance("Keras", field.pictures)[very_sure].mean())
Markdown(f"It had told them **{sure_told:.0%}**, on average. **{sure_and_sick:.0%}** are sick.")

# %% [markdown]
# Order the patients by chance, and cut them into eight groups. Each point is a group: what was **told**, and what was
# **found**. On the dotted line the network keeps its word. Look for the points far from it: which colour are they?

# %%
told = {(name, place): bench.reliability(chance(name, pile.pictures), pile.sick) for name in networks
        for place, pile in (("our hospital", house), ("other hospital", field))}
of_keras = {f"{'repaired' if 'repaired' in name else 'as it was'}, {place}": (found.told, found.found)
            for (name, place), found in told.items() if name.startswith("Keras")}
draw.points(of_keras, title="Does it keep its word? (Keras)", across="chance of “sick” that was told",
            up="share found sick", diagonal=True)

# %% [markdown]
# The network before the repair, in the other hospital: there the points stray. (Yellow squares.)
#
# **Exercise 4: one number.** The **calibration error** is the mean distance of told and found over all patients. Here are
# four groups of *unequal* size, from that network and that hospital. `told_in`, `found_in` and `count` have a number for
# each group.

# %%
chances, limits = chance("Keras", field.pictures), [0, 0.05, 0.5, 0.95, 1.001]
inside = [(chances >= low) & (chances < high) for low, high in pairwise(limits)]
count = np.array([those.sum() for those in inside])
told_in = np.array([chances[those].mean() for those in inside])
found_in = np.array([field.sick[those].mean() for those in inside])
### BEGIN SOLUTION
gap = (np.abs(told_in - found_in) * count).sum() / count.sum()
### END SOLUTION
lesson.check("gap", gap, told=told_in, found=found_in, count=count)

# %% [markdown]
# A usual cure is the **temperature**: divide all scores by one number. Above 1, the network becomes more modest. The
# order of the patients stays.
#
# First we choose the number with the answers of our own hospital. Then we pretend that we had the answers of the other
# one. The table has the calibration error, each time.

# %%
cure = {}
for name in networks:
    there = chance(name, field.pictures)
    by_home = bench.temperature(chance(name, house.pictures), house.sick)
    by_field = bench.temperature(there, field.sick)
    cure[name] = {
        "error at home": told[name, "our hospital"].gap,
        "error elsewhere": told[name, "other hospital"].gap,
        "… cured from home": bench.reliability(bench.tempered(there, by_home), field.sick).gap,
        "… cured from there": bench.reliability(bench.tempered(there, by_field), field.sick).gap,
        "the two temperatures": (by_home, by_field),
    }
draw.table({name: {what: f"{value[0]:.1f} and {value[1]:.1f}" if "two" in what else f"{value:.2f}"
                   for what, value in row.items()} for name, row in cure.items()})

# %% [markdown]
# At home the network before the repair keeps its word, so the home temperature has nothing to mend. Elsewhere it is
# **surely wrong**. **Calibration is a promise about one place.**
#
# With answers from there, a high temperature makes it modest. Modest, not right: it is wrong as often as before.
#
# ## One in a hundred
#
# In our piles half are sick. In a screening it is one in a hundred. What is an alarm worth there?
#
# **Exercise 5: true alarms.** Sensitivity and specificity are known, and the `rate`: the share of people who are sick. Of all
# **alarms**, which share is true?

# %%
def true_alarms(sensitivity, specificity, rate):
    ### BEGIN SOLUTION
    true = sensitivity * rate
    false = (1 - specificity) * (1 - rate)
    return true / (true + false)
    ### END SOLUTION


lesson.check("true_alarms", true_alarms)

# %%
alarm = chance("Keras, repaired", field.pictures) > 0.5
sensitivity = float(alarm[field.sick == 1].mean())
specificity = float((~alarm)[field.sick == 0].mean())
rates = {"1 in 2 (our piles)": 1 / 2, "1 in 10 (a ward)": 1 / 10, "1 in 100 (a screening)": 1 / 100,
         "1 in 1,000 (everybody)": 1 / 1000}
worth = {}
for who, rate in rates.items():
    true, false = sensitivity * rate, (1 - specificity) * (1 - rate)
    worth[who] = true / (true + false)
dlx.figures.bars(100 * np.array(list(worth.values())), list(worth), axis="true alarms, of 100",
                 title="The repaired network: what is an alarm worth?",
                 facts=[f"Sensitivity {sensitivity:.0%}, specificity {specificity:.0%} (other hospital)."])

# %% [markdown]
# The same network, the same skill. **How rare the disease is decides what an alarm is worth.** Ask for it before you sign.
#
# <details><summary>In mathematics (you can skip this)</summary>
#
# By Bayes, with sensitivity $s$, specificity $c$ and rate $p$:
# $P(\text{sick} \mid \text{alarm}) = \dfrac{s\,p}{s\,p + (1-c)(1-p)}$.
# The calibration error is $\sum_b \frac{n_b}{n} \lvert \bar p_b - \bar y_b \rvert$ over groups $b$ (expected calibration error).
# Temperature $T$ turns scores $z$ into $\operatorname{softmax}(z / T)$; it never changes which score is largest, so accuracy
# and the order of the patients stay.
# </details>
#
# ## The same, straight from the library
#
# **Captum** explains Torch networks. Its default start is zero. In a picture zero is **black**. We ask the repaired network
# about sick tiles, as Captum comes, and with grey.

# %%
from captum.attr import IntegratedGradients, Occlusion

tiles = torch.tensor(for_torch(sick_bare.pictures))
walk, cover = IntegratedGradients(after_torch), Occlusion(after_torch)
window = {"sliding_window_shapes": (1, 5, 5), "target": 1}
captum = {
    "integrated gradients from black": walk.attribute(tiles, target=1, n_steps=64),
    "integrated gradients from grey": walk.attribute(tiles, baselines=clinic.GREY, target=1, n_steps=64),
    "covered with black": cover.attribute(tiles, **window),
    "covered with grey": cover.attribute(tiles, baselines=clinic.GREY, **window),
}
captum_maps = {name: found.detach().numpy()[:, 0] for name, found in captum.items()}
captum_hits = {name: bench.hits(found, sick_bare.lesions) for name, found in captum_maps.items()}
dlx.figures.bars(100 * np.array(list(captum_hits.values())), list(captum_hits),
                 title="Captum, as it comes and with a start that we chose",
                 axis="strongest value on the lesion, %")

# %% [markdown]
# Black is no “nothing” here. **Black is a lesion.** Walking from black, the lesion is where *least* changes. Covering with
# black does not remove a spot: it paints one. There is no error and no warning. **In medicine, ask what “absent” looks like.**
#
# ## A study in order

# %%
lesson.order("steps")

# %% [markdown]
# ## May a hospital rely on this?

# %%
was, now = balance["Keras"], balance["Keras, repaired"]
found = {
    "Is it right elsewhere?": f"{was['other hospital']:.0%} before, {now['other hospital']:.0%} after",
    "Does it look at the disease?": f"with a mark, points at the lesion in {was['points at lesion']:.0%}, "
                                    f"then in {now['points at lesion']:.0%}",
    "Does it keep its word?": f"calibration error {cure['Keras']['error elsewhere']:.2f}, "
                              f"then {cure['Keras, repaired']['error elsewhere']:.2f}",
    "What is an alarm worth?": f"{worth['1 in 100 (a screening)']:.0%} are true, at 1 in 100",
    "What does the audit say?": f"{was['audit']}, then {now['audit']} (three sections of it)",
}
draw.table({question: {"before the repair, and after (Keras)": said} for question, said in found.items()})

# %% [markdown]
# **What this does not show.**
#
# - It is **one** eye and **one** piece of tissue. Other patients, other cameras: unknown.
# - Our lesions are painted. A real disease comes in more shapes, and doctors disagree about it.
# - We repaired **this** mark. Another sign (a ruler, a pen, a brighter lamp) may do the same harm. PASS says *not detected*.
# - “Points at the lesion” is not “understands the disease”. A dark speck of dust is a spot, too.
#
# So: not yet. Next comes a test in several hospitals, on real patients, with the threshold fixed *before*, and someone who
# watches it every day (lesson 17).
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A test in the own hospital cannot show a shortcut that holds there. Test elsewhere, and change the picture.
# 2. With a known lesion you can count where maps point. Let rows that know nothing play along.
# 3. The cheat has the better score at home. The repair costs points there, and wins them elsewhere.
# 4. A chance is a promise about one place. A temperature makes a network modest, not right.
# 5. What an alarm is worth depends on how rare the disease is. What a map says depends on what “absent” looks like.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
