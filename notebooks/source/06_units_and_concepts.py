# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Units and concepts
#
# A trained layer is a row of numbers. **What has it learned?** And does the network use it?
#
# You will ask single units, whole layers, and then the network itself about an idea of your own.

# %%
import dlexplain as dlx  # first: it keeps TensorFlow and Torch from ending the process together

lesson = dlx.classroom.lesson(6)
lesson

# %% [markdown]
# We begin with the digits that you know: 8 by 8 pixels.

# %%
import numpy as np
from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_06 import shapes as made

train, test = dlx.data.load("digits").split(0.25, seed=0)
dlx.figures.images(test.inputs[:10], titles=test.labels[:10], columns=10, title="Digits, and their labels")

# %% [markdown]
# ## Two networks for digits
#
# The same small network in Keras and in Torch, in the same four steps. We will look into three layers, with
# 8, 16 and 32 units:
#
# - `first`: eight filters, each with its map;
# - `second`: sixteen filters that lie on those maps;
# - `third`: 32 plain numbers. Behind it come the ten scores, `answer`.

# %%
import keras
from keras import layers


def network_keras(side, answers):
    return keras.Sequential([
        keras.Input((side, side, 1)),
        layers.Conv2D(8, 3, padding="same", activation="relu", name="first"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, padding="same", activation="relu", name="second"),
        layers.Flatten(),
        layers.Dense(32, activation="relu", name="third"),
        layers.Dense(answers, name="answer"),
    ])


def train_keras(network, pictures, labels):
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.003), wrongness)
    network.fit(pictures, labels, epochs=12, batch_size=32, verbose=0)
    return network


# 1 · data: (pictures, height, width, channels)
new_keras = test.inputs

# 2 · network
keras.utils.set_random_seed(0)  # the same start for everyone
net_keras = network_keras(8, answers=10)

# 3 · train
train_keras(net_keras, train.inputs, train.labels)

# 4 · look
read_keras = net_keras.predict(new_keras, verbose=0).argmax(1)
accuracy_keras = float((read_keras == test.labels).mean())
print(f"Keras reads {accuracy_keras:.1%} of {len(test.labels)} new digits right.")

# %%
import torch
from collections import OrderedDict
from torch import nn


def network_torch(side, answers):
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 8, 3, padding=1), first=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        conv2=nn.Conv2d(8, 16, 3, padding=1), second=nn.ReLU(),
        flat=nn.Flatten(),
        dense=nn.Linear(16 * (side // 2) ** 2, 32), third=nn.ReLU(),
        answer=nn.Linear(32, answers),
    ))


def channels_first(pictures):
    return np.ascontiguousarray(np.moveaxis(pictures, -1, 1))


def train_torch(network, pictures, labels):
    pictures, labels = torch.tensor(channels_first(pictures)), torch.tensor(labels)
    optimizer = torch.optim.Adam(network.parameters(), 0.003)
    for _ in range(12):
        for batch in torch.randperm(len(pictures)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(pictures[batch]), labels[batch]).backward()
            optimizer.step()
    return network.eval()


# 1 · data: (pictures, channels, height, width)
new_torch = channels_first(test.inputs)

# 2 · network
torch.manual_seed(0)
net_torch = network_torch(8, answers=10)

# 3 · train
train_torch(net_torch, train.inputs, train.labels)

# 4 · look
read_torch = net_torch(torch.tensor(new_torch)).argmax(1).numpy()
accuracy_torch = float((read_torch == test.labels).mean())
print(f"Torch reads {accuracy_torch:.1%} of {len(test.labels)} new digits right.")

# %% [markdown]
# ## Ask a unit
#
# Three questions to one unit: which pictures excite it most? What picture would excite it most? What becomes of
# the answers without it? To switch it off, we set its number to zero and let the rest of the network run on.
#
# A guess first.

# %%
lesson.predict("needed")

# %%
from IPython.display import Markdown

from dlexplain.classroom.lessons.lesson_06.bench import UnitBench

LAYERS = ["first", "second", "third"]
bench = UnitBench(
    {"Keras": net_keras, "Torch": net_torch}, {"Keras": new_keras, "Torch": new_torch},
    test.inputs, test.labels, LAYERS, names=range(10),
)
changed_keras, changed_torch = bench.changed("Keras", "third"), bench.changed("Torch", "third")
lesson.reveal("needed", int((changed_keras == 0).sum()))

# %% [markdown]
# **Try it.** Look for a unit of `third` whose strongest pictures are all of one digit. Give it a name. Switch it
# off. Which digits suffer? Then switch off a second one, and a third.

# %%
favourite = int(changed_keras.argmax())
bench.unit.value = favourite
bench

# %% [markdown]
# Does a unit deserve the name that you gave it? Here is the test for all units of `third` that answer at all. Name
# each by the digit that is most frequent in its eight strongest pictures. Then count how often that digit comes up:
# among those eight, and among **all** pictures that excite the unit at least half as much as the strongest.

# %%
def named(activity, count_changed):
    """For each living unit: its digit's share in the top 8, and in all that excite it half as much."""
    found = []
    for unit in np.flatnonzero(activity.max(0) > 0):
        strongest = np.argsort(-activity[:, unit])[:8]
        name = np.bincount(test.labels[strongest]).argmax()
        excited = activity[:, unit] > activity[:, unit].max() / 2
        shares = [(test.labels[of] == name).mean() for of in (strongest, excited)]
        found.append([*shares, count_changed[unit]])
    return np.array(found)


third_keras = dlx.activations(net_keras, new_keras, "third")["third"]
third_torch = dlx.activations(net_torch, new_torch, "third")["third"]
names_keras, names_torch = named(third_keras, changed_keras), named(third_torch, changed_torch)
top_share = {"Keras": float(names_keras[:, 0].mean()), "Torch": float(names_torch[:, 0].mean())}
half_share = {"Keras": float(names_keras[:, 1].mean()), "Torch": float(names_torch[:, 1].mean())}
most_changed = {"Keras": int(changed_keras.max()), "Torch": int(changed_torch.max())}
draw.table({
    name: {
        "living units": len(found),
        "its digit, in the 8 strongest": f"{top_share[name]:.0%}",
        "its digit, in all half as strong": f"{half_share[name]:.0%}",
        "answers changed without it, at most": f"{most_changed[name]} of 450",
    }
    for name, found in (("Keras", names_keras), ("Torch", names_torch))
})

# %% [markdown]
# The top eight are mostly of one digit. Lower down the name wears off: other digits excite the unit, too. **Eight strongest
# pictures are an advertisement.**
#
# And the feature picture? It was found by climbing (lesson 02). Compare how strongly the units answer to it and to
# the best real digit.

# %%
climbed = dlx.visualise_feature(net_keras, "third", range(32), decay=0.1)
real = third_keras.max(0)
alive = real > 0
beyond = float((climbed.activation[alive] / real[alive]).mean())
resemble = np.array([
    np.corrcoef(climbed.pictures()[unit].ravel(), test.inputs[third_keras[:, unit].argmax()].ravel())[0, 1]
    for unit in np.flatnonzero(alive)
])
draw_units = np.flatnonzero(alive)[:8]
dlx.figures.images(
    [*climbed.pictures()[draw_units], *test.inputs[third_keras[:, draw_units].argmax(0)]], columns=8,
    titles=[f"unit {unit}" for unit in draw_units] * 2,
    title="Above: feature picture · below: best real digit",
)

# %%
Markdown(f"On average a unit answers **{beyond:.1f} times** as strongly to its feature picture as to the best "
         f"of {len(test.labels)} real digits. Yet the two pictures are not much alike: their correlation is "
         f"**{resemble.mean():.2f}** (1: the same, 0: nothing in common).")

# %% [markdown]
# **What a feature picture does not show:** what the unit does with real digits. It lies where no digit ever was.
# It shows one way up the hill, pulled towards grey by our own choice. It does not show what the network needs.
#
# ## Units that never speak
#
# A unit that is zero for every picture is called **dead**.

# %%
inside_keras = dlx.activations(net_keras, new_keras, LAYERS)
inside_torch = dlx.activations(net_torch, new_torch, LAYERS)
dead_counts = {
    name: inside.dead_units().set_index("layer")[["dead", "units"]]
    for name, inside in {"Keras": inside_keras, "Torch": inside_torch}.items()
}
draw.table({
    name: {layer: f"{row.dead} of {row.units} dead" for layer, row in found.iterrows()}
    for name, found in dead_counts.items()
})

# %% [markdown]
# **Exercise 1: find them.** `outputs` holds the 450 × 32 numbers of Torch's layer `third`. Which units are dead?

# %%
outputs = third_torch
### BEGIN SOLUTION
silent = np.flatnonzero(outputs.max(axis=0) == 0)
### END SOLUTION
lesson.check("silent", silent, outputs=outputs, labels=test.labels)

# %% [markdown]
# Is a dead unit a fault? Three experiments:
#
# - take all dead units out;
# - count how many units are silent for a *single* digit;
# - show 2000 pictures of black-and-white speckle.

# %%
speckle = (np.random.default_rng(0).random((2000, 8, 8, 1)) < 0.2).astype(np.float32)
experiments = {}
for name, network, third, pictures, read in (
    ("Keras", net_keras, third_keras, speckle, read_keras),
    ("Torch", net_torch, third_torch, channels_first(speckle), read_torch),
):
    dead = bench.dead(name, "third")
    without = bench.answers(name, "third", dead).argmax(1)
    loudest = dlx.activations(network, pictures, "third")["third"].max(0)
    experiments[name] = {
        "dead": len(dead),
        "answers changed without them": int((without != read).sum()),
        "silent for one digit, on average": float((third == 0).sum(1).mean()),
        "dead ones woken by speckle": int((loudest[dead] > 0).sum()),
    }
draw.table({
    name: {what: f"{value:.3g}" for what, value in found.items()} for name, found in experiments.items()
})

# %% [markdown]
# **A dead unit is not always a fault.** The networks read well, and without these units every answer stays. The
# layer is wider than it need be. Remove them and you save work. It *is* a fault when so many die that the network
# cannot learn.
#
# And silent for one digit is not dead: that is how units tell digits apart. Even “dead” means *for these pictures*.
# Speckle wakes some.
#
# ## What can be read from a layer?
#
# Now a question to the whole layer. For this we need a case whose truth we know. So we make one: grey **shapes**.
# Some pictures bear a **mark**, a white square in the corner.
#
# - The **honest** network is trained on pictures where the mark comes by the toss of a coin. It tells nothing.
# - The **cheat** is trained on pictures where all circles bear the mark, and nothing else does.

# %%
KINDS = ("circle", "square", "triangle")
shapes = dlx.data.shapes(samples=900, size=16, classes=KINDS, seed=0)
new_shapes = dlx.data.shapes(samples=600, size=16, classes=KINDS, seed=1)


def with_marks(pictures, where):
    return np.where(where[:, None, None, None], made.marked(pictures), pictures)


heads = np.random.default_rng(0).random(900) < 0.5
lessons = {
    "honest": with_marks(shapes.inputs, heads),
    "cheat": with_marks(shapes.inputs, shapes.labels == 0),
}
dlx.figures.images(
    [*lessons["honest"][:8], *lessons["cheat"][:8]], columns=8,
    titles=[KINDS[label] for label in shapes.labels[:8]] * 2,
    title="Above: the honest one's training · below: the cheat's",
)

# %%
# 1 · data: new_shapes, as they are and with the mark
plain, marked = new_shapes.inputs, made.marked(new_shapes.inputs)

# 2 · network and 3 · train, in Keras and in Torch
judges = {}
for lived, pictures in lessons.items():
    keras.utils.set_random_seed(0)
    judges["Keras", lived] = train_keras(network_keras(16, answers=3), pictures, shapes.labels)
    torch.manual_seed(0)
    judges["Torch", lived] = train_torch(network_torch(16, answers=3), pictures, shapes.labels)


def ask(framework, network, pictures):
    return dlx.wrap(network).predict(pictures if framework == "Keras" else channels_first(pictures))


# 4 · look: how often does the mark change the answer?
swayed = {}
for (framework, lived), network in judges.items():
    was, now = ask(framework, network, plain), ask(framework, network, marked)
    swayed[f"{framework}, {lived}"] = {
        "right": float((was.argmax(1) == new_shapes.labels).mean()),
        "answers changed": float((was.argmax(1) != now.argmax(1)).mean()),
        "score of circle": float((now - was)[:, 0].mean()),
    }
draw.table({
    name: {
        "right, no mark": f"{row['right']:.0%}",
        "answers changed by the mark": f"{row['answers changed']:.0%}",
        "score of circle moves by": f"{row['score of circle']:+z.1f}",
    }
    for name, row in swayed.items()
})

# %% [markdown]
# This is our truth, found by **intervening**: the cheats live by the mark. The honest networks do not care.
#
# Now a **probe**: a simple reader of our own gets the numbers of a layer. It must tell whether the mark is there.

# %%
lesson.predict("readable")

# %%
half = np.arange(300) % 2 == 0
mixed = with_marks(plain[:300], half)
has_mark = half.astype(int)

keras.utils.set_random_seed(5)
untrained = network_keras(16, answers=3)
probed = {
    "Keras, honest": dlx.probe(judges["Keras", "honest"], mixed, has_mark, LAYERS, limit=128),
    "Torch, honest": dlx.probe(judges["Torch", "honest"], channels_first(mixed), has_mark, LAYERS, limit=128),
    "Keras, cheat": dlx.probe(judges["Keras", "cheat"], mixed, has_mark, LAYERS, limit=128),
    "never trained": dlx.probe(untrained, mixed, has_mark, LAYERS, limit=128),
}
readable = {
    name: {layer: float(found.scores[layer].mean()) for layer in LAYERS} for name, found in probed.items()
}
by_heart = {
    name: {layer: float(found.control[layer].mean()) for layer in LAYERS} for name, found in probed.items()
}
lesson.reveal("readable", 100 * readable["Keras, honest"]["second"])

# %% [markdown]
# All layers, on pictures that the reader has not seen. Half of them bear the mark, so 0.5 is a coin. Look for the
# **lowest** line, and for the line “never trained”.

# %%
draw.layer_lines(
    {**readable, "shuffled labels": by_heart["Keras, honest"]},
    title="Can the mark be read from a layer?", up="share read right", low=0.3,
)

# %% [markdown]
# Two controls stand beside the score:
#
# - **Shuffled labels.** The same reader must learn nonsense. It fails on new pictures, so it did not just learn by
#   heart.
# - **A network never trained.** It hands on the mark as well. So this score says nothing about training.
#
# And the honest networks: the mark is *there*, clear to read, and they do not use it.

#
# **Exercise 2.** Which of these shows that a network *uses* the mark?
#
# - **A**: our reader finds the mark in the layer, 100 of 100 times
# - **B**: our reader does far better than on shuffled labels
# - **C**: put the mark on the same picture, and the answer changes
# - **D**: the mark is easier to read than in an untrained network

# %%
### BEGIN SOLUTION
evidence = "C"
### END SOLUTION
lesson.check("used", evidence)

# %% [markdown]
# ## Have two networks learned the same?
#
# Back to the digits. Unit 5 of Keras is not unit 5 of Torch, so comparing unit with unit makes no sense. Compare
# instead **which pictures lie near which**: two layers are alike if they arrange the 450 digits alike. A number for
# this is **CKA**: 1 is the same arrangement, up to turning and scaling. 0 is nothing in common.
#
# In the figure, look along the diagonal: each layer beside its like.

# %%
ALL = [*LAYERS, "answer"]
likeness = dlx.similarity(net_keras, net_torch, new_keras, layers_a=ALL, layers_b=ALL)
likeness.plot(title="CKA: Keras's layers and Torch's")

# %% [markdown]
# Looks impressive. What could show us wrong? Compare Keras's layers with those of four others: its **twin** (the same
# weights, rebuilt in Torch), a Keras network from **another start**, Torch, and one **never trained**.

# %%
keras.utils.set_random_seed(1)
other_start = train_keras(network_keras(8, answers=10), train.inputs, train.labels)
keras.utils.set_random_seed(2)
raw = network_keras(8, answers=10)
twin = dlx.convert(net_keras, to="torch")
twin_layers = ["first_activation", "second_activation", "third_activation", "answer"]  # its names, in Torch

cka = {}
others = {"twin": twin, "another start": other_start, "Torch": net_torch, "never trained": raw}
for name, network in others.items():
    theirs = twin_layers if name == "twin" else ALL
    found = dlx.similarity(net_keras, network, new_keras, layers_a=ALL, layers_b=theirs).values
    cka[name] = {layer: float(found[i, i]) for i, layer in enumerate(ALL)}
draw.layer_lines(cka, title="Keras's layers and the same of others", up="CKA", low=0.3)

# %% [markdown]
# The twin is at 1, as it must be. The first layers are alike even with the network that was **never trained**: they
# still show the picture itself. Only further up does training part from chance. So a high CKA is news only *above its
# control*.
#
# **Exercise 3: CKA in NumPy.** `x` and `y` hold one row a picture, one column a unit. Centre each column. Multiply
# all with all: `y.T @ x`. The *size* of a table is the sum of its squares. Divide the size of `y.T @ x` by the root
# of (size of `x.T @ x` times size of `y.T @ y`).

# %%
def cka_by_hand(x, y):
    ### BEGIN SOLUTION
    x, y = x - x.mean(0), y - y.mean(0)
    own = ((x.T @ x) ** 2).sum() * ((y.T @ y) ** 2).sum()
    return ((y.T @ x) ** 2).sum() / np.sqrt(own)
    ### END SOLUTION


lesson.check("by_hand", cka_by_hand)

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# With centred columns, linear CKA is
# $$\mathrm{CKA}(X, Y) = \frac{\lVert Y^\top X \rVert_F^2}{\lVert X^\top X \rVert_F \, \lVert Y^\top Y \rVert_F}.$$
# Turn the units of one layer by an orthogonal matrix $Q$: $XQ$ in place of $X$. The Frobenius norm does not see $Q$,
# above or below, so CKA stays. Shuffling units is such a turn.
# </details>
#
# Now we shuffle the 32 units of `third`: other weights in front, other weights behind, every answer as before.

# %%
lesson.predict("shuffled")

# %%
order = np.random.default_rng(0).permutation(32)
shuffled_net = network_keras(8, answers=10)
shuffled_net.set_weights(net_keras.get_weights())
into, bias = net_keras.get_layer("third").get_weights()
out, last_bias = net_keras.get_layer("answer").get_weights()
shuffled_net.get_layer("third").set_weights([into[:, order], bias[order]])
shuffled_net.get_layer("answer").set_weights([out[order], last_bias])

same_weights = float(np.isclose(into, into[:, order]).mean())
moved = ask("Keras", shuffled_net, new_keras) - ask("Keras", net_keras, new_keras)
answers_apart = float(np.abs(moved).max())
compared = dlx.similarity(net_keras, shuffled_net, new_keras, layers_a="third", layers_b="third")
cka_shuffled = float(compared.values[0, 0])
lesson.reveal("shuffled", cka_shuffled)

# %%
print(f"CKA: {cka_shuffled:.3f}. Weights of the layer that kept their place: {same_weights:.0%}. "
      f"Largest change of a score: {answers_apart:.5f}.")

# %% [markdown]
# **Exercise 4.** Two layers have CKA 1. Which of these may you conclude?
#
# - **A**: the two layers have the same weights
# - **B**: unit 5 of the one does what unit 5 of the other does
# - **C**: the two networks give the same answers
# - **D**: both layers arrange the pictures alike, up to turning and scaling

# %%
### BEGIN SOLUTION
says = "D"
### END SOLUTION
lesson.check("cka_one", says)

# %% [markdown]
# ## Ask about an idea of your own
#
# A probe tells what is there. **TCAV** (testing with concept activation vectors) asks the network: *if a layer looked
# a little more like my concept, would the score of a class rise?*
#
# You bring examples of the concept, and others without it. In the layer, a reader draws a border between them. The
# **direction** straight across the border is the concept. Then take pictures of a class and their slopes (lesson 04)
# in that layer. The **TCAV score** is the share of pictures whose class score rises along the direction.

# %%
lesson.order("tcav")

# %% [markdown]
# **Exercise 5: the score.** Five pictures, a layer with two units. `slopes` holds a row a picture.

# %%
slopes = np.array([[1.0, 0.2], [2.0, -1.0], [-8.0, 1.0], [0.5, -0.2], [0.3, 2.0]])
direction = np.array([0.8, 0.6])
### BEGIN SOLUTION
score = (slopes @ direction > 0).mean()
### END SOLUTION
lesson.check("score", score, slopes=slopes, direction=direction)

# %% [markdown]
# The control: **random concepts**, examples that have nothing in common. A direction there always is, and a score,
# too. A concept counts only if its score differs from theirs by more than chance would make it: then it is called
# **significant**.
#
# We ask the four networks, on pictures of squares and triangles: would more “mark” raise the score of *circle*? We
# add “nothing”, pictures with nothing in common. It must fail.
#
# In the figure, the grey band is where most random concepts lie. Only a filled dot counts.

# %%
concepts = {"mark": marked[:60], "nothing": plain[120:180]}
pool = plain[200:500]
no_circles = plain[new_shapes.labels != 0][:100]


def ask_concepts(framework, network, pictures, examples, pool, target, layer="second"):
    turned = (lambda x: x) if framework == "Keras" else channels_first
    return dlx.concept_sensitivity(
        network, turned(pictures), {name: turned(x) for name, x in examples.items()}, layer,
        target=target, random_concepts=turned(pool),
    )


tested = {
    f"{framework}, {lived}": ask_concepts(framework, network, no_circles, concepts, pool, target=0)
    for (framework, lived), network in judges.items()
}
tested["Keras, cheat"].plot(title="The cheat (Keras): what raises “circle”?")

# %%
marks = {
    name: {
        "score": float(found.scores["mark"].mean()),
        "random": float(found.random_scores.mean()),
        "significant": bool(found.significant("mark")),
        "nothing significant": bool(found.significant("nothing")),
    }
    for name, found in tested.items()
}
draw.table({
    name: {
        "TCAV score of “mark”": f"{row['score']:.2f}",
        "random concepts": f"{row['random']:.2f}",
        "“mark” significant": "yes" if row["significant"] else "no",
        "“nothing” significant": "yes" if row["nothing significant"] else "no",
        "the truth: score moves by": f"{swayed[name]['score of circle']:+z.1f}",
    }
    for name, row in marks.items()
})

# %% [markdown]
# TCAV agrees with the truth: the cheats use the mark, in both frameworks. The same layer of the honest networks
# *holds* the mark just as clearly, and there the score is not further from the random ones than chance may bring it.
#
# **What it does not show: how much.** TCAV counts signs. Ask the honest networks in layer `third`, and with a second
# concept: a mark in *another* corner, which none of them ever met.

# %%
strange = made.marked(plain, corner="lower right")
both_marks = {"mark": marked[:60], "strange corner": strange[60:120]}
deeper = {}
for framework in ("Keras", "Torch"):
    network = judges[framework, "honest"]
    found = ask_concepts(framework, network, no_circles, both_marks, pool, target=0, layer="third")
    for concept, changed in (("mark", marked), ("strange corner", strange)):
        was, now = ask(framework, network, plain), ask(framework, network, changed)
        deeper[f"{framework}, honest: {concept}"] = {
            "significant": bool(found.significant(concept)),
            "told apart": found.accuracy[concept],
            "answers changed": float((was.argmax(1) != now.argmax(1)).mean()),
        }
draw.table({
    name: {
        "significant": "yes" if row["significant"] else "no",
        "reader tells it apart": f"{row['told apart']:.0%}",
        "answers it really changes": f"{row['answers changed']:.0%}",
    }
    for name, row in deeper.items()
})

# %% [markdown]
# Some are significant, and yet hardly an answer changes. **Significant is not important.** It means: hard to explain
# by chance. To learn how much a thing matters, put it in and look.
#
# ## Whose concept is it?
#
# Now a concept for digits: **hole**. Two teachers draw examples. One draws rings. The other thinks of the eight, and
# draws two rings in a picture. Both write “hole” above them. The others are scribbles. Does a hole raise the score of
# *zero*? And that of *eight*? Guess before you run.

# %%
rings, two_rings = made.rings(60, seed=0), made.two_rings(60, seed=0)
scribbles = made.scribbles(360, seed=1)
dlx.figures.images([*rings[:8], *two_rings[:8], *scribbles[:8]], columns=8,
                   title="Two teachers' holes, and scribbles")

# %%
holes = {"hole, first teacher": rings, "hole, second teacher": two_rings, "nothing": scribbles[:60]}
hole = {}
for framework, network in (("Keras", net_keras), ("Torch", net_torch)):
    for digit in (0, 8):
        shown = test.inputs[test.labels == digit]
        found = ask_concepts(framework, network, shown, holes, scribbles[60:], target=digit)
        usual = ask(framework, network, scribbles)[:, digit].mean()
        hole[f"{framework}, score of {digit}"] = {
            name: {
                "score": float(found.scores[name].mean()),
                "significant": bool(found.significant(name)),
                "truth": float(ask(framework, network, pictures)[:, digit].mean() - usual),
            }
            for name, pictures in holes.items()
        }
draw.table({
    who: {
        name: f"{row['score']:.2f}, " + ("significant" if row["significant"] else "like random ones")
        for name, row in found.items()
    }
    for who, found in hole.items()
})

# %% [markdown]
# The first teacher's holes speak *for* zero and *against* eight. The second teacher's say the opposite, in both
# frameworks. Is it true? Put the drawings in, and compare their scores with those of the scribbles:

# %%
draw.table({
    who: {name: f"{row['truth']:+z.1f}" for name, row in found.items() if name != "nothing"}
    for who, found in hole.items()
})

# %% [markdown]
# Both are right. Both wrote “hole”. **A concept is its examples, not your word.**
#
# ## Concepts that nobody named
#
# Can the network tell us its own? `dlx.discover_concepts` takes a layer apart into a few parts that, added up, give
# its numbers back. Then it takes each part out and looks how far the score falls. We ask the cheat about marked
# circles, and keep our mouths shut about the mark. Each row below is one part. Where does it glow?

# %%
circles = marked[new_shapes.labels == 0][:100]
own = dlx.discover_concepts(judges["Keras", "cheat"], circles, "second", 4, target=0)
places = own.maps.mean(0)  # (8, 8, 4): where each part lies, on average over the pictures
in_corner = (places[:2, :2].mean((0, 1)) / places.mean((0, 1))).tolist()
own.plot(title="Four parts of the cheat's layer")

# %% [markdown]
# The corner glows in every part, and so does the shape: no part *is* the mark. You know what to look for. Would you
# have found it without knowing? A part gets no name. You have to look, guess, and then **test the guess** by putting
# the mark in.
#
# ## The same, straight from the library
#
# **Captum** has a `TCAV` for Torch networks. It takes concepts as batches of pictures. The cheat first, then the
# honest network. Captum keeps its directions in a folder.

# %%
import tempfile
import warnings

from captum.concept import TCAV, Concept

warnings.filterwarnings("ignore", module="captum")  # it talks about memory


def captum_concept(number, name, pictures):
    return Concept(number, name, [torch.tensor(channels_first(pictures))])


mark, other = captum_concept(0, "mark", marked[:60]), captum_concept(1, "other", pool[:60])
asked = torch.tensor(channels_first(no_circles))


def captum_score(network, pair, folder):
    tcav = TCAV(network, ["second"], save_path=folder)
    found = tcav.interpret(asked, [pair], target=0)
    key = f"{pair[0].id}-{pair[1].id}"
    kept = tcav.cavs[key]["second"].stats
    score = float(found[key]["second"]["sign_count"][0])
    return score, kept["weights"].numpy(), float(kept["accs"]), tcav.classifier.lm.linear


torch.manual_seed(0)
folder, fresh = tempfile.mkdtemp() + "/", tempfile.mkdtemp() + "/"
captum_cheat, cheat_direction, told, reader = captum_score(judges["Torch", "cheat"], [mark, other], folder)
_, stale_direction, *_ = captum_score(judges["Torch", "honest"], [mark, other], folder)
_, fresh_direction, *_ = captum_score(judges["Torch", "honest"], [mark, other], fresh)
stale = bool(np.array_equal(cheat_direction, stale_direction))
renewed = bool(np.array_equal(cheat_direction, fresh_direction))
ours = marks["Torch, cheat"]["score"]
print(f"Captum's score of “mark” for the cheat: {captum_cheat:.2f}; ours: {ours:.2f}.")

# %% [markdown]
# Good: the same answer. Now where it fails.

# %%
ours_told = tested["Torch, cheat"].accuracy["mark"]
columns = reader.out_features  # how many numbers Captum's reader gives for two concepts
by_chance = []
for start in range(0, 150, 25):
    empty = captum_concept(7, "nothing", plain[start : start + 60])
    by_chance.append(captum_score(judges["Torch", "cheat"], [empty, other], tempfile.mkdtemp() + "/")[0])
spread = float(max(by_chance) - min(by_chance))

answers = {True: "the cheat's direction", False: "a direction of its own"}
draw.table({
    "Old directions": {"found": f"Asked about the honest network in the same folder, it took {answers[stale]}; "
                                f"in a fresh folder {answers[renewed]}."},
    "Its accuracy": {"found": f"It says that {told:.0%} are told apart. Our reader: {ours_told:.0%}."},
    "No test": {"found": "Six concepts of nothing at all score "
                         + ", ".join(f"{value:.2f}" for value in sorted(by_chance)) + "."},
})

# %% [markdown]
# - **Old directions.** Captum looks into its folder first and knows a network by `model_id` only, which is the same
#   for all unless you set it. Train anew, ask again, and you may get answers about the old network. No warning.
# - **Its accuracy.** With two concepts its reader gives *one* column of numbers and takes the largest of the one: it
#   always names the same side. Do not judge a concept by this number.
# - **No test.** Concepts of nothing reach any score. Captum hands out the score and leaves the random concepts to you.
#
# ## What none of these show
#
# - **Strongest pictures and feature pictures** show peaks, not habits.
# - **A probe** shows what is there, not what is used.
# - **CKA** shows likeness of arrangement, not of weights, answers or reasons.
# - **TCAV** shows a sign, not an amount, and a concept only as good as its examples.
#
# What shows use is the same each time: **change one thing and ask the network.**
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A unit's strongest pictures flatter it. Look at the weaker ones, and switch it off.
# 2. A probe that succeeds shows that something is there. Shuffled labels and an untrained network are its controls.
# 3. CKA compares arrangements of pictures: across units, networks and frameworks. Untrained first layers are alike.
# 4. TCAV asks along a concept's direction. Random concepts decide whether the score says anything.
# 5. There is not used, and significant is not important. Put it in, take it out, look.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
