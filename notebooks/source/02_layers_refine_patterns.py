# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Layers refine patterns
#
# You may have read: *the first layer finds strokes, the next one parts, the last one digits.*
#
# Here you build such a network twice, open it layer by layer, and find out how much of that is true.

# %%
import dlexplain as dlx  # first: it keeps TensorFlow and Torch from ending the process together

lesson = dlx.classroom.lesson(2)
lesson

# %% [markdown]
# ## 1 · Slide a small filter over a digit
#
# The data: digits that people wrote by hand, 8 × 8 pixels each. A quarter is held back for the test.

# %%
import numpy as np

train, test = dlx.data.load("digits").split(0.25, seed=0)
first_of = [int(np.flatnonzero(test.labels == digit)[0]) for digit in range(10)]
dlx.figures.images(test.inputs[first_of], titles=range(10), columns=10, title="One of each digit")

# %% [markdown]
# A **filter** is nine numbers. Lay it on nine pixels. Multiply each pixel by the number that lies on it.
# Add up the nine products. Write the sum into a new picture, the **map**, at the place of the middle pixel.
# Then move on by one pixel.
#
# **Try it.** Move the window with *Row* and *Column*. Choose other filters. Then change the nine numbers
# yourself. Where does the map turn orange (above zero), where blue (below)?

# %%
from dlexplain.classroom.lessons.lesson_02.bench import FilterBench

ink = 16 * test.inputs[first_of, :, :, 0]  # whole numbers, 0 to 16
bench = FilterBench({str(digit): ink[digit] for digit in range(10)}, start="7")
bench

# %% [markdown]
# The same in Python. Outside the picture we put zeros, so that the filter can lie on the border, too.

# %%
def slide(picture, weights):
    framed = np.pad(picture, 1)  # zeros all round
    sums = np.zeros(picture.shape)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            nine = framed[row : row + 3, column : column + 3]
            sums[row, column] = (nine * weights).sum()
    return sums


left_edges = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
slide(ink[7], left_edges).astype(int)

# %% [markdown]
# Sliding a filter is called a **convolution**. A **convolution layer** slides several filters: eight
# filters, eight maps. That is all. Nobody writes the filters. Training finds them.
#
# <details><summary>The formula, if you like formulas</summary>
#
# With picture $x$ and filter $w$, the map at row $r$, column $c$ is
#
# $$m_{r,c} = b + \sum_{i=-1}^{1} \sum_{j=-1}^{1} w_{i,j} \, x_{r+i,\,c+j}$$
#
# $b$, the *bias*, is one more number that training finds. Mathematicians turn the filter round before they
# slide it, and call our version *correlation*. Keras and Torch do not turn it.
# </details>

# %% [markdown]
# **Exercise: by hand.** The filter `left_edges` lies on these nine pixels. Which number goes into the map?

# %%
nine_pixels = np.array([[2, 8, 16], [4, 8, 12], [0, 8, 16]])

### BEGIN SOLUTION
by_hand = -2 + 16 - 4 + 12 - 0 + 16
### END SOLUTION
lesson.check("by_hand", by_hand, pixels=nine_pixels, weights=left_edges)

# %% [markdown]
# **Exercise: your own filter.** Write a filter, an array of 3 × 3 numbers, that finds the *upper* edge of a
# stroke: above zero where ink begins, below zero where it ends further down, and zero where all pixels are
# alike.

# %%
### BEGIN SOLUTION
upper_edges = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
### END SOLUTION
lesson.check("upper_edges", upper_edges)

# %% [markdown]
# ## 2 · Build the network, twice
#
# | layer | does |
# | --- | --- |
# | `conv1`, `conv2`, `conv3` | slide 8, 16 and 24 filters |
# | `strokes`, `parts`, `shapes` | set negative sums to zero; this is called **ReLU** |
# | `pool` | keeps the strongest of each 2 × 2 places |
# | `flat`, `digit` | put all numbers in one row, and weigh them into ten scores |
#
# The names `strokes`, `parts` and `shapes` are ours: a promise, not a finding.
#
# Of each network we keep a second copy that is **never trained**. It is our control.

# %%
import keras
from keras import layers
import logging

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # Keras stands on TensorFlow, which talks a lot
keras.utils.set_random_seed(0)

# 1 · data
y_train, y_test = train.labels, test.labels
keras_train, keras_test = train.inputs, test.inputs  # (pictures, 8, 8, 1): channels last


# 2 · network
def keras_network():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(8, 3, padding="same", name="conv1"), layers.ReLU(name="strokes"),
        layers.Conv2D(16, 3, padding="same", name="conv2"), layers.ReLU(name="parts"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Conv2D(24, 3, padding="same", name="conv3"), layers.ReLU(name="shapes"),
        layers.Flatten(name="flat"), layers.Dense(10, name="digit"),
    ])


keras_net, keras_untrained = keras_network(), keras_network()

# 3 · train
wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
keras_net.compile(keras.optimizers.Adam(0.003), wrongness)
keras_net.fit(keras_train, y_train, epochs=12, batch_size=32, verbose=0)

# 4 · look
accuracy_keras = float((keras_net.predict(keras_test, verbose=0).argmax(1) == y_test).mean())
print(f"Keras reads {accuracy_keras:.1%} of {len(y_test)} new digits.")

# %%
import torch
from collections import OrderedDict
from torch import nn

torch.manual_seed(0)

# 1 · data
torch_train = train.channels("first").inputs  # (pictures, 1, 8, 8): channels first
torch_test = test.channels("first").inputs
pictures, new_pictures = torch.tensor(torch_train), torch.tensor(torch_test)
answers = torch.tensor(y_train)


# 2 · network
def torch_network():
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 8, 3, padding=1), strokes=nn.ReLU(),
        conv2=nn.Conv2d(8, 16, 3, padding=1), parts=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        conv3=nn.Conv2d(16, 24, 3, padding=1), shapes=nn.ReLU(),
        flat=nn.Flatten(), digit=nn.Linear(24 * 4 * 4, 10),
    ))


torch_net, torch_untrained = torch_network(), torch_network().eval()

# 3 · train
wrongness = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(torch_net.parameters(), 0.003)
for _ in range(12):  # epochs
    for batch in torch.randperm(len(pictures)).split(32):
        optimizer.zero_grad()
        wrongness(torch_net(pictures[batch]), answers[batch]).backward()
        optimizer.step()
torch_net.eval()

# 4 · look
accuracy_torch = float((torch_net(new_pictures).argmax(1).numpy() == y_test).mean())
print(f"Torch reads {accuracy_torch:.1%} of {len(y_test)} new digits.")

# %% [markdown]
# ## 3 · The first layer
#
# Its eight filters, read out of each network. Orange counts ink, blue counts against it.

# %%
from dlexplain.classroom.drawing import reading_lines
from dlexplain.classroom.lessons.lesson_02 import figures as draw

filters_keras = keras_net.get_layer("conv1").get_weights()[0][:, :, 0, :].transpose(2, 0, 1)
filters_torch = torch_net.conv1.weight.detach().numpy()[:, 0]
draw.unit_rows({"Keras": filters_keras, "Torch": filters_torch}, title="The filters of conv1, after training")

# %% [markdown]
# A few look like yours: one side against the other, an edge finder. Others are mixtures without a name.
#
# Compare the columns. Keras's filter 0 is not Torch's filter 0. Both started from chance, and both found
# *a* set that works. **A unit has no fixed place and no name.**
#
# Now the eight maps of the seven: what the layer hands on.

# %%
keras_seven, torch_seven = keras_test[[first_of[7]]], torch_test[[first_of[7]]]
maps_keras = dlx.activations(keras_net, keras_seven).maps("strokes")[0]
maps_torch = dlx.activations(torch_net, torch_seven).maps("strokes")[0]
rows = {"Keras": maps_keras, "Torch": maps_torch}
draw.unit_rows(rows, title="A seven in layer strokes", name="activation")

# %% [markdown]
# Is there really nothing in a layer but sliding? Check with *your* loop and filter 3 of Keras:

# %%
weights, biases = keras_net.get_layer("conv1").get_weights()
mine = np.maximum(slide(keras_seven[0, :, :, 0], weights[:, :, 0, 3]) + biases[3], 0)
largest_difference = float(np.abs(mine - maps_keras[3]).max())
print(f"Largest difference between your loop and the layer: {largest_difference:.1e}. Rounding, no more.")

# %% [markdown]
# ## 4 · Deeper layers
#
# A filter of the second layer does not lie on pixels. It lies on the eight *maps* of the first. So one of
# its units looks at more of the picture. How much more? Ask the network: change one pixel at a time, and
# see whether the unit in the middle notices.

# %%
def seen_by(layer):
    noticed = np.zeros((8, 8), bool)
    for scene in np.random.default_rng(0).random((4, 8, 8, 1), dtype=np.float32):
        changed = np.repeat(scene[None], 65, axis=0)  # 64 copies to change, and one as it is
        for pixel in range(64):
            changed[pixel, pixel // 8, pixel % 8] += 1
        maps = dlx.activations(keras_net, changed, layer)[layer]
        middle = maps[:, (maps.shape[1] - 1) // 2, (maps.shape[2] - 1) // 2]
        noticed |= (abs(middle[:64] - middle[64]) > 1e-5).any(axis=1).reshape(8, 8)
    return noticed


seen = {"strokes": seen_by("conv1"), "parts": seen_by("conv2"), "shapes": seen_by("conv3")}
pixels_seen = {layer: int(pixels.sum()) for layer, pixels in seen.items()}
blue = np.array([0.17, 0.55, 0.85])
hidden = 0.3 * keras_seven[0] + 0.7 * blue
dlx.figures.images(
    [np.where(pixels[..., None], keras_seven[0], hidden) for pixels in seen.values()],
    titles=[f"{layer}: {count} of 64 pixels" for layer, count in pixels_seen.items()],
    columns=3, title="Seen by a unit (blue: out of sight)",
)

# %% [markdown]
# This is the sound part of the promise: **a deeper unit sees more of the picture**. It stands on units that
# stand on pixels. What it can see is called its *receptive field*. It tells what a unit *could* find, not
# what it does find.

# %% [markdown]
# **Exercise: which layer?** A unit answers to a closed loop, seven pixels high and wide, and to nothing
# smaller. In which of the layers `"strokes"`, `"parts"`, `"pool"`, `"shapes"` can it be?

# %%
### BEGIN SOLUTION
loop_layer = "shapes"
### END SOLUTION
lesson.check("which_layer", loop_layer)

# %% [markdown]
# Go through the layers with digits of your choice. Two things change with depth: the maps get *coarser*,
# and there are *more* of them.

# %%
LAYERS = ["strokes", "parts", "pool", "shapes"]
networks = {"Keras": keras_net, "Torch": torch_net}
explorer = dlx.widgets.ExplanationExplorer(
    networks, keras_test[first_of], labels=y_test[first_of], class_names=test.class_names,
    methods=("activations", "gradcam"), layers=LAYERS, title="What does each layer hand on?",
)
explorer.sample, explorer.layer = 7, "strokes"
explorer

# %% [markdown]
# ## 5 · What excites a unit?
#
# Turn the question round. Start from grey noise. Change each pixel a little, so that *one unit* answers
# more. Repeat. The picture that comes out is the unit's favourite. This is called **feature
# visualisation**.
#
# `dlx.visualise_feature` does the climbing. First we cut the networks, so that it looks at the unit in the
# middle only. (This cell is plumbing. Run it and go on.)

# %%
def keras_middle(net, layer):
    maps = net.get_layer(layer).output
    size = maps.shape[1]
    before, after = (size - 1) // 2, size // 2
    crop = layers.Cropping2D(((before, after), (before, after)), name="middle")
    return keras.Model(net.inputs, crop(maps))


class Middle(nn.Module):
    def forward(self, maps):
        at = (maps.shape[2] - 1) // 2
        return maps[:, :, at : at + 1, at : at + 1]


def torch_middle(net, layer):
    end = list(dict(net.named_children())).index(layer) + 1
    return nn.Sequential(OrderedDict([*net[:end].named_children(), ("middle", Middle())]))


# %% [markdown]
# Grey means: this pixel does not matter. White: ink, please. Black: no ink here.

# %%
def favourites(cut, net, **more):
    units = {"conv1": 8, "conv2": 16, "conv3": 24}
    return [
        dlx.visualise_feature(cut(net, layer), "middle", range(count), decay=0.1, **more).pictures()[..., 0]
        for layer, count in units.items()
    ]


def show(found, title):
    strokes, parts, shapes = (pictures[:8] for pictures in found)
    return draw.picture_rows({"strokes": strokes, "parts": parts, "shapes": shapes}, title=title)


favourites_keras = favourites(keras_middle, keras_net)
show(favourites_keras, "Keras: the favourites of eight units a layer")

# %%
favourites_torch = favourites(torch_middle, torch_net, input_shape=(1, 8, 8))
show(favourites_torch, "Torch: the favourites of eight units a layer")

# %% [markdown]
# Row by row: small edges; then bars and corners; then pieces of strokes with the dark beside them. That
# looks like the promise. But *every* network has favourites, even one that knows nothing. **The control:**

# %%
favourites_untrained = favourites(keras_middle, keras_untrained)
show(favourites_untrained, "Keras, never trained: it has favourites, too")

# %%
def smoothness(found):
    """How alike neighbouring pixels are, in the favourites of `shapes`: 0 is speckle."""
    left, right = found[2][:, :, :-1].ravel(), found[2][:, :, 1:].ravel()
    upper, lower = found[2][:, :-1].ravel(), found[2][:, 1:].ravel()
    return float(np.corrcoef(np.r_[left, upper], np.r_[right, lower])[0, 1])


smooth_keras, smooth_torch = smoothness(favourites_keras), smoothness(favourites_torch)
smooth_untrained = smoothness(favourites_untrained)
print(f"Keras {smooth_keras:.2f}, Torch {smooth_torch:.2f}, never trained {smooth_untrained:.2f}")

# %% [markdown]
# The *size* of the favourites comes from the building plan, and the control has it, too. The *strokes* come
# from training: the control has speckle.
#
# Now the last layer. Ten scores, so ten favourites.

# %%
lesson.predict("ghosts")

# %%
def ghosts(net, **more):
    return dlx.visualise_feature(net, "digit", range(10), blur=0.8, decay=0.3, **more).pictures()[..., 0]


found = {
    "Keras": ghosts(keras_net),
    "Torch": ghosts(torch_net, input_shape=(1, 8, 8)),
    "never trained": ghosts(keras_untrained),
}
draw.picture_rows(found, title="The favourites of the ten scores", stretch=True)

# %%
mean_digits = np.stack([keras_train[y_train == digit].mean(axis=0).ravel() for digit in range(10)])


def nearest_is_own(pictures):
    """How many of the ten pictures resemble the mean of their own digit most."""
    likeness = np.corrcoef(pictures.reshape(10, -1), mean_digits)[:10, 10:]
    return int((likeness.argmax(axis=1) == np.arange(10)).sum())


matches = {name: nearest_is_own(pictures) for name, pictures in found.items()}
lesson.reveal("ghosts", matches["Keras"])

# %%
print("Nearest to their own digit:", ", ".join(f"{name} {count} of 10" for name, count in matches.items()))

# %% [markdown]
# Nobody showed the climb a digit. The ghosts are in the weights, and only after training.
#
# **What this does not show.** A favourite is not a meaning, and not a digit that the network has seen. *We*
# chose how much to blur, and how hard to pull towards grey. Without that, the climb ends in black-and-white
# scraps. Below them, for each score, the real digit that raises it most.

# %%
scraps = dlx.visualise_feature(keras_net, "digit", range(10), blur=0.0, decay=0.0)
scores = keras_net(keras_test).numpy()
best_real = scores.argmax(axis=0)  # which test picture raises each score most
scrap_scores, real_scores = scraps.activation, scores.max(axis=0)
draw.picture_rows(
    {"climbed": scraps.pictures()[..., 0], "real": keras_test[best_real, :, :, 0]},
    title="Climbed scraps and real digits",
)

# %%
beaten = int((scrap_scores > real_scores).sum())
print(f"In {beaten} of 10, the scrap scores higher than every real digit.")

# %% [markdown]
# So the network's top score is not "most like a digit". It is "most of what I count".

# %% [markdown]
# ## 6 · What does each layer know?
#
# A blunt test of knowing. For every digit, take the **mean** of a layer's maps over the training pictures.
# To read a new digit, find the mean that lies nearest. If the layer keeps the digits apart, this works.

# %%
def read_out(train_maps, labels, test_maps):
    known, new = train_maps.reshape(len(train_maps), -1), test_maps.reshape(len(test_maps), -1)
    means = np.stack([known[labels == digit].mean(axis=0) for digit in range(10)])
    distance = ((new[:, None] - means) ** 2).sum(axis=2)
    return distance.argmin(axis=1)


STEPS = ["pixels", *LAYERS, "digit"]


def ladder(net, train_pictures, test_pictures):
    """For the pixels, then for each layer: the share of new digits read right."""
    known = {"pixels": train_pictures, **dlx.activations(net, train_pictures, STEPS[1:]).values}
    new = {"pixels": test_pictures, **dlx.activations(net, test_pictures, STEPS[1:]).values}
    return {step: float((read_out(known[step], y_train, new[step]) == y_test).mean()) for step in STEPS}


# %% [markdown]
# The control first: the network that was **never trained**. Asked for digits, it guesses.

# %%
lesson.predict("untrained")

# %%
accuracy_untrained = float((keras_untrained(keras_test).numpy().argmax(1) == y_test).mean())
untrained_keras = ladder(keras_untrained, keras_train, keras_test)
untrained_torch = ladder(torch_untrained, torch_train, torch_test)
print(f"The untrained network's own answers: {accuracy_untrained:.0%} right.")
lesson.reveal("untrained", 100 * untrained_keras["shapes"])

# %% [markdown]
# Random filters keep the digits apart almost as well as the bare pixels do: they pass on what is there. So
# *"one can read the digit from this layer"* alone says **nothing** about training.
#
# Now the trained networks beside it: whole lines trained, dashed lines never trained. And a second control: means
# made with **shuffled labels**, twenty times.

# %%
trained_keras = ladder(keras_net, keras_train, keras_test)
trained_torch = ladder(torch_net, torch_train, torch_test)

rng = np.random.default_rng(0)
known, new = (dlx.activations(keras_net, x, "shapes")["shapes"] for x in (keras_train, keras_test))
shuffled = np.mean([(read_out(known, rng.permutation(y_train), new) == y_test).mean() for _ in range(20)])
shuffled = float(shuffled)
reading_lines(
    {
        "Keras, trained": trained_keras, "Keras, never trained": untrained_keras,
        "Torch, trained": trained_torch, "Torch, never trained": untrained_torch,
    },
    title="Digits read by the nearest mean", low=0.6,
    facts=[f"With shuffled labels, in Keras's layer shapes: {shuffled:.0%}, far below this picture."],
)

# %% [markdown]
# Here the promise holds, in a quiet way. Trained, the digits come apart **step by step**. Untrained, next
# to nothing is won, and at the last step, where 384 numbers are squeezed into ten, much is lost.

# %% [markdown]
# **Exercise: what did training add?** Torch's layer `shapes`: how many percentage points of the share read
# right are the work of training?

# %%
### BEGIN SOLUTION
added = 100 * (trained_torch["shapes"] - untrained_torch["shapes"])
### END SOLUTION
lesson.check("added", added, trained=trained_torch, untrained=untrained_torch)

# %% [markdown]
# **The answer depends on who reads.** The nearest mean is a simple reader. scikit-learn's
# `LogisticRegression` is a cleverer one: it draws its own straight borders. Ask it the same.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def clever(train_maps, test_maps):
    reader = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    reader.fit(train_maps.reshape(len(train_maps), -1), y_train)
    return float(reader.score(test_maps.reshape(len(test_maps), -1), y_test))


known_0, new_0 = (dlx.activations(keras_untrained, x, "shapes")["shapes"] for x in (keras_train, keras_test))
clever_reads = {
    "pixels": clever(keras_train, keras_test), "shapes, never trained": clever(known_0, new_0),
    "shapes, trained": clever(known, new),
}
print("The clever reader:", ", ".join(f"{name} {share:.1%}" for name, share in clever_reads.items()))

# %% [markdown]
# The clever reader does most of the work itself, and little is left for training to add. "The layer knows
# it" is always short for "*this reader* gets it out of the layer".
#
# ## 7 · Loud is not important
#
# A unit that answers loudly to sevens looks like a *seven finder*. Is it? Take the unit of Torch's layer
# `shapes` that answers most to sevens, and **switch it off**: set its filter and its bias to zero.

# %%
lesson.predict("switched_off")

# %%
import copy

loudness = dlx.activations(torch_net, torch_test, "shapes").units("shapes").mean(axis=1)
by_digit = np.stack([loudness[y_test == digit].mean(axis=0) for digit in range(10)])  # (10 digits, 24 units)
loudest = int(by_digit[7].argmax())


def right_by_digit(net):
    with torch.no_grad():
        read = net(new_pictures).argmax(1).numpy()
    return np.array([(read[y_test == digit] == digit).mean() for digit in range(10)])


def without(unit):
    maimed = copy.deepcopy(torch_net)
    with torch.no_grad():
        maimed.conv3.weight[unit], maimed.conv3.bias[unit] = 0, 0
    return maimed


sevens_with, sevens_without = (float(right_by_digit(net)[7]) for net in (torch_net, without(loudest)))
lesson.reveal("switched_off", 100 * sevens_without)

# %%
print(f"Unit {loudest}. Sevens read right with it: {sevens_with:.0%}, without it: {sevens_without:.0%}.")
losses = np.array([right_by_digit(torch_net) - right_by_digit(without(unit)) for unit in range(24)])
worst_loss = float(losses.max())
next_digit = float(np.delete(by_digit[:, loudest], 7).max() / by_digit[7, loudest])
print(f"It answers to another digit {next_digit:.0%} as strongly as to sevens.")
print(f"Each of the 24 units switched off in turn: no digit loses more than {worst_loss:.0%}.")

# %% [markdown]
# **No digit sits in one unit.** It is spread over many, and others step in.
#
# Who carries the score, then? **SHAP** shares it out among the units (lesson 05 tells how). Called
# directly, it takes a Torch network *and a layer*. In Keras, we give it the layers behind `shapes` as a network of
# their own.
#
# Above: how loud each unit is. Below: what it adds to the score. If loud meant important, both rows would have
# the same outline.

# %%
import shap
import warnings

digits_10 = list(range(10))
explainer = shap.DeepExplainer((torch_net, torch_net.flat), pictures[:100])
shares = explainer.shap_values(new_pictures[first_of])[digits_10, ..., digits_10]  # each digit's own score
credit_torch, loud_torch = shares.sum(axis=(2, 3)), loudness[first_of]  # from (10, 24, 4, 4)

head = keras.Sequential([keras.Input((4, 4, 24)), *keras_net.layers[-2:]])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SHAP and Keras complain of each other here
    shares = shap.DeepExplainer(head, known[:100]).shap_values(new[first_of])[digits_10, ..., digits_10]
credit_keras, loud_keras = shares.sum(axis=(1, 2)), new[first_of].mean(axis=(1, 2))  # from (10, 4, 4, 24)

draw.loud_and_credited(
    {"Keras": (loud_keras[5], credit_keras[5]), "Torch": (loud_torch[5], credit_torch[5])},
    title="A five: loud units, credited units",
    facts=["Filled grey: the louder half. Orange adds to the score, blue takes from it."],
)

# %%
from scipy.stats import spearmanr

agreement = [
    spearmanr(loud[digit], credit[digit]).statistic
    for loud, credit in ((loud_keras, credit_keras), (loud_torch, credit_torch)) for digit in range(10)
]
lowest_agreement, mean_agreement = float(np.min(agreement)), float(np.mean(agreement))
loud_but_against = int(((loud_keras[5] >= np.median(loud_keras[5])) & (credit_keras[5] < 0)).sum())
of_five, of_others = (head(x).numpy()[:, 5].mean() for x in (new[first_of[5:6]], known[:100]))
shap_gap = float(abs(credit_keras[5].sum() - (of_five - of_others)))
print(f"The credits add up to the score of five, less its mean over 100 digits; gap {shap_gap:.0e}.")
print(f"Keras's five: {loud_but_against} of the 12 loud units speak against it.")
print("Order by loudness and order by credit (1: the same, 0: nothing in common), over 20 digits:")
print(f"mean agreement {mean_agreement:.2f}, lowest {lowest_agreement:.2f}.")

# %% [markdown]
# We picked the five because it shows it best. On the whole, loud units carry more. But you cannot rely on it.
#
# **What this lesson does not show:** that a unit which reacts to a stroke *means* that stroke. It reacts to
# other things, too, and the answer may rest on others. To know what an answer rests on, switch things off.
#
# Some units never answer at all. They are called **dead**: zero for every picture, at every place. In
# Torch:

# %%
keras_inside = dlx.activations(keras_net, keras_test, ["strokes", "parts", "shapes"])
torch_inside = dlx.activations(torch_net, torch_test, ["strokes", "parts", "shapes"])
dead_keras = int(keras_inside.dead_units()["dead"].sum())
dlx.figures.dead_units(torch_inside)

# %%
dead = (torch_inside.units("shapes") == 0).all(axis=(0, 1))
noise = np.random.default_rng(0).random((2000, 1, 8, 8), dtype=np.float32)
noise_wakes = (dlx.activations(torch_net, noise, "shapes").units("shapes") > 0).any(axis=(0, 1))
print(f"Keras has {dead_keras} dead units. The start is chance, and so is this.")
woken = int((dead & noise_wakes).sum())
print(f"Do they wait for something else? 2000 noise pictures wake {woken} of Torch's {dead.sum()} in shapes.")

# %% [markdown]
# Where ReLU is zero, it hands back no slope. A unit that is zero for all training pictures gets none at
# all, so training cannot wake it.
#
# ## 8 · Your own digit
#
# Draw one, with mouse, finger or keyboard, and follow it through the layers. Then draw something that is no
# digit.

# %%
board = dlx.widgets.DrawingBoard(
    networks, class_names=test.class_names, layers=LAYERS, methods=("input_x_gradient", "occlusion")
)
board

# %% [markdown]
# ## 9 · With your own tools
#
# `dlx.activations` is the same call for both frameworks. Without it: in Keras, a second model from the
# input to the layer. In Torch, a *hook*: a function that is called whenever the layer has run. Or Captum,
# which sets the hook for you.

# %%
from captum.attr import LayerActivation

# Keras: a model that ends at the layer
half = keras.Model(keras_net.inputs[0], keras_net.get_layer("shapes").output)
from_keras = half(keras_test).numpy()

# Torch: a hook
caught = []
hook = torch_net.shapes.register_forward_hook(
    lambda layer, given, answer: caught.append(answer.detach().numpy())
)
torch_net(new_pictures)
hook.remove()  # or it stays for ever

# Captum
from_captum = LayerActivation(torch_net, torch_net.shapes).attribute(new_pictures).detach().numpy()

ours = torch_inside["shapes"]
apart = [float(np.abs(a - b).max()) for a, b in ((from_keras, new), (caught[0], ours), (from_captum, ours))]
print("Largest difference from dlx.activations: Keras {:.0e}, hook {:.0e}, Captum {:.0e}".format(*apart))

# %% [markdown]
# **Where they fail.** Many people write ReLU as a *function*, not as a layer. Same weights, same answers:

# %%
class Short(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.conv1, self.conv2, self.conv3, self.digit = net.conv1, net.conv2, net.conv3, net.digit

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        x = torch.relu(self.conv3(nn.functional.max_pool2d(x, 2)))
        return self.digit(x.flatten(1))


short = Short(torch_net).eval()
with torch.no_grad():
    same_answers = float((short(new_pictures) - torch_net(new_pictures)).abs().max())

# Captum: there is no layer `shapes` any more; the last one to name is conv3
from_short = LayerActivation(short, short.conv3).attribute(new_pictures).detach().numpy()
negative_share, dead_seen = float((from_short < 0).mean()), int((from_short == 0).all(axis=(0, 2, 3)).sum())

# SHAP
try:
    shap.DeepExplainer(short, pictures[:100]).shap_values(new_pictures[:1])
    shap_says = "no complaint"
except AssertionError as refusal:
    shap_says = str(refusal).split("!")[0] + "!"

print(f"Answers: differ by {same_answers:g}")
print(f"Captum:  no complaint; {negative_share:.0%} below zero, {dead_seen} dead units, not {dead.sum()}")
print(f"SHAP:    {shap_says}")

# %% [markdown]
# SHAP stops, and that is well. Captum hands you the sums *before* ReLU, without a word. A hook would do the
# same: it only sees layers. So look at the numbers, not only at the picture: **behind a ReLU there are no
# negative ones**.
#
# Keras has a trap of its own. A network written as a class has no `inputs` to start the second model from:

# %%
class KerasShort(keras.Model):
    def __init__(self, net):
        super().__init__()
        self.steps = net.layers

    def call(self, x):
        for step in self.steps:
            x = step(x)
        return x


keras_short = KerasShort(keras_net)
keras_short(keras_test[:1])  # a class learns its shapes when it first runs
try:
    keras.Model(keras_short.inputs[0], keras_net.get_layer("shapes").output)
    keras_says = "no complaint"
except AttributeError as refusal:
    keras_says = str(refusal)

apart_short = float(np.abs(dlx.activations(keras_short, keras_test, "shapes")["shapes"] - new).max())
print(f"keras.Model:      {keras_says}")
print(f"dlx.activations:  runs the network and watches; differs by {apart_short:.0e}")

# %% [markdown]
# ## 10 · Put it together

# %%
lesson.order("network")

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A convolution slides nine numbers over a picture. Training finds the numbers.
# 2. A deeper unit sees more pixels. That comes from the building plan, not from training.
# 3. Training turns speckle into edges, bars and strokes. The last layer holds ghosts of the digits.
# 4. Digits can be read from *untrained* layers, too. Training's own part is the difference, and it depends
# on the reader.
# 5. A loud unit need not matter, and no digit sits in one unit. To find out, switch off.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
