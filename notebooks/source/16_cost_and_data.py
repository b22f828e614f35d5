# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 16 · Cost and data
#
# You have an idea. A network could do it. Before anyone signs, two people knock at your door.
#
# The first asks: **what does it cost?** The second asks: **is the data fit?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(16)
lesson

# %%
import time

import numpy as np
from IPython.display import Markdown
from sklearn.datasets import load_breast_cancer, load_digits

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_16 import costs
from dlexplain.classroom.lessons.lesson_16 import drawing as own
from dlexplain.classroom.lessons.lesson_16.planner import Planner

digits = load_digits()
rng = np.random.default_rng(0)
shuffle = rng.permutation(len(digits.images))
pictures, truth = (digits.images[shuffle] / 16).astype(np.float32), digits.target[shuffle]
known, new = pictures[:1200], pictures[1200:]  # to learn from; locked up for the end
truth_known, truth_new = truth[:1200], truth[1200:]

wrong = rng.random(len(known)) < 0.12  # we spoil about one label in eight, and remember which
given = truth_known.copy()
given[wrong] = (given[wrong] + rng.integers(1, 10, wrong.sum())) % 10
some = [*np.flatnonzero(wrong)[:4], *np.flatnonzero(~wrong)[:8]]
rng.shuffle(some)
dlx.figures.images(known[some], titles=[f"label: {given[i]}" for i in some], columns=6,
                   title="Twelve of 1,200 examples to learn from. Four labels are wrong.")

# %% [markdown]
# A **label** is the right answer that someone wrote beside an example. Which four are wrong? Some are easy to see. Some
# are not. At three seconds each, 1,200 labels take an hour, and a million take five weeks, day and night. People cost
# money, and people err.
#
# We spoiled these labels ourselves, so **we know the truth**. Later a network shall find the wrong ones.
#
# First the bill. Guess.

# %%
lesson.predict("dearest")

# %% [markdown]
# ## Part one: what does it cost?
#
# Three small networks of this course:
#
# - a **perceptron** for a table: is a lump malignant? 30 numbers from a microscope,
# - a **conv net** that reads digits (lesson 02),
# - a **transformer** that reads the same digits row by row, as in lesson 13 it read words.
#
# A network multiplies and adds. That is nearly all it does. One multiplication or one addition is one
# **operation**. One way through the network, from example to answer, is a **forward pass**.
#
# **Exercise 1: count.** A dense layer multiplies each input with a weight for each output, and adds up. `layers` lists
# the numbers of inputs and outputs, such as `[(30, 16), (16, 2)]`. How many operations has a forward pass? (Leave the
# biases out: they are few.)

# %%
def operations(layers):
    ### BEGIN SOLUTION
    return sum(2 * inputs * outputs for inputs, outputs in layers)
    ### END SOLUTION


lesson.check("operations", operations)

# %% [markdown]
# Multiplying takes electricity. A processor core draws some **15 watts** under load. We *assume* this. The package
# `codecarbon` looks it up, or measures it where the computer has a meter (`pip install dlexplain[energy]`). Ask it, while
# the processor multiplies.

# %%
many = known.reshape(len(known), -1)
watts = costs.watts_by_codecarbon(lambda: many @ many.T)
Markdown(f"codecarbon says: about **{watts:.0f} W**, memory included. We stay with 15 W."
         if watts else "codecarbon is not installed, or has no answer here. We stay with 15 W.")

# %% [markdown]
# Now train all three, in Keras and in Torch, and hold a stopwatch beside them. It counts **processor seconds**: what
# our program used, whatever else the computer does.

# %%
import keras
from keras import layers

# 1 · data
table = load_breast_cancer()
mixed = np.random.default_rng(0).permutation(len(table.data))
raw = table.data[mixed].astype(np.float32)
sick = 1 - table.target[mixed]  # 1: malignant
mean, deviation = raw[:380].mean(axis=0), raw[:380].std(axis=0)
cells = (raw - mean) / deviation
tasks = {  # inputs and answers to learn from, then new ones
    "perceptron": (cells[:380], sick[:380], cells[380:], sick[380:]),
    "conv net": (known[..., None], truth_known, new[..., None], truth_new),
    "transformer": (known, truth_known, new, truth_new),
}
EPOCHS = 10  # how often each example is seen


# 2 · network
def perceptron(columns=30):
    return keras.Sequential([
        layers.Input((columns,)), layers.Dense(16, activation="relu"), layers.Dense(2)])


def conv_net():
    return keras.Sequential([
        layers.Input((8, 8, 1)), layers.Conv2D(8, 3, activation="relu"),
        layers.Conv2D(16, 3, activation="relu"), layers.Flatten(), layers.Dense(10)])


def transformer():
    rows = layers.Input((8, 8))
    x = layers.Dense(16)(rows)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x)])
    x = layers.Add()([x, layers.Dense(16)(layers.Dense(32, activation="relu")(x))])
    return keras.Model(rows, layers.Dense(10)(layers.Flatten()(x)))


# 3 · train
def train_keras(network, inputs, answers, epochs=EPOCHS):
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.005), wrongness)
    network.fit(inputs, answers, epochs=epochs, batch_size=32, verbose=0)
    return network


nets_keras, seconds_keras, right_keras = {}, {}, {}
builders = {"perceptron": perceptron, "conv net": conv_net, "transformer": transformer}
for name, build in builders.items():
    keras.utils.set_random_seed(0)
    inputs, answers, new_inputs, new_answers = tasks[name]
    began = time.process_time()
    nets_keras[name] = train_keras(build(), inputs, answers)
    seconds_keras[name] = time.process_time() - began
    # 4 · look
    said = nets_keras[name].predict(new_inputs, verbose=0).argmax(axis=1)
    right_keras[name] = float((said == new_answers).mean())

# %%
import torch
from torch import nn

# 1 · data: Torch wants the channel of a picture first
first = {name: [np.moveaxis(x, -1, 1).copy() if x.ndim == 4 else x for x in task]
         for name, task in tasks.items()}


# 2 · network
def perceptron_torch(columns=30):
    return nn.Sequential(nn.Linear(columns, 16), nn.ReLU(), nn.Linear(16, 2))


def conv_net_torch():
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(),
                         nn.Flatten(), nn.Linear(256, 10))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.attend = nn.Linear(8, 16), nn.MultiheadAttention(16, 2, batch_first=True)
        self.up, self.down, self.out = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(128, 10)

    def forward(self, rows):
        x = self.into(rows)
        x = x + self.attend(x, x, x)[0]
        x = x + self.down(torch.relu(self.up(x)))
        return self.out(x.flatten(1))


# 3 · train
def train_torch(network, inputs, answers, epochs=EPOCHS):
    inputs, answers = torch.tensor(inputs), torch.tensor(answers)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(32):
            loss = nn.functional.cross_entropy(network(inputs[batch]), answers[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


train_torch(perceptron_torch(), *first["perceptron"][:2], epochs=1)  # warm up, off the clock
nets_torch, seconds_torch, right_torch = {}, {}, {}
builders = {"perceptron": perceptron_torch, "conv net": conv_net_torch, "transformer": Transformer}
for name, build in builders.items():
    torch.manual_seed(0)
    inputs, answers, new_inputs, new_answers = first[name]
    began = time.process_time()
    nets_torch[name] = train_torch(build(), inputs, answers)
    seconds_torch[name] = time.process_time() - began
    # 4 · look
    said = dlx.wrap(nets_torch[name]).predict(new_inputs).argmax(axis=1)
    right_torch[name] = float((said == new_answers).mean())

draw.table({
    name: {"right: Keras": f"{right_keras[name]:.1%}", "right: Torch": f"{right_torch[name]:.1%}",
           "training: Keras": f"{seconds_keras[name]:.2f} s",
           "training: Torch": f"{seconds_torch[name]:.2f} s"}
    for name in tasks})

# %% [markdown]
# All are right on most new examples. Keras spends a part of its seconds before the first step: it writes a plan of
# all operations. For tiny networks that part is large.
#
# Now count instead of timing. `flops` watches one example on its way and counts each product of matrices.

# %%
def count(nets, data):
    return {name: dlx.wrap(nets[name]).flops((task[0][:1],)).total for name, task in data.items()}


count_keras, count_torch = count(nets_keras, tasks), count(nets_torch, first)
weights = {name: network.count_params() for name, network in nets_keras.items()}
each_weight = {name: count_keras[name] / weights[name] for name in tasks}
draw.table({
    name: {"weights": f"{weights[name]:,}", "operations: Keras": f"{count_keras[name]:,}",
           "operations: Torch": f"{count_torch[name]:,}", "for each weight": f"{each_weight[name]:.1f}"}
    for name in tasks})

# %% [markdown]
# Keras and Torch do the same work. The perceptron is your exercise: two operations a weight (less for the biases, which
# are weights, too).
#
# But the conv net uses **each weight at many places**: its small filter slides over the picture. The
# transformer uses each weight for each row. **Weights say how much memory. Operations say how much work.**
#
# ## Training: three passes in place of one
#
# To learn, the network also goes **back**: a slope for each weight, and one for each value between layers. That is
# two products for each one on the way there. So training costs **about 3 × forward** for each
# example, in each epoch. Is that so? Torch has its own counter. It knows nothing of ours.

# %%
from torch.utils.flop_counter import FlopCounterMode


def there_and_back(network, inputs):
    with FlopCounterMode(display=False) as counter:
        network(torch.tensor(inputs[:1])).sum().backward()
    return counter.get_total_flops()


times = {name: there_and_back(nets_torch[name], first[name][0]) / count_torch[name] for name in tasks}
draw.table({name: {"there and back, in forward passes": f"{value:.2f}"}
            for name, value in times.items()})

# %% [markdown]
# Between 2 and 3. The first layer saves something: nobody asks for the slope of the *input*. The perceptron is
# nearly all first layer. In deep networks this saving vanishes. **We plan with 3.**
#
# **Memory.** Training keeps four numbers for each weight: the weight, its slope, and two running means of the
# method Adam. It also keeps each layer's values (**activations**) for the way back, for each example of the
# batch.

# %%
activations = {  # bytes of one example, times 32
    f"{name}, {label}": 32 * dlx.wrap(nets[name]).row_bytes((data[name][0][:1],))
    for label, nets, data in (("Keras", nets_keras, tasks), ("Torch", nets_torch, first)) for name in tasks}
draw.table({
    name: {"weights alone": costs.size_of(4 * weights[name.split(", ")[0]]),
           "in training, × 4": costs.size_of(16 * weights[name.split(", ")[0]]),
           "activations of a batch of 32": costs.size_of(kept)} for name, kept in activations.items()})

# %% [markdown]
# With each batch, activations take about as much as the weights, or more. (The two frameworks name and merge layers differently, so their
# sums differ. The networks are the same.)
#
# ## Operations are not seconds
#
# It is tempting to say: twice the operations, twice the time. Test it. Networks of one kind, from narrow to wide.
# The widest does many hundred times the operations of the narrowest. Guess.

# %%
lesson.predict("slower")

# %%
def fastest(run, inputs, tries=12):
    run(inputs)  # once to warm up
    clock = []
    for _ in range(tries):
        began = time.perf_counter()
        run(inputs)
        clock.append(time.perf_counter() - began)
    return min(clock)  # the least disturbed


WIDTHS, batch = [16, 64, 256, 1024], np.zeros((64, 64), np.float32)
work = [2 * 64 * (64 * width + width * width + 10 * width) for width in WIDTHS]  # for 64 answers
clock = {"Keras": [], "Torch": []}
for width in WIDTHS:
    wide = keras.Sequential([layers.Input((64,)), layers.Dense(width, "relu"),
                             layers.Dense(width, "relu"), layers.Dense(10)])
    clock["Keras"].append(fastest(wide.predict_on_batch, batch))
    wide_torch = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                               nn.Linear(width, 10))
    with torch.inference_mode():
        clock["Torch"].append(fastest(wide_torch, torch.from_numpy(batch)))
own.widths(work, clock, title="64 answers: time over operations")

# %%
more_work = work[-1] / work[0]
more_time = {name: values[-1] / values[0] for name, values in clock.items()}
slow = more_time["Torch"] / more_work
lesson.reveal("slower", ["far fewer times longer", "about as many times longer",
                         "even more times longer"][int(slow > 0.6) + int(slow > 1.6)])

# %%
Markdown(f"**{more_work:,.0f} times** the operations took **{more_time['Keras']:,.0f} times** as long "
         f"in Keras and **{more_time['Torch']:,.0f} times** in Torch. A small network spends its time on "
         "*starting* work. So “time grows with operations” is a good rule for large networks and a bad "
         "one for small ones. **The planner below uses it. Keep its weakness in mind.**")

# %% [markdown]
# ## From seconds to money
#
# We take 15 watts for a core, as above. A **kilowatt-hour** (kWh) is 1,000 watts for an hour.
#
# **Exercise 2: the electricity bill.** `seconds` of work, `watts`, and the `price` of a kilowatt-hour.

# %%
def electricity(seconds, watts, price):
    ### BEGIN SOLUTION
    return seconds / 3600 * watts / 1000 * price
    ### END SOLUTION


lesson.check("electricity", electricity)

# %%
def measured(name):
    done = costs.training_operations(count_torch[name], len(tasks[name][0]), EPOCHS)
    kept = dlx.wrap(nets_torch[name]).row_bytes((first[name][0][:1],))
    return costs.Measured(name, weights[name], count_torch[name], done / seconds_torch[name], kept)


networks = [measured(name) for name in ("conv net", "perceptron", "transformer")]
core = costs.Machine("one core of this computer", watts=15)
plan = costs.Plan(network=networks[0], machine=core, size=1, labels=1200, epochs=EPOCHS,
                  answers_a_month=1000, explained=0, label=0.10, hour=0.10, kwh=0.30)
lines = costs.bill(plan)
draw.table({name: {"computer or people": costs.money(line.money),
                   "electricity": costs.money(line.electricity)}
            for name, line in lines.items() if name != "explanations"})

# %%
heads = {"people's time for labels": lines["labels"].total,
         "the computer's hours": sum(line.money for line in lines.values()) - lines["labels"].money,
         "electricity": sum(line.electricity for line in lines.values())}
lesson.reveal("dearest", max(heads, key=heads.get))

# %% [markdown]
# For a small network, **people are the bill**. Electricity comes in when a network is huge, or when millions use it.
#
# ## What an explanation costs
#
# The methods of lessons 04 and 05 run the network again and again. How often? Count the passes of one explanation. (A
# pass back counts as two.)

# %%
asked = {
    "saliency": {}, "integrated_gradients": {"steps": 32}, "smoothgrad": {"samples": 32},
    "occlusion": {"window": 2, "stride": 1}, "kernel_shap": {"samples": 500},
}
passes = {method: costs.passes(nets_keras["conv net"], new[:4, ..., None], method, **options).cost
          for method, options in asked.items()}
passes_torch = {method: costs.passes(nets_torch["conv net"], new[:4, None], method, **options).cost
                for method, options in asked.items()}
dlx.figures.bars(list(passes.values()), list(passes), axis="forward passes for one explanation (Keras)",
                 title="An explanation costs many answers")

# %%
same = "the same" if passes_torch == passes else "nearly the same"
Markdown(f"Explain each answer with Kernel SHAP, and your year of answers costs "
         f"**{1 + passes['kernel_shap']:,.0f} times** as much. With saliency: "
         f"**{1 + passes['saliency']:.0f} times**. Torch needs {same} passes: the method decides.")

# %% [markdown]
# ## A control: does our arithmetic hold for giants?
#
# Our rules were measured on tiny networks. Try them on a giant whose bill was published: GPT-3. It has 175 billion
# weights and learned from 300 billion **tokens** (pieces of words). By our rule: 2 operations a weight there,
# times 3 for training.

# %%
ours = 3 * 2 * 175e9 * 300e9
published = 3.14e23  # Brown and others, 2020
giant = costs.Machine("V100, as measured", watts=330 * 1.10, per_second=24.6e12)  # Patterson
hours = ours / giant.per_second / 3600
mwh = hours * giant.watts / 1e6
mwh_of_peak = ours / (0.4 * 125e12) / 3600 * giant.watts / 1e6  # speed on paper
draw.table({
    "operations": {"our rule": costs.quantity(ours), "published": costs.quantity(published)},
    "energy": {"our rule": f"{mwh:,.0f} MWh", "published": "1,287 MWh"},
    "energy, speed guessed": {"our rule": f"{mwh_of_peak:,.0f} MWh", "published": "1,287 MWh"},
})

# %% [markdown]
# The count holds, from a thousand weights to 175 billion. For the energy we needed the chips' *measured* speed and watts.
# (330 W, and a tenth more for cooling.) In the last row we guessed: 40 % of the speed in the data sheet. Then we say
# less than half of what it was. **Operations are sure. Speed is the weak line of every plan.**
#
# ## How many labels do we need?
#
# Labels are dear. So: how many? Train on few, on more, on all, and look at the errors. Three draws each.

# %%
def conv_right(inputs, answers, epochs, seed=0):
    torch.manual_seed(seed)
    network = train_torch(conv_net_torch(), inputs[:, None], answers, epochs)
    return network, float((dlx.wrap(network).predict(new[:, None]).argmax(axis=1) == truth_new).mean())


SIZES = [50, 100, 200, 400, 1200]
errors = np.zeros((3, len(SIZES)))
for seed in range(3):
    for place, size in enumerate(SIZES):
        drawn = np.random.default_rng(seed).permutation(1200)[:size]
        epochs = max(8, 4000 // size)
        errors[seed, place] = 1 - conv_right(known[drawn], truth_known[drawn], epochs, seed)[1]
law = costs.fitted(SIZES[:-1], errors.mean(axis=0)[:-1])  # the last size is kept back
whole_law = costs.fitted(SIZES, errors.mean(axis=0))  # all sizes: for the planner
promised, came = law.errors(1200), float(errors.mean(axis=0)[-1])
figure = draw.curves(
    SIZES, {"measured": errors.mean(axis=0),
            "law from the first four": [law.errors(size) for size in SIZES]},
    spread={"measured": errors.std(axis=0), "law from the first four": [0] * 5}, doubling=True,
    title="Errors over labels", across_title="labelled digits", up_title="errors on new digits")
figure.update_yaxes(dtick="D1")
figure

# %%
held = "The law held, here."
if not 0.9 < came / promised < 1.1:
    held = "The law was too hopeful." if came > promised else "The law was too gloomy."
Markdown(f"On these axes (each step multiplies) the points lie near a straight line. That is a "
         f"**scaling law**: ten times the labels leave **{10 ** -law.power:.0%}** of the errors. We kept "
         f"the last size back. For 1,200 labels the law promised **{promised:.1%}** errors. "
         f"**{came:.1%}** came. {held} A law is a ruler laid on points. Beyond them it is a guess.")

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# A dense layer $y = Wx$ with $m$ inputs and $n$ outputs: $2mn$ operations. On the way back it needs
# $\partial L/\partial W = \delta x^\top$ and $\partial L/\partial x = W^\top \delta$: $2mn$ each. So training is
# $3 \cdot 2mn$, or $C \approx 6ND$ for $N$ weights that are each used once for each of $D$ tokens. Energy in kWh is
# watts × seconds / 3,600,000. The law of errors is $E = a\,n^{-b}$: a straight line of $\log E$ over $\log n$.
# </details>
#
# ## Part two: is the data fit?
#
# ### Wrong labels
#
# Back to the spoiled digits. Whom can we ask? A network that has **not** learned from the row. Cut the rows into four
# parts. Hold one part back, learn from the other three, ask about the part held back. Do so four times.

# %%
fold = np.arange(len(known)) % 4


def chances_torch():
    chances = np.zeros((len(known), 10))
    for k in range(4):
        network, _ = conv_right(known[fold != k], given[fold != k], epochs=6, seed=k)
        with torch.no_grad():
            chances[fold == k] = network(torch.tensor(known[fold == k][:, None])).softmax(dim=1).numpy()
    return chances


def chances_keras():
    chances = np.zeros((len(known), 10))
    for k in range(4):
        keras.utils.set_random_seed(k)
        network = train_keras(conv_net(), known[fold != k][..., None], given[fold != k], epochs=6)
        chances[fold == k] = keras.ops.softmax(network.predict(known[fold == k][..., None], verbose=0))
    return chances


sure_torch, sure_keras = chances_torch(), chances_keras()

# %% [markdown]
# Each row now has ten **chances**, one for each digit. How sure is “sure”? That differs from digit to digit. So take,
# for each digit, how sure the network **usually** is on rows with that label. A row is **suspect** if for *another* digit it
# is at least that sure. This is **confident learning**.
#
# **Exercise 3: suspects.** `usual` is given. Say for each row whether it is suspect.

# %%
def suspects(chances, labels):
    usual = np.array([chances[labels == k, k].mean() for k in range(chances.shape[1])])
    ### BEGIN SOLUTION
    sure = np.where(chances >= usual, chances, 0)
    return (sure.max(axis=1) > 0) & (sure.argmax(axis=1) != labels)
    ### END SOLUTION


lesson.check("suspects", suspects)

# %%
from dlexplain.classroom.lessons.lesson_16.checks import suspects as by_hand

found = by_hand(sure_torch, given)
worst = np.flatnonzero(found)[np.argsort(sure_torch[found, given[found]])[:12]]
dlx.figures.images(known[worst], columns=6, title="The twelve most suspect rows",
                   titles=[f"label: {given[i]}\nlooks like {sure_torch[i].argmax()}" for i in worst])

# %% [markdown]
# ### How good is the list? And a control
#
# We know which labels we spoiled. So count: how many suspects are truly wrong, and how many wrong ones were found? Beside it:
#
# - **cleanlab**, the package for this,
# - a control: the same chances, **shuffled among the rows**. They know nothing of their row.
#
# And a temptation: skip the four parts. Let one network learn all rows for long, then ask it about them.

# %%
lesson.predict("by_heart")

# %%
from cleanlab.filter import find_label_issues


def judged(found):
    return {"rows on the list": int(found.sum()), "of these truly wrong": float(wrong[found].mean()),
            "of the wrong ones found": float(found[wrong].mean())}


learned, right_noisy = conv_right(known, given, epochs=30)  # long enough to learn by heart
with torch.no_grad():
    by_heart = learned(torch.tensor(known[:, None])).softmax(dim=1).numpy()
lists = {
    "by hand, Torch": by_hand(sure_torch, given),
    "by hand, Keras": by_hand(sure_keras, given),
    "cleanlab, Torch": find_label_issues(given, sure_torch, n_jobs=1),
    "control: shuffled chances": by_hand(np.random.default_rng(0).permutation(sure_torch), given),
    "learned by heart": by_hand(by_heart, given),
}
noise = {name: judged(found) for name, found in lists.items()}
draw.table({name: {column: f"{value:.0%}" if isinstance(value, float) else value
                   for column, value in row.items()} for name, row in noise.items()})

# %%
found_of = {name: row["of the wrong ones found"] for name, row in noise.items()}
right_of = {name: row["of these truly wrong"] for name, row in noise.items()}
share = found_of["learned by heart"] / found_of["by hand, Torch"]
lesson.reveal("by_heart", ["far fewer", "about as many", "more of them"][(share > 0.7) + (share > 1.2)])

# %%
Markdown(f"The control puts nearly every row on its list: **{right_of['control: shuffled chances']:.0%}** of "
         f"it is wrong, as in the data ({wrong.mean():.0%}). The real list is right in "
         f"**{right_of['by hand, Torch']:.0%}**. The network that learned by heart repeats the errors it was "
         f"taught. It finds only **{found_of['learned by heart']:.0%}**.")

# %%
lesson.order("steps")

# %% [markdown]
# **What the list does not show.** A suspect may be right and merely ugly. An error that all labellers share (a
# seven with a bar, always called four) is learned as truth and never found. So a **person** looks. But only at the
# list. Does that pay?

# %%
repaired = given.copy()
on_list = lists["by hand, Torch"]
repaired[on_list] = truth_known[on_list]  # a person looked at the list, and only there
scores = {"as given": [right_noisy], "the list repaired": [], "no wrong labels at all": []}
for seed in range(2):
    if seed:
        scores["as given"].append(conv_right(known, given, 30, seed)[1])
    scores["the list repaired"].append(conv_right(known, repaired, 30, seed)[1])
    scores["no wrong labels at all"].append(conv_right(known, truth_known, 30, seed)[1])
scores = {name: float(np.mean(values)) for name, values in scores.items()}
looked = int(on_list.sum())
draw.table({name: {"new digits right": f"{value:.1%}"} for name, value in scores.items()})

# %%
Markdown(f"A person looked at **{looked}** rows instead of {len(known):,}. That cost "
         f"{looked / len(known):.0%} of the price of labelling anew.")

# %% [markdown]
# ### A column that knows too much
#
# Now the table: is a lump malignant? Someone adds a column, **surgery**: was the patient operated on? It looks like
# any other. But it is written down *after* the diagnosis. For a new patient it is always 0. That is a
# **leak**. We plant it, and beside it a **coin** that knows nothing.

# %%
luck = np.random.default_rng(0)
surgery = np.where(luck.random(len(sick)) < 0.995, sick, 1 - sick)  # nearly always the diagnosis
coin = luck.integers(0, 2, len(sick))
names = [*map(str, table.feature_names), "surgery", "coin"]
columns = np.column_stack([raw, surgery, coin]).astype(np.float32)
centre, width = columns[:380].mean(axis=0), columns[:380].std(axis=0)
rows, rows_new = (columns[:380] - centre) / width, (columns[380:] - centre) / width
today = columns[380:].copy()
today[:, names.index("surgery")] = 0  # in use nobody has been operated on yet
rows_today = (today - centre) / width

keras.utils.set_random_seed(0)
torch.manual_seed(0)
leaky = {"Keras": train_keras(perceptron(32), rows, sick[:380], 20),
         "Torch": train_torch(perceptron_torch(32), rows, sick[:380], 20)}
ill = sick[380:] == 1


def caught(network, inputs):
    return float((dlx.wrap(network).predict(inputs).argmax(axis=1)[ill] == 1).mean())


leak = {name: {"in the test": caught(network, rows_new), "in use": caught(network, rows_today)}
        for name, network in leaky.items()}
honest = caught(train_torch(perceptron_torch(), rows[:, :30], sick[:380], 20), rows_new[:, :30])
leak["Torch, without the column"] = {"in the test": honest, "in use": honest}
draw.table({name: {place: f"{value:.0%} of the sick caught" for place, value in row.items()}
            for name, row in leak.items()})

# %% [markdown]
# The test looks splendid. In use, sick people are sent home. **No test score can warn you: the test has the leak, too.**
# What can? Ask the network what it looks at, and ask each column what it knows alone.

# %%
from sklearn.metrics import roc_auc_score


def alone(column):  # how well the column by itself tells sick from well: 0.5 not at all, 1 always
    area = roc_auc_score(sick[:380], column)
    return max(area, 1 - area)


alone_of = {name: float(alone(rows[:, k])) for k, name in enumerate(names)}
credit = {name: np.abs(dlx.explain(network, rows_new, "integrated_gradients", target=1,
                                   baseline=rows.mean(axis=0), tolerance=0.02).values).mean(axis=0)
          for name, network in leaky.items()}
order = np.argsort(-credit["Keras"])
shown = [*order[:7], names.index("coin")]
draw.groups({name: values[shown] for name, values in credit.items()}, [names[k] for k in shown],
            title="What the networks look at", axis="mean size of the credit for “malignant”")

# %%
strongest = sorted(alone_of, key=alone_of.get, reverse=True)[:4]
leads = {name: names[int(values.argmax())] for name, values in credit.items()}
draw.table({name: {"alone": f"{alone_of[name]:.3f}",
                   "credit, Torch": f"{credit['Torch'][names.index(name)]:.2f}"}
            for name in [*strongest, "coin"]})

# %%
honest_best = next(name for name in strongest if name != "surgery")
Markdown(f"Both networks give most credit to **{leads['Keras']}**. Alone it tells, of a sick and a "
         f"well patient, which is which in **{alone_of['surgery']:.1%}** of all pairs. But look: "
         f"**{honest_best}**, an honest measurement, reaches {alone_of[honest_best]:.1%}. The coin, our "
         f"control: {alone_of['coin']:.1%}, hardly more than guessing.")

# %% [markdown]
# And even the coin gets some credit: a network finds patterns in luck, too. What earns no more than a coin is noise.
#
# So a strong column is a **question**, not a verdict. No statistic parts a leak from a good measurement. Ask: *who
# writes this down, and when? Will it be there on the day of use?*
#
# ### The same, straight from SHAP

# %%
import shap


def shap_sizes(background, asked):
    explainer = shap.DeepExplainer(leaky["Torch"], torch.tensor(background))
    values = np.asarray(explainer.shap_values(torch.tensor(asked), check_additivity=False))[..., 1]
    return dict(zip(names, np.abs(values).mean(axis=0).tolist(), strict=True))


shap_test = shap_sizes(rows[:100], rows_new)
shap_use = shap_sizes(rows_today[:100], rows_today)
first_test = max(shap_test, key=shap_test.get)
draw.table({name: {"SHAP, asked on the test": f"{shap_test[name]:.2f}",
                   "SHAP, asked in use": f"{shap_use[name]:.2f}"}
            for name in [*sorted(shap_test, key=shap_test.get, reverse=True)[:4], "coin"]})

# %% [markdown]
# On the test, SHAP names the leak. **In use it falls silent**: the column is 0 for everybody, so nobody differs in it,
# and it gets no credit. Yet just this 0 sends the sick home. SHAP made no mistake. It compares patients with
# *each other*. **Look for leaks in the training data, not in use.**
#
# ### Drift: another clinic
#
# The network goes to a second clinic. Its microscope is set otherwise: we shift **mean texture**, and stretch **mean
# smoothness** by a tenth. New data that are distributed otherwise are called **drift**. To find it, compare each column of
# the old and the new rows. A *two-sample test* (Kolmogorov-Smirnov) gives **p**: how often chance alone would make
# such a difference.
#
# **Exercise 4: false alarms.** We test 30 columns, and cry “drift” where p is under 0.05. Suppose nothing drifted.
# How many alarms do you expect all the same? And which limit for p, in place of 0.05, makes up for it? Give
# `[alarms, limit]`.

# %%
### BEGIN SOLUTION
alarms = [30 * 0.05, 0.05 / 30]
### END SOLUTION
lesson.check("alarms", alarms, columns=30)

# %%
from scipy.stats import ks_2samp

clinic = raw[380:].copy()
column_names = list(map(str, table.feature_names))
moved = ["mean texture", "mean smoothness"]
clinic[:, 1] += 0.8 * deviation[1]
clinic[:, 4] *= 1.1


def tests(old, new_rows):
    pairs = zip(old.T, new_rows.T, strict=True)
    return np.array([ks_2samp(a, b, method="asymp").pvalue for a, b in pairs])


LIMIT = 0.05 / 30
half = np.random.default_rng(0).permutation(len(raw))
compared = {"control: two halves": tests(raw[half[::2]], raw[half[1::2]]),
            "the other clinic": tests(raw[:380], clinic)}
found_drift = [column_names[k] for k in np.flatnonzero(compared["the other clinic"] < LIMIT)]
own.pvalues(compared, column_names, LIMIT, title="Each dot is a column")

# %%
crowd = [tests(raw[mix[::2]], raw[mix[1::2]]) for mix in
         (np.random.default_rng(seed).permutation(len(raw)) for seed in range(60))]
false_alarms = {"limit 0.05": [int((p < 0.05).sum()) for p in crowd],
                "limit 0.05/30": [int((p < LIMIT).sum()) for p in crowd]}
draw.table({name: {"false alarms, on average": f"{np.mean(values):.2f}",
                   "comparisons with any": f"{np.mean(np.array(values) > 0):.0%}"}
            for name, values in false_alarms.items()})

# %% [markdown]
# Sixty times we cut the *same* data into halves: nothing drifted. The plain limit cries wolf in every second
# comparison. The shared limit seldom does, and still finds both columns that we moved.
#
# **What this test cannot see.** It looks at one column at a time. Here is a devilish clinic: each column is
# shuffled for itself. Each looks as before, but radius no longer fits area. Only something that looks at columns
# *together* can tell. The audit has that: a small classifier that tries to tell old rows from new ones.

# %%
devil = raw[380:].copy()
for k in range(devil.shape[1]):
    devil[:, k] = np.random.default_rng(k).permutation(devil[:, k])
silent = tests(raw[380:], devil)


def sheet(rows_asked, labels_asked, columns_used=30, network=nets_torch["perceptron"], start=cells):
    return dlx.audit(network, rows_asked.astype(np.float32), labels_asked,
                     train=(start[:380], sick[:380]), feature_names=names[:columns_used],
                     class_names=["benign", "malignant"], sections=[3, 10])


def check_of(record, name):
    return next(check for check in record.checks if check.name == name)


devil_check = check_of(sheet((devil - mean) / deviation, sick[380:]), "drift")
Markdown(f"Column by column: **{int((silent < LIMIT).sum())}** alarms. "
         f"The audit: **{devil_check.status}**. It says: {devil_check.reason}")

# %% [markdown]
# ## The data sheet
#
# A **data sheet** says what the data are and what is wrong with them. The audit of lesson 18 writes one. Here are five:
# one for each fault (a fifth of the new labels spoiled, the leak, the other clinic), one for all three at once, and one
# for the data repaired.

# %%
spoiled = np.where(np.random.default_rng(1).random(len(ill)) < 0.2, 1 - sick[380:], sick[380:])
elsewhere = (clinic - mean) / deviation
leaky_elsewhere = np.column_stack([elsewhere, rows_new[:, 30:]])
records = {
    "wrong labels": sheet(cells[380:], spoiled),
    "leak": sheet(rows_new, sick[380:], 32, leaky["Torch"], rows),
    "other clinic": sheet(elsewhere, sick[380:]),
    "all three": sheet(leaky_elsewhere, spoiled, 32, leaky["Torch"], rows),
    "repaired": sheet(cells[380:], sick[380:]),
}
questions = ["label_noise", "univariate_leakage", "drift", "duplicates", "split_leakage",
             "missing_values"]
sheets = {check_of(records["repaired"], name).title:
          {fault: check_of(record, name).status for fault, record in records.items()}
          for name in questions}
draw.table(sheets)

# %%
Markdown(f"All three at once. {check_of(records['all three'], 'univariate_leakage').reason}")

# %% [markdown]
# Alone, each fault is found. **Together, one hides another**: beside wrong labels, not even the leak fits the answers so
# well, and it slips under the limit. So repair one fault, and ask again.
#
# A PASS says: this test found nothing. Whether the patients of this table are like *yours*, no test
# can know. Ask who collected them, where, and for what.
#
# ## Can we afford it?
#
# Now the planner. It takes the networks that you measured, and grows them by the rules above. The dashed line is
# your budget. Try:
#
# 1. Make “no” of “yes” with one slider. Then “yes” again, with another one.
# 2. From how many answers a month on is training no longer worth a word?
# 3. With ten billion answers a month, explain each by Kernel SHAP. What happens?
# 4. Make the network a billion times as large. What is dearest now?

# %%
gpu = costs.Machine("an H100 GPU, at 40 % of its data sheet", watts=700, per_second=0.4 * 989e12)
explanations = {"saliency": passes["saliency"],
                "integrated gradients, 32 steps": passes["integrated_gradients"],
                "Kernel SHAP, 500 samples": passes["kernel_shap"]}
planner = Planner(networks, [core, gpu], explanations, whole_law, law_of="conv net")
planner

# %%
from dataclasses import replace

plans = {
    "our digit reader": plan,
    "a doctor labels": replace(plan, label=5.0),
    "three billion answers a month": replace(plan, answers_a_month=3e9),
    "and each explained by Kernel SHAP": replace(plan, answers_a_month=3e9,
                                                 explained=passes["kernel_shap"]),
    "a billion times as large": replace(plan, size=1e9),
}
planned = {name: costs.bill(each) for name, each in plans.items()}
dear = {name: costs.dearest(each) for name, each in planned.items()}
draw.table({name: {"first year": costs.money(costs.total(each)), "dearest line": dear[name],
                   "energy": f"{costs.quantity(sum(line.kwh for line in each.values()))} kWh"}
            for name, each in planned.items()})

# %% [markdown]
# One network, five plans, different dearest lines. **Ask for the dearest line first. Save there.**
#
# Three honest warnings. The speed is that of tiny networks on one core: large ones run nearer to the machine's best.
# A tiny one on a GPU is far slower than planned. And the dearest thing is not on the bill at all: the people who
# try, fail and try again.
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Count operations: 2 for each use of a weight, 3 times that for training. Speed, watts and prices are assumptions: state them.
# 2. Small networks cost people; large ones, and many answers, cost machines. Find the dearest line first.
# 3. Wrong labels: ask a network that has not seen the row, and let a person look at the list.
# 4. A leak shines in the test and fails in use. Ask of each strong column: who writes it down, and when?
# 5. Drift: test each column with a limit shared among them, try it on two halves, and look at columns together, too.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
