# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Neurons and layers
#
# A neuron can multiply and add. That is all. Yet many of them together read handwriting and steer cars.
#
# Here you find out how, in the plane, where everything can be drawn.

# %%
import dlexplain as dlx  # first: it keeps TensorFlow and Torch from ending the process together

lesson = dlx.classroom.lesson(1)
lesson

# %% [markdown]
# ## 1 · One neuron
#
# The data: points with two numbers each, `x1` (to the right) and `x2` (upwards). Blue circles on the upper
# moon, orange squares on the lower one. They are made by a formula, so we know the truth. Half of them are
# **held back**: no training ever sees them.
#
# A **neuron** weighs its inputs, adds them up, and adds one more number, the **bias**. The sum is its
# **score**. Above zero means orange.

# %%
import numpy as np

moons, moons_new = dlx.data.two_moons(samples=600, noise=0.15, seed=0).split(0.5, seed=0)
plane = dlx.figures.Window.round(moons.inputs)  # the part of the plane that we look at


def neuron(points, weights, bias):
    return points @ np.array(weights) + bias


def right(scores, labels):
    """The share of points on the right side of the border."""
    return float(((scores > 0) == (labels == 1)).mean())


by_hand = {"only x1": ([1, 0], -0.5), "only x2": ([0, -1], 0.25), "both": ([1, -2], 0)}
dlx.figures.plane_borders(
    {
        f"{name}\n{right(neuron(moons.inputs, w, b), moons.labels):.0%} right": neuron(plane.points, w, b)
        for name, (w, b) in by_hand.items()
    },
    plane, moons.inputs, moons.labels, columns=3, title="Three neurons, set by hand",
    facts=["; ".join(f"{name}: weights {w}, bias {b}" for name, (w, b) in by_hand.items()) + "."],
)

# %% [markdown]
# The colour shows the score, the line is the **border**: the places where the score is zero. With any
# weights, it is a **straight line**. The weights turn it. The bias shifts it.
#
# <details><summary>Why straight? (if you like formulas)</summary>
#
# The border is where $w_1 x_1 + w_2 x_2 + b = 0$. That is the equation of a straight line. The arrow
# $(w_1, w_2)$ stands at a right angle to it and points to the orange side.
# </details>
#
# **Exercise: by hand.** A neuron has the weights 2 and −1 and the bias 0.5. What is its score at the point
# `x1 = 1`, `x2 = 4`?

# %%
### BEGIN SOLUTION
score_by_hand = 2 * 1 + -1 * 4 + 0.5
### END SOLUTION
lesson.check("neuron", score_by_hand, point=np.array([1, 4]), weights=np.array([2, -1]), bias=0.5)

# %% [markdown]
# Nobody sets weights by hand. **Training** does: it starts from chance and takes many small steps, each to
# make the answers a little less wrong. How good can one line get?

# %%
lesson.predict("line")

# %% [markdown]
# In both frameworks, the same four steps. `depth=0` makes a single neuron. What `hidden` and `activation` are
# for comes in sections 2 and 3.

# %%
import keras
from keras import layers
import logging

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # Keras stands on TensorFlow, which talks a lot

# 1 · data
points, labels = moons.inputs, moons.labels


# 2 · network
def keras_network(depth, units=8, activation="tanh"):
    hidden = [layers.Dense(units, activation=activation, name=f"hidden{k}") for k in range(1, depth + 1)]
    return keras.Sequential([keras.Input((2,)), *hidden, layers.Dense(1, name="score")])


# 3 · train
def train_keras(net, points, labels, rounds=500, rate=0.03):
    net.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    return [float(net.train_on_batch(points, labels[:, None])) for _ in range(rounds)]


keras.utils.set_random_seed(0)
keras_line = keras_network(0)
keras_losses = train_keras(keras_line, points, labels)

# 4 · look
line_keras = right(keras_line(moons_new.inputs).numpy()[:, 0], moons_new.labels)
print(f"Keras: {line_keras:.0%} of the points held back are on the right side.")

# %%
import torch
from collections import OrderedDict
from torch import nn

# 1 · data
points, labels = moons.inputs, moons.labels

BENDS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, None: nn.Identity}


# 2 · network
def torch_network(depth, units=8, activation="tanh"):
    steps, width = OrderedDict(), 2
    for k in range(1, depth + 1):
        steps[f"sum{k}"], steps[f"hidden{k}"] = nn.Linear(width, units), BENDS[activation]()
        width = units
    return nn.Sequential(OrderedDict(**steps, score=nn.Linear(width, 1)))


# 3 · train
def train_torch(net, points, labels, rounds=500, rate=0.03):
    points, labels = torch.tensor(points), torch.tensor(labels[:, None], dtype=torch.float32)
    wrongness = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(net.parameters(), rate)
    losses = []
    for _ in range(rounds):
        optimizer.zero_grad()
        loss = wrongness(net(points), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


torch.manual_seed(0)
torch_line = torch_network(0)
torch_losses = train_torch(torch_line, points, labels)


# 4 · look
def score(net, points):
    """The scores of a network of either kind."""
    if isinstance(net, keras.Model):
        return net(points).numpy()[:, 0]
    with torch.no_grad():
        return net(torch.tensor(points)).numpy()[:, 0]


line_torch = right(score(torch_line, moons_new.inputs), moons_new.labels)
lesson.reveal("line", 100 * line_torch)

# %%
dlx.figures.plane_borders(
    {f"Keras\n{line_keras:.0%} of the new points": score(keras_line, plane.points),
     f"Torch\n{line_torch:.0%} of the new points": score(torch_line, plane.points)},
    plane, moons_new.inputs, moons_new.labels, columns=2, title="The best straight line",
)

# %% [markdown]
# Both found the same line. Would more training help? Look at the **loss**: how wrong the answers are, round
# by round.

# %%
dlx.figures.training_curves(
    {"Keras": {"loss": keras_losses}, "Torch": {"loss": torch_losses}}, title="The loss of one neuron"
)

# %% [markdown]
# (An *epoch* is one look at all points. Here it is one round.) The loss has stopped falling. The moons reach into each other, and a straight line cannot.
#
# ## 2 · A bend
#
# Put one bend on the neuron's sum: **negative sums become zero**. This is called **ReLU**. Such a bend is
# called an **activation**. Now let several such neurons answer, called **units**, and let one last neuron add up
# their answers. Watch the border as the units get more.

# %%
def relu(sums):
    return np.maximum(sums, 0)


small = dlx.figures.Window.round(np.array([[-2, -2], [2, 2]]))


def fence(count):
    """3, less what `count` units answer, each of which looks into a direction of its own."""
    angles = 2 * np.pi * np.arange(count) / count + 0.3
    directions = np.stack([np.cos(angles), np.sin(angles)])
    return 3 - 9 / count * relu(small.points @ directions).sum(axis=1)


dlx.figures.plane_borders(
    {f"{count} ReLU unit{'s' * (count > 1)}": fence(count) for count in (1, 2, 3, 8)}, small,
    title="A border made of ReLU units", facts=["Set by hand. Nothing was trained here."],
)

# %% [markdown]
# Each unit is silent on one side of a line and speaks up on the other. Here it takes orange away where it speaks.
# One unit cuts off one side, two cut off two. Three close the border, and where it crosses the line of a unit, it
# has a corner. Eight make it rounder.
#
# **Exercise: a strip.** Two units are given: `relu(x1)` and `relu(-x1)`. Choose two weights and a bias for
# the last neuron, so that everything outside the strip from −1 to 1 is orange, and the strip is blue.

# %%
### BEGIN SOLUTION
strip = [1, 1, -1]
### END SOLUTION
lesson.check("strip", strip)

# %% [markdown]
# The right answer **folds** the plane: along the line `x1 = 0`, the left half is laid on the right half.
# Then one straight cut through the folded sheet makes two cuts in the plane.
#
# ## 3 · Layers
#
# Units side by side are a **hidden layer**. Their answers can go into a second layer, and so on. The number
# of hidden layers is the **depth**. One layer of eight units, on the moons. The activation is `tanh` from
# here on: a smooth bend.

# %%
keras.utils.set_random_seed(0)
torch.manual_seed(0)
keras_moons, torch_moons = keras_network(1), torch_network(1)
train_keras(keras_moons, moons.inputs, moons.labels)
train_torch(torch_moons, moons.inputs, moons.labels)

moons_right = {
    name: right(score(net, moons_new.inputs), moons_new.labels)
    for name, net in {"Keras": keras_moons, "Torch": torch_moons}.items()
}
dlx.figures.plane_borders(
    {f"{name}\n{moons_right[name]:.1%} of the new points": score(net, plane.points)
     for name, net in {"Keras": keras_moons, "Torch": torch_moons}.items()},
    plane, moons_new.inputs, moons_new.labels, columns=2, title="One hidden layer of eight units",
)

# %% [markdown]
# Now something harder: two **spirals**, one wound into the other. Depth 0, 1, 2, 3. Where does the border still
# cut through an arm?

# %%
spirals, spirals_new = dlx.data.spirals(samples=600, turns=2, noise=0.03, seed=0).split(0.5, seed=0)
coil = dlx.figures.Window.round(spirals.inputs)

keras.utils.set_random_seed(0)
torch.manual_seed(0)
keras_nets = {depth: keras_network(depth) for depth in (0, 1, 2, 3)}
torch_nets = {depth: torch_network(depth) for depth in (0, 1, 2, 3)}
for net in keras_nets.values():
    train_keras(net, spirals.inputs, spirals.labels)
for net in torch_nets.values():
    train_torch(net, spirals.inputs, spirals.labels)

spirals_right = {
    f"{name}, depth {depth}": right(score(net, spirals_new.inputs), spirals_new.labels)
    for name, nets in {"Keras": keras_nets, "Torch": torch_nets}.items() for depth, net in nets.items()
}
dlx.figures.plane_borders(
    {f"{title}\n{spirals_right[title]:.0%} right": score(net, coil.points)
     for title, net in zip(spirals_right, [*keras_nets.values(), *torch_nets.values()], strict=True)},
    coil, spirals_new.inputs, spirals_new.labels, title="The spirals, with growing depth",
)

# %% [markdown]
# Keras and Torch start from other chance numbers, and end with other borders. Both wind more with depth.
#
# **Try it yourself.** Build networks and watch them learn. Can one unit do the moons? How few units do the
# spirals need? What does noise do? The playground calls your own functions from above: real networks, real
# training.

# %%
def keras_maker(layers, units, activation, seed):
    keras.utils.set_random_seed(seed)
    net = keras_network(layers, units, None if activation == "none" else activation)
    net.compile(keras.optimizers.Adam(), keras.losses.BinaryCrossentropy(from_logits=True))

    def one_round(points, labels, rate):
        net.optimizer.learning_rate = rate
        return net.train_on_batch(points, labels[:, None])

    return net, one_round


def torch_maker(layers, units, activation, seed):
    torch.manual_seed(seed)
    net = torch_network(layers, units, None if activation == "none" else activation)
    wrongness, optimizer = nn.BCEWithLogitsLoss(), torch.optim.Adam(net.parameters())

    def one_round(points, labels, rate):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = wrongness(net(torch.tensor(points))[:, 0], torch.tensor(labels, dtype=torch.float32))
        loss.backward()
        optimizer.step()
        return loss.item()

    return net, one_round


playground = dlx.widgets.Playground({"Torch": torch_maker, "Keras": keras_maker}, layers=1, units=4)
playground

# %% [markdown]
# ## 4 · More and more layers?

# %%
lesson.predict("deep")

# %%
DEPTHS, STARTS = (0, 1, 2, 3, 6, 12), (0, 1, 2)
learned, new = {depth: [] for depth in DEPTHS}, {depth: [] for depth in DEPTHS}
for depth in DEPTHS:
    for start in STARTS:
        torch.manual_seed(start)
        net = torch_network(depth)
        train_torch(net, spirals.inputs, spirals.labels)
        learned[depth].append(right(score(net, spirals.inputs), spirals.labels))
        new[depth].append(right(score(net, spirals_new.inputs), spirals_new.labels))
new_means = np.array([np.mean(new[depth]) for depth in DEPTHS])
lesson.reveal("deep", 100 * new_means[-1])

# %%
dlx.figures.depth_curve(
    {"points held back": new, "points learned": learned},
    title="The spirals, by depth (Torch)",
    facts=["Small marks: three networks of each depth. Lines: their means."],
)

# %% [markdown]
# Up, and down again. The deep network **could** draw the spirals: nine of its layers would only have to hand
# on what the others make. Training does not find it. Why? Ask how steep the way down is for the weights of
# each layer. That **slope** is all that training has to go by.

# %%
def slopes(depth):
    """The mean size of the slope, for the weights of the first and of the last layer, before training."""
    torch.manual_seed(0)
    net = torch_network(depth)
    scores = net(torch.tensor(spirals.inputs))[:, 0]
    nn.BCEWithLogitsLoss()(scores, torch.tensor(spirals.labels, dtype=torch.float32)).backward()
    every = [layer.weight.grad.abs().mean().item() for layer in net if isinstance(layer, nn.Linear)]
    return every[0], every[-1]


flatter_3, flatter_12 = (last / first for first, last in (slopes(3), slopes(12)))
print(f"Depth 3: the slope in the first layer is {flatter_3:.0f} times flatter than in the last.")
print(f"Depth 12: {flatter_12:.0f} times flatter.")

# %% [markdown]
# Through twelve layers, the first one hardly hears what was wrong. This is called the **vanishing
# gradient**. There are remedies, such as smaller steps, better first weights, or short cuts past layers.
# With this recipe, more layers harm.
#
# **Exercise: how deep is deep enough?** `learned_mean` and `new_mean` hold the means of the curve above, by
# depth. What is the smallest depth that comes within two points (0.02) of the best?

# %%
learned_mean = {depth: float(np.mean(shares)) for depth, shares in learned.items()}
new_mean = {depth: float(np.mean(shares)) for depth, shares in new.items()}
print({depth: round(share, 3) for depth, share in new_mean.items()})

### BEGIN SOLUTION
enough = min(depth for depth, share in new_mean.items() if share >= max(new_mean.values()) - 0.02)
### END SOLUTION
lesson.check("enough", enough, learned=learned_mean, new=new_mean)

# %% [markdown]
# ## 5 · Is it the depth, or the bend?
#
# Perhaps many layers bend all by themselves, and the activation is decoration? **A control that can tell:**
# six layers of eight units, without any activation.

# %%
lesson.predict("linear")

# %%
keras.utils.set_random_seed(0)
torch.manual_seed(0)
linear_nets = {"Keras": keras_network(6, activation=None), "Torch": torch_network(6, activation=None)}
train_keras(linear_nets["Keras"], moons.inputs, moons.labels, rate=0.01)
train_torch(linear_nets["Torch"], moons.inputs, moons.labels, rate=0.01)


def bend(net):
    """How far the scores lie from the nearest even slope, as a part of their range. 0: no bend."""
    scores = score(net, plane.points).astype(float)
    even = np.c_[plane.points, np.ones(len(plane.points))].astype(float)
    nearest = even @ np.linalg.lstsq(even, scores, rcond=None)[0]
    return float(np.abs(scores - nearest).max() / np.ptp(scores))


bend_linear = {name: bend(net) for name, net in linear_nets.items()}
bend_tanh = {"Keras": bend(keras_moons), "Torch": bend(torch_moons)}
linear_right = {
    name: right(score(net, moons_new.inputs), moons_new.labels) for name, net in linear_nets.items()
}
straight = max(bend_linear.values()) < 1e-4
lesson.reveal("linear", "a straight line" if straight else "a line with a few bends")

# %%
dlx.figures.plane_borders(
    {
        **{f"{name}: 6 layers, no activation\n{linear_right[name]:.0%} right, bend {bend_linear[name]:.0e}":
           score(net, plane.points) for name, net in linear_nets.items()},
        f"Torch: 1 layer of tanh\n{moons_right['Torch']:.0%} right, bend {bend_tanh['Torch']:.2f}":
            score(torch_moons, plane.points),
    },
    plane, moons_new.inputs, moons_new.labels, columns=3, title="Without activation, depth bends nothing",
)

# %% [markdown]
# **Exercise: two layers into one.** Here are two layers without activation. Which *one* neuron gives the
# same score? Wanted: its weight for `x1`, its weight for `x2`, its bias.

# %%
# h1 = x1 + 1, h2 = 2·x1 - x2 - 2
first, first_bias = np.array([[1, 2], [0, -1]]), np.array([1, -2])
# score = 3·h1 + h2 + 0.5
second, second_bias = np.array([[3], [1]]), np.array([0.5])

### BEGIN SOLUTION
collapsed = [*(first @ second)[:, 0], (first_bias @ second + second_bias)[0]]
### END SOLUTION
given = {"first": first, "first_bias": first_bias, "second": second, "second_bias": second_bias}
lesson.check("collapse", collapsed, **given)

# %% [markdown]
# **Exercise: what bends?** Your network without activation draws a straight line. What can bend it:
# `"more layers"`, `"more units"`, `"longer training"` or `"an activation"`?

# %%
### BEGIN SOLUTION
bends = "an activation"
### END SOLUTION
lesson.check("bends", bends)

# %% [markdown]
# ## 6 · Does a winding border prove that something was learned?
#
# **The second control: shuffled colours.** We take 100 points, keep their places, and deal out their
# colours anew, by chance. Now nothing can be learned. A large network trains on them.

# %%
lesson.predict("shuffled")

# %%
some = moons.take(np.arange(100))
dealt_anew = np.random.default_rng(0).permutation(some.labels)

keras.utils.set_random_seed(0)
torch.manual_seed(0)
nets_by_labels = {}
for colours, given in {"true colours": some.labels, "shuffled colours": dealt_anew}.items():
    nets_by_labels[f"Keras, {colours}"] = keras_network(3, 32)
    nets_by_labels[f"Torch, {colours}"] = torch_network(3, 32)
    train_keras(nets_by_labels[f"Keras, {colours}"], some.inputs, given, rounds=800, rate=0.01)
    train_torch(nets_by_labels[f"Torch, {colours}"], some.inputs, given, rounds=800, rate=0.01)

seen_right, unseen_right, shown = {}, {}, []
for name, net in nets_by_labels.items():
    shown.append(dealt_anew if "shuffled" in name else some.labels)
    seen_right[name] = right(score(net, some.inputs), shown[-1])
    unseen_right[name] = right(score(net, moons_new.inputs), moons_new.labels)
lesson.reveal("shuffled", 100 * seen_right["Torch, shuffled colours"])

# %%
dlx.figures.plane_borders(
    {f"{name}\nlearned {seen_right[name]:.0%}, new {unseen_right[name]:.0%}": score(net, plane.points)
     for name, net in nets_by_labels.items()},
    plane, some.inputs, shown, columns=2, height=250, title="True and shuffled colours",
)

# %% [markdown]
# The network draws a fence round chance. On the points it learned it looks brilliant. On new points it
# guesses. **So a winding border, and full marks on the points learned, prove nothing.** Only points held
# back do.
#
# It learned 100 colours by heart. Where are they? Perhaps one neuron keeps one point? Switch off the 32
# units of the last layer, one after the other, and count the answers that change.

# %%
import copy

crammed = nets_by_labels["Torch, shuffled colours"]


def answers_without(unit):
    maimed = copy.deepcopy(crammed)
    with torch.no_grad():
        maimed.score.weight[0, unit] = 0
    return score(maimed, some.inputs) > 0


switched = np.stack([answers_without(unit) for unit in range(32)])  # (32 units, 100 points)
moved = switched != (score(crammed, some.inputs) > 0)
no_unit, one_unit, many = (int(n) for n in (
    (moved.sum(axis=0) == 0).sum(), (moved.sum(axis=0) == 1).sum(), (moved.sum(axis=0) > 1).sum()
))
print(f"{no_unit} points keep their colour, whichever unit is off.")
print(f"{one_unit} hang on one unit alone, {many} on several.")

# %% [markdown]
# Most points hang on no single unit. **A neuron stores no memory of a point.** All units together hold the
# border, and the border is all that is kept.
#
# **Exercise: what is kept?** A network has 2 inputs, three layers of 8 units, and one score. It was trained
# on 300 points. How many numbers does it keep after training?

# %%
### BEGIN SOLUTION
kept = (2 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 1
### END SOLUTION
lesson.check("kept", kept, widths=(2, 8, 8, 8, 1), points=300)

# %%
print(f"Keras counts {keras_nets[3].count_params()}.")

# %% [markdown]
# ## 7 · Open the box: what each unit draws
#
# `dlx.activations` gives what every unit of a layer answers, for both frameworks. We ask at every place of
# the plane. The networks: depth 3, on the spirals.
#
# Each small picture is one unit: orange where its answer is above zero, blue where below. Read from the top row
# down.

# %%
HIDDEN = ["hidden1", "hidden2", "hidden3"]
inside_keras = dlx.activations(keras_nets[3], coil.points, HIDDEN)
inside_torch = dlx.activations(torch_nets[3], coil.points, HIDDEN)
dlx.figures.unit_pictures(
    {**{layer: inside_keras[layer] for layer in HIDDEN}, "score": score(keras_nets[3], coil.points)},
    coil, title="Keras: what each unit draws",
)

# %%
dlx.figures.unit_pictures(
    {**{layer: inside_torch[layer] for layer in HIDDEN}, "score": score(torch_nets[3], coil.points)},
    coil, title="Torch: what each unit draws",
)

# %% [markdown]
# First layer: straight lines, each in a direction of its own. Second: bends. Third: pieces of the spiral.
# The score mixes the pieces. **Complex is made of simple, a layer at a time.**
#
# Is that the work of training? The control is the same network, **never trained**. After each layer, we let
# a simple reader draw one straight border through the answers of the units, and count the new points it
# gets right.

# %%
from dlexplain.classroom.drawing import reading_lines
from sklearn.linear_model import LogisticRegression


def straight_reader(net):
    """The share of new points that one straight border gets right, after each layer."""
    shares = {}
    for layer in ("the plane", *HIDDEN):
        known, unknown = (
            data.inputs if layer == "the plane" else dlx.activations(net, data.inputs, layer)[layer]
            for data in (spirals, spirals_new)
        )
        reader = LogisticRegression(C=100, max_iter=5000).fit(known, spirals.labels)
        shares[layer] = float(reader.score(unknown, spirals_new.labels))
    return shares


keras.utils.set_random_seed(1)
torch.manual_seed(1)
readings = {
    "Keras, trained": straight_reader(keras_nets[3]),
    "Keras, never trained": straight_reader(keras_network(3)),
    "Torch, trained": straight_reader(torch_nets[3]),
    "Torch, never trained": straight_reader(torch_network(3)),
}
reading_lines(readings, title="A straight border after each layer", low=0.4)

# %% [markdown]
# Trained layers lay the spirals apart, until one straight cut will do. Untrained layers bend, too, but to no
# purpose.
#
# ## 8 · Open the box: how the plane is folded
#
# To *see* the plane move, every layer must have two units: two numbers in, two numbers out. So narrow a
# network often gets stuck. We start ten, and look at the best one.

# %%
easy, easy_new = dlx.data.two_moons(samples=600, noise=0.1, seed=0).split(0.5, seed=0)
middle = easy.inputs.mean(axis=0)
tries = []
for start in range(10):
    torch.manual_seed(start)
    net = torch_network(4, units=2)
    train_torch(net, easy.inputs - middle, easy.labels, rate=0.05)
    tries.append((right(score(net, easy_new.inputs - middle), easy_new.labels), net))
narrow_right, narrow = max(tries, key=lambda tried: tried[0])
stuck = sum(share < 0.95 for share, _ in tries)
print(f"Of 10 narrow networks, {stuck} got stuck. The best gets {narrow_right:.1%} right.")

# %%
twin = dlx.convert(narrow, to="keras", input_shape=(2,))  # the same weights, in Keras
centred = easy_new.inputs - middle
sheet = dlx.figures.Window.round(centred)
lines = sheet.lines()
straight_lines = lines.reshape(-1, 2)

after_lines = dlx.activations(narrow, straight_lines)
after_points = dlx.activations(narrow, centred)
steps = {"the plane": (lines, centred)}
for layer in ("hidden1", "hidden2", "hidden3", "hidden4"):
    steps[f"after {layer}"] = (after_lines[layer].reshape(lines.shape), after_points[layer])
same = float(np.abs(score(twin, centred) - score(narrow, centred)).max())
dlx.figures.planes(
    steps, easy_new.labels, columns=3,
    cut=(narrow.score.weight.detach().numpy()[0], narrow.score.bias.item()),
    facts=[f"In Torch. Its twin in Keras, with the same weights, differs by {same:.0e}."],
)

# %% [markdown]
# The grid is a rubber sheet. Each layer turns, stretches and bends it, and never tears it. At the end there is
# little more than a thread, with one moon at each end. The last neuron does what a neuron can do: **it draws
# a straight line** (dashed).
#
# <details><summary>Fold or stretch?</summary>
#
# ReLU lays parts of the sheet flat on the axes: a fold, and what lies in one place can never be parted
# again. `tanh` only squeezes: places come so near to each other that the difference no longer counts.
# </details>
#
# **What this does not show.** Real networks have hundreds of units a layer. Their sheet has hundreds of
# directions, and no picture shows it whole.
#
# ## 9 · Which input decided, and where?
#
# At each place: how much of the score is owed to `x1`, how much to `x2`? **Integrated gradients** share it
# out. They compare the place with a **baseline**, here the middle of the moons, and the credits add up to
# the change of the score (lesson 04 tells how).
#
# In the maps, orange says: here this input speaks for orange. Blue: for blue. The line is the border.

# %%
coarse = dlx.figures.Window.round(moons.inputs, side=40)
centre = moons.inputs.mean(axis=0)
credit_keras = dlx.explain(keras_moons, coarse.points, "integrated_gradients", target=0, baseline=centre)
credit_torch = dlx.explain(torch_moons, coarse.points, "integrated_gradients", target=0, baseline=centre)
dlx.figures.credit_maps(
    {"Keras": credit_keras.values, "Torch": credit_torch.values}, coarse,
    {"Keras": score(keras_moons, coarse.points), "Torch": score(torch_moons, coarse.points)},
    title="Credit of x1 and of x2",
)

# %% [markdown]
# `x2` speaks for blue above and for orange below. `x1` changes sides from place to place. In numbers:

# %%
credits = {"Keras": credit_keras.values, "Torch": credit_torch.values}
x2_against_height = {n: float(np.corrcoef(c[:, 1], coarse.points[:, 1])[0, 1]) for n, c in credits.items()}
x1_for_orange = {n: float((c[:, 0] > 0).mean()) for n, c in credits.items()}
for name in credits:
    print(f"{name}: x2's credit falls with the height (correlation {x2_against_height[name]:.2f}).")
    print(f"       x1 speaks for orange on {x1_for_orange[name]:.0%} of the plane, for blue on the rest.")

# %% [markdown]
# No single sentence such as "x2 is the important one" is true everywhere.
#
# Mind the corners: strong colours, and no points. Nobody taught the network anything there.
#
# **A control with a known truth.** Same points, but now *we* say the colours: orange where `x1` is above
# 0.5. Only `x1` counts. If the method is sound, `x2` must go away nearly empty.

# %%
known_truth = (moons.inputs[:, 0] > 0.5).astype(int)
keras.utils.set_random_seed(0)
torch.manual_seed(0)
only_x1 = {"Keras": keras_network(1), "Torch": torch_network(1)}
train_keras(only_x1["Keras"], moons.inputs, known_truth)
train_torch(only_x1["Torch"], moons.inputs, known_truth)


def part_of_x2(net, base):
    """x2's part of the sizes of all credits, over the points held back."""
    sizes = np.abs(dlx.explain(net, moons_new.inputs, target=0, baseline=base).values).sum(axis=0)
    return float(sizes[1] / sizes.sum())


x2_moons = {"Keras": part_of_x2(keras_moons, centre), "Torch": part_of_x2(torch_moons, centre)}
x2_control = {name: part_of_x2(net, centre) for name, net in only_x1.items()}
for name in ("Keras", "Torch"):
    print(f"{name}: x2 carries {x2_moons[name]:.0%} on the moons, "
          f"and {x2_control[name]:.0%} where it does not count.")

# %% [markdown]
# **With your own tools.** The same from Captum, called directly. It takes the Torch network as it is.

# %%
from captum.attr import IntegratedGradients

from_captum, captum_gap = IntegratedGradients(torch_moons).attribute(
    torch.tensor(coarse.points), baselines=torch.tensor(centre[None]), target=0, n_steps=200,
    return_convergence_delta=True,
)
difference = float(np.abs(from_captum.detach().numpy() - credit_torch.values).max())
largest = float(np.abs(credit_torch.values).max())
print(f"Largest difference from dlx.explain: {difference:.1e}, where credits reach {largest:.1f}.")

# %% [markdown]
# **Where it fails.** Leave the baseline out, and Captum takes the point (0, 0). In a picture of ink, zero is
# paper. Here it is a place like any other, and one of the moons may pass close by.

# %%
at_zero = np.zeros((1, 2), np.float32)
zero_score = float(score(torch_moons, at_zero)[0])
zero_credit = IntegratedGradients(torch_moons).attribute(torch.tensor(at_zero), target=0)[0].tolist()
x2_by_baseline = {
    "the middle": part_of_x2(torch_moons, centre), "(0, 0)": part_of_x2(torch_moons, at_zero[0]),
    "upper left": part_of_x2(torch_moons, np.array([-1, 1], np.float32)),
    "lower right": part_of_x2(torch_moons, np.array([2, -0.5], np.float32)),
}
print(f"At (0, 0) the score is {zero_score:+.1f}.")
print(f"The credits: x1 {abs(zero_credit[0]):.1f}, x2 {abs(zero_credit[1]):.1f}.")
print("x2 carries, by baseline:", ", ".join(f"{name} {part:.0%}" for name, part in x2_by_baseline.items()))

# %% [markdown]
# A firm answer, and nobody gets credit for it. Neither Captum nor we are wrong: credit is shared out of the
# *change* from the baseline, and there is none. **Credit has no meaning without its baseline.** Say it with
# every map.
#
# ## 10 · Put it together

# %%
lesson.order("step")

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A neuron weighs, adds and shifts. In the plane it draws one straight line.
# 2. An activation puts a bend in. Without it, depth is only a longer way to write a straight line.
# 3. Layers fold the plane until one straight cut will do. Units draw simple things first, then complex ones.
# 4. More layers help, until training no longer finds the way. Only points held back can tell.
# 5. Full marks on the points learned prove nothing, and a map of credit says nothing without its baseline.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
