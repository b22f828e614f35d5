# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 · SHAP
#
# A network looks at ten measurements of a tumour and says “malignant”. **How much of that answer does each
# measurement deserve?**
#
# You will find the one fair way to share, first with three musicians and a pencil. Then you will share out
# what real networks say, and learn what the shares hide.

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(5)
lesson

# %% [markdown]
# ## 1 · Three musicians
#
# Ana sings, Ben drums, Cleo plays the bass. Each line-up earns a different sum for an evening. Nobody comes to
# hear a bass alone.

# %%
from itertools import permutations

import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_05 import game
from dlexplain.classroom.lessons.lesson_05.boards import BackgroundBoard, GameBoard

BAND = ("Ana", "Ben", "Cleo")
earns = {
    frozenset(): 0,
    frozenset({"Ana"}): 60, frozenset({"Ben"}): 30, frozenset({"Cleo"}): 0,
    frozenset({"Ana", "Ben"}): 120, frozenset({"Ana", "Cleo"}): 90, frozenset({"Ben", "Cleo"}): 60,
    frozenset({"Ana", "Ben", "Cleo"}): 210,
}
line_ups = [some for some in game.line_ups(BAND) if some]
dlx.figures.bars([earns[some] for some in line_ups], [" + ".join(sorted(some)) for some in line_ups],
                 title="What each line-up earns", axis="€ an evening")

# %% [markdown]
# Tonight all three play and earn 210 €. Who gets how much?
#
# Let them come on stage one after the other. Each one's arrival lifts the sum. Say Ana comes first, then Ben,
# then Cleo: they lift it by 60, by 60 and by 90.
#
# But the order is arbitrary. In another order the same people lift it by other sums. So take **all six
# orders**, and average.

# %%
lesson.predict("ana")

# %%
lifts_of_ana = []
for order in permutations(BAND):
    already_there = frozenset(order[: order.index("Ana")])
    lift = earns[already_there | {"Ana"}] - earns[already_there]
    lifts_of_ana.append(lift)
    print(f"{', '.join(order):16} Ana lifts {earns[already_there]:3} € by {lift:3} €")

# %%
lesson.reveal("ana", float(np.mean(lifts_of_ana)))

# %% [markdown]
# The mean lift over all orders is called the **Shapley value**. It is what *SHAP* is named after.
#
# **Exercise 1: Cleo's share, by hand.** The same for the bass. Take the sums from the first figure. Paper and
# pencil will do.

# %%
### BEGIN SOLUTION
cleo = (90 + 30 + 90 + 30 + 0 + 0) / 6
### END SOLUTION
lesson.check("cleo", cleo, earns=earns)

# %% [markdown]
# Now for any number of players. Put the algorithm together.

# %%
lesson.order("shapley")

# %%
def shapley(worth, players):
    share = dict.fromkeys(players, 0.0)
    orders = list(permutations(players))
    for order in orders:
        there = frozenset()
        for player in order:
            share[player] += worth[there | {player}] - worth[there]
            there = there | {player}
    return {player: total / len(orders) for player, total in share.items()}


fair = shapley(earns, BAND)
game.orders_picture(earns, BAND, unit="€")

# %% [markdown]
# Look along a row: its three bars always make up 210. Look down a column: that is how one player's lift hangs
# on who is there already.
#
# **Play.** Change what the line-ups earn. Then try to
#
# 1. make Ben and Cleo **twins**: they add the same everywhere;
# 2. make Cleo a **passenger**: she adds nothing, whoever is there;
# 3. give somebody a share **below zero**.

# %%
presets = {
    "the evening": earns,
    "only together": {some: 210 * (len(some) == 3) for some in game.line_ups(BAND)},
    "each for themselves": {some: sum(earns[frozenset({p})] for p in some)
                            for some in game.line_ups(BAND)},
    "Ben is too loud": {**earns, frozenset({"Ana", "Ben"}): 30, frozenset(BAND): 60},
}
GameBoard(presets, BAND, unit="€")

# %% [markdown]
# ## 2 · Four rules
#
# Why the mean over all orders, and not something simpler? Because of four rules that sound fair:
#
# | rule | says |
# | --- | --- |
# | **efficiency** | the shares make up the whole sum: the bill adds up |
# | **symmetry** | twins get the same |
# | **dummy** | a passenger gets nothing |
# | **additivity** | two evenings together pay each one the sum of both |
#
# Lloyd Shapley proved in 1953: **only one way of sharing keeps all four.** It is this one.
#
# **Exercise 2: which rule breaks?** Below are two evenings and three other ways to share. Each way breaks one
# of the first three rules, on one of the evenings. Name the rule for A, B and C.

# %%
everybody = frozenset(BAND)
evening_1 = {some: 100 * ("Ana" in some) + 80 * ("Ben" in some) for some in game.line_ups(BAND)}
evening_2 = {some: (0, 20, 90, 180)[len(some)] for some in game.line_ups(BAND)}
ways = {
    "A: all get the same": lambda worth: [worth[everybody] / 3] * 3,
    "B: what each earns alone": lambda worth: [worth[frozenset({p})] for p in BAND],
    "C: lifts in the order Ana, Ben, Cleo": lambda worth: game.rises(worth, BAND)[BAND].values(),
    "Shapley": lambda worth: game.shares(worth, BAND).values(),
}
draw.table({
    way: {f"evening {k}, {worth[everybody]} € in all": " · ".join(
              f"{name} {value:.0f}" for name, value in zip(BAND, share(worth), strict=True))
          for k, worth in ((1, evening_1), (2, evening_2))}
    for way, share in ways.items()
})

# %% [markdown]
# On evening 1 Cleo is a passenger. On evening 2 all three are alike.

# %%
### BEGIN SOLUTION
broken_rules = ["dummy", "efficiency", "symmetry"]
### END SOLUTION
lesson.check("rules", broken_rules)

# %% [markdown]
# The fourth rule, on numbers: add the two evenings up, share the sum, and compare.

# %%
both_evenings = {some: evening_1[some] + evening_2[some] for some in game.line_ups(BAND)}
share_1, share_2, share_both = (shapley(worth, BAND) for worth in (evening_1, evening_2, both_evenings))
additivity_gap = max(abs(share_both[p] - share_1[p] - share_2[p]) for p in BAND)
draw.table({
    "evening 1 + evening 2": {p: f"{share_1[p]:.0f} + {share_2[p]:.0f}" for p in BAND},
    "both in one": {p: f"{share_both[p]:.0f}" for p in BAND},
})

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# Let $N$ be the $n$ players and $v(S)$ what the set $S$ earns. The Shapley value of player $i$ is
# $$\phi_i = \sum_{S \subseteq N \setminus \{i\}} \frac{|S|!\,(n-|S|-1)!}{n!}\,\big(v(S \cup \{i\}) - v(S)\big).$$
# The fraction is the share of the $n!$ orders in which exactly the players of $S$ come before $i$. Efficiency:
# along one order the lifts telescope to $v(N) - v(\emptyset)$, and so does their mean.
# </details>
#
# ## 3 · The players are columns now
#
# Real data: cells from 569 breast tumours, seen through a microscope. Ten measurements each, and what the
# tumour turned out to be. The networks never see a quarter of the patients.

# %%
cancer = dlx.data.load("breast_cancer")
train, test = cancer.split(0.25, seed=0)
columns = [name.removeprefix("mean ") for name in cancer.feature_names[:10]]

inputs = train.standardised().inputs[:, :10]              # each column: mean 0, typical distance 1
new_inputs = test.standardised(like=train).inputs[:, :10]
labels = (train.labels == 0).astype(np.float32)           # 1: malignant
new_labels = (test.labels == 0).astype(np.float32)

some_columns = [0, 1, 2, 3, 4, 6]
draw.table({
    f"patient {i}": {"the tumour was": ("benign", "malignant")[int(new_labels[i])],
                     **{columns[j]: f"{test.inputs[i, j]:.3g}" for j in some_columns}}
    for i in (1, 60, 100, 120)
})

# %% [markdown]
# Six of the ten columns. *Texture* is how much the grey of the cells varies. *Concavity* is how deep their
# outline is dented.
#
# The same small network in Keras and in Torch. One score: above zero means “malignant”.

# %%
import keras
from keras import layers


# 2 · network
def network_keras(width):
    return keras.Sequential([
        keras.Input((width,)),
        layers.Dense(8, activation="relu"),
        layers.Dense(1),
    ])


# 3 · train
def train_keras(inputs, labels):
    keras.utils.set_random_seed(0)  # the same start for everyone
    net = network_keras(inputs.shape[1])
    wrongness = keras.losses.BinaryCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss=wrongness)
    net.fit(inputs, labels, epochs=15, batch_size=32, verbose=0)
    return net


net_keras = train_keras(inputs, labels)

# 4 · look
reader_keras = dlx.wrap(net_keras, feature_names=columns, class_names=["malignant"])
accuracy_keras = float(((reader_keras.predict(new_inputs)[:, 0] > 0) == new_labels).mean())
print(f"Keras is right on {accuracy_keras:.1%} of the new patients.")

# %%
import torch
from torch import nn


# 2 · network
def network_torch(width):
    return nn.Sequential(nn.Linear(width, 8), nn.ReLU(), nn.Linear(8, 1))


# 3 · train
def train_torch(inputs, labels):
    torch.manual_seed(0)
    net = network_torch(inputs.shape[1])
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    patients, answers = torch.tensor(inputs), torch.tensor(labels)
    for _ in range(15):
        for batch in torch.randperm(len(patients)).split(32):
            scores = net(patients[batch])[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(scores, answers[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net.eval()


net_torch = train_torch(inputs, labels)

# 4 · look
reader_torch = dlx.wrap(net_torch, feature_names=columns, class_names=["malignant"])
accuracy_torch = float(((reader_torch.predict(new_inputs)[:, 0] > 0) == new_labels).mean())
print(f"Torch is right on {accuracy_torch:.1%} of the new patients.")

# %% [markdown]
# ### What does “absent” mean?
#
# A musician can stay at home. A column cannot: the network wants ten numbers, always. So we **fill in** for the
# absent columns what *other patients* have there, and take the mean score. Those other patients are called the
# **background**.

# %%
background = inputs[np.random.default_rng(0).permutation(len(inputs))[:50]]  # 50 patients


def mean_score(reader, patient, present):
    filled = background.copy()
    filled[:, present] = patient[present]
    return float(reader.predict(filled)[:, 0].mean())


# %% [markdown]
# Put the ten columns into three teams: three players, eight sets. Then it is the musicians' game again. Look along
# the rows, and down the columns, as before.

# %%
teams = {
    "size": ["radius", "perimeter", "area"],
    "surface": ["texture", "smoothness"],
    "outline": ["compactness", "concavity", "concave points", "symmetry", "fractal dimension"],
}
who = 1
patient = new_inputs[who]


def game_of(reader):
    return {
        some: mean_score(reader, patient, [columns.index(n) for team in some for n in teams[team]])
        for some in game.line_ups(tuple(teams))
    }


game_keras, game_torch = game_of(reader_keras), game_of(reader_torch)
game.orders_picture(game_keras, tuple(teams), unit="points of score (Keras)", places=1)

# %%
game.orders_picture(game_torch, tuple(teams), unit="points of score (Torch)", places=1)

# %%
found = dlx.explain(reader_keras, patient[None], "exact_shapley", baseline=background,
                    groups=list(teams.values()))
in_teams = [found.values[0, [columns.index(name) for name in team]].sum() for team in teams.values()]
by_hand = list(shapley(game_keras, tuple(teams)).values())
teams_difference = float(np.abs(np.subtract(by_hand, in_teams)).max())
start, end = float(found.baseline_output[0]), float(found.output[0])
Markdown(f"Along each row the lifts lead from the background's mean score, **{game.number(start, 1)}**, to "
         f"this patient's, **{game.number(end, 1)}**. `dlx.explain(…, \"exact_shapley\")` gives the same three "
         f"shares. The largest difference: {game.tiny(teams_difference)}.")

# %% [markdown]
# ### Ten players
#
# Ten columns have 1,024 sets and more than three million orders. A computer asks every set once and weighs the
# answers: **brute force**, no estimate.
#
# In the figure, orange lifts the score towards “malignant”, blue pulls it towards “benign”. Do the two networks
# agree?

# %%
exact_keras = dlx.explain(reader_keras, new_inputs[:100], "exact_shapley", baseline=background)
exact_torch = dlx.explain(reader_torch, new_inputs[:100], "exact_shapley", baseline=background)
dlx.Comparison({"Keras": exact_keras[who:who + 1], "Torch": exact_torch[who:who + 1]}).plot(
    title="One patient, two networks", names=[f"patient {who}"])

# %% [markdown]
# The package **SHAP** draws Keras's numbers as a staircase. Read it from below: it climbs from the background's
# mean score `E[f(X)]` to this patient's score `f(x)`. Red goes up, blue goes down.

# %%
import shap

told = exact_keras.to_shap()          # any result of dlx.explain, as SHAP's own kind of object
told.data = test.inputs[:100, :10]    # show the measurements in their own units
shap.plots.waterfall(told[who], show=False)
draw.from_matplotlib(f"SHAP's waterfall plot of patient {who}: a step for each column, from the mean score "
                     "of the background to this patient's score.", height=4.4)

# %% [markdown]
# **Exercise 3: read one step.** Take the column with the deepest *blue* step. Its share is written there with
# a minus. Which sentence reads it rightly?
#
# - **A**: This measurement does not matter for this patient.
# - **B**: Without this measurement the network's score would be higher by just this number.
# - **C**: Measured against the 50 others, this value pulls the score down; this is its fair share of the pull.
# - **D**: If a treatment changed this value to that of the others, the tumour would be more dangerous.

# %%
### BEGIN SOLUTION
reading = "C"
### END SOLUTION
lesson.check("reading", reading)

# %%
deepest = int(exact_keras.values[who].argmin())
present = [i for i in range(10) if i != deepest]
change_without = mean_score(reader_keras, patient, present) - float(exact_keras.output[who])
deepest_share = float(exact_keras.values[who, deepest])
Markdown(f"The share of **{columns[deepest]}** is **{deepest_share:+.2f}**. Fill in only this column from "
         f"the others, and the score changes by **{change_without:+.2f}**. That is one lift of many: the one "
         "in which it comes *last*. The share is the mean over all orders.")

# %% [markdown]
# ## 4 · When players are many
#
# 64 pixels have 2⁶⁴ sets. Nobody can ask them all. There are two ways out.
#
# **Kernel SHAP** asks a *sample* of the sets and fits the shares that agree best with the answers. It needs
# nothing but scores, so it works on any model.

# %%
tries = [24, 50, 100, 200, 400, 800, 1022]
off = []
for samples in tries:
    guess = dlx.explain(reader_keras, new_inputs[:20], "kernel_shap", baseline=background,
                        samples=samples)
    off.append(float(np.abs(guess.values - exact_keras.values[:20]).mean()))
draw.curves(tries, {"Keras": off}, title="Kernel SHAP comes nearer",
            across_title="sets asked, of 1,022", up_title="mean distance from the exact share")

# %% [markdown]
# When it may ask all sets, it is exact. (Two sets need no asking: nobody, and everybody.) So is SHAP's own
# version:

# %%
def score_keras(patients):
    return reader_keras.predict(np.asarray(patients, np.float32))[:, 0]


kernel = shap.KernelExplainer(score_keras, background)
shap_values = kernel.shap_values(new_inputs[:5], l1_reg=0, silent=True)
kernel_difference = float(np.abs(shap_values - exact_keras.values[:5]).max())
print(f"Largest difference between shap.KernelExplainer and brute force: {game.tiny(kernel_difference)}.")

# %% [markdown]
# It takes any *function*. So let it share the mean score of **both** networks: a team of two. By the fourth
# rule each share must be the mean of the two networks' shares.

# %%
def score_both(patients):
    patients = np.asarray(patients, np.float32)
    return (reader_keras.predict(patients)[:, 0] + reader_torch.predict(patients)[:, 0]) / 2


kernel = shap.KernelExplainer(score_both, background)
shares_both = kernel.shap_values(new_inputs[:5], l1_reg=0, silent=True)
mean_of_shares = (exact_keras.values[:5] + exact_torch.values[:5]) / 2
team_difference = float(np.abs(shares_both - mean_of_shares).max())
print(f"Largest difference: {game.tiny(team_difference)}.")

# %% [markdown]
# **DeepSHAP** looks inside. For each pair of patient and background patient, it hands the change of the score
# back through the layers, once. It asks no sets at all. It keeps the bill, and it is *near* the Shapley values,
# not equal to them. Each dot below is one share; on the dotted line both ways give the same.

# %%
deep_keras = dlx.explain(reader_keras, new_inputs[:100], "deepshap", baseline=background)
deep_torch = dlx.explain(reader_torch, new_inputs[:100], "deepshap", baseline=background)
clouds = {"Keras": (exact_keras.values.ravel(), deep_keras.values.ravel()),
          "Torch": (exact_torch.values.ravel(), deep_torch.values.ravel())}
deep_agreement = {name: float(np.corrcoef(x, y)[0, 1]) for name, (x, y) in clouds.items()}
deep_off = float(np.abs(exact_keras.values - deep_keras.values).max())
draw.points(clouds, title="100 patients, ten shares each", across="brute force", up="DeepSHAP",
            diagonal=True)

# %% [markdown]
# SHAP has this, too: `DeepExplainer`, for both frameworks.

# %%
import logging
import warnings

logging.getLogger("tensorflow").setLevel(logging.ERROR)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SHAP talks about versions of TensorFlow
    explainer_keras = shap.DeepExplainer(net_keras, background)
    shap_keras = explainer_keras.shap_values(new_inputs[:100])
    explainer_torch = shap.DeepExplainer(net_torch, torch.tensor(background))
    shap_torch = explainer_torch.shap_values(torch.tensor(new_inputs[:100]))

deep_difference = {"Keras": float(np.abs(shap_keras[..., 0] - deep_keras.values).max()),
                   "Torch": float(np.abs(shap_torch[..., 0] - deep_torch.values).max())}
print("shap.DeepExplainer beside ours, largest difference:",
      ", ".join(f"{name} {game.tiny(value)}" for name, value in deep_difference.items()))

# %% [markdown]
# **Where it fails.** Write the Torch network a second time, with the same weights, and with `relu` as a
# *function*. SHAP's version looks for relu *layers* and finds none.

# %%
class Functional(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.first, self.last = network[0], network[2]

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


same_network = Functional(net_torch).eval()
asked = torch.tensor(new_inputs[:100])
complaint = ""
try:
    shap.DeepExplainer(same_network, torch.tensor(background)).shap_values(asked)
except AssertionError as fault:
    complaint = str(fault).split("!")[0] + "!"
ours = dlx.explain(same_network, new_inputs[:100], "deepshap", baseline=background)
functional_difference = float(np.abs(ours.values - deep_torch.values).max())
Markdown(f"SHAP: *{complaint}* The **bill** caught it. (With `check_additivity=False` it would have "
         "passed in silence.) `dlx.explain` follows the operations themselves. Between the two ways of "
         f"writing, its shares differ by {game.tiny(functional_difference)}.")

# %% [markdown]
# ## 5 · Many patients at once
#
# One patient, one staircase. For a hundred patients SHAP has two more plots. The **bar** plot shows the mean
# size of the shares. The **beeswarm** shows every patient as a dot. To the right: it lifted the score. Red: the
# value was high.

# %%
shap.plots.bar(told, max_display=11, show=False)
draw.from_matplotlib("SHAP's bar plot: the mean size of each column's share over 100 patients, Keras.",
                     height=4.2)

# %%
shap.plots.beeswarm(told, max_display=11, show=False)
draw.from_matplotlib("SHAP's beeswarm plot: 100 dots a column; across, its share; "
                     "red where the column's value is high.", height=4.6)

# %% [markdown]
# Ours puts networks side by side. The third one is a **control**: the same network, trained on *shuffled*
# answers. It knows nothing. How long are its bars?

# %%
shuffled_labels = np.random.default_rng(0).permutation(labels)
reader_shuffled = dlx.wrap(train_keras(inputs, shuffled_labels), feature_names=columns)
accuracy_shuffled = float(((reader_shuffled.predict(new_inputs)[:, 0] > 0) == new_labels).mean())
exact_shuffled = dlx.explain(reader_shuffled, new_inputs[:100], "exact_shapley", baseline=background)

size = {"Keras": np.abs(exact_keras.values).mean(0), "Torch": np.abs(exact_torch.values).mean(0),
        "Keras, answers shuffled": np.abs(exact_shuffled.values).mean(0)}
size = {name: values.tolist() for name, values in size.items()}
draw.groups(size, columns, title="Mean size of the shares", axis="score")

# %%
bill_gaps = {name: float(each.gap.max()) for name, each in
             {"Keras": exact_keras, "Torch": exact_torch, "shuffled": exact_shuffled}.items()}
majority = float(max(new_labels.mean(), 1 - new_labels.mean()))
Markdown(f"The shuffled network is right on {accuracy_shuffled:.0%} of the patients. Calling *everybody* "
         f"benign would give {majority:.0%}. Its shares are small. But **its bill adds up just as well**: "
         f"the gap is {game.tiny(bill_gaps['shuffled'])}. A bill that adds up says that the sharing is "
         "right. It does not say that the network is.")

# %% [markdown]
# **Do the named columns matter?** Take the patients that the network calls malignant. Fill in the columns from
# the background, one by one, those with the largest share first. If the shares are right, the score must fall
# faster than in random order, and faster than in the order of the shuffled network.

# %%
positive = np.flatnonzero(exact_keras.output > 0)


def fall(values):
    """The mean score while columns are filled in, those with the largest value first."""
    scores = []
    for i, row in zip(positive, values, strict=True):
        order = np.argsort(-row, kind="stable")
        scores.append([mean_score(reader_keras, new_inputs[i], order[gone:]) for gone in range(11)])
    return np.mean(scores, axis=0).tolist()


falls = {
    "by its own shares": fall(exact_keras.values[positive]),
    "by the shuffled network's": fall(exact_shuffled.values[positive]),
    "in random order": fall(np.random.default_rng(0).random((len(positive), 10))),
}
draw.curves(range(11), falls, title="Fill in the named columns first", across_title="columns filled in",
            up_title="mean score")

# %% [markdown]
# ## 6 · Compared with whom?
#
# The background decides what there is to share. **Exercise 4: by hand.** A “network” without any bend:
#
# > `score = 2 · a − 3 · b`
#
# The background has the means a = 1 and b = 2. The patient has a = 4 and b = 1. What are the shares of `a` and
# `b`? (Without a bend, a lift is the same in every order.)

# %%
### BEGIN SOLUTION
straight = [2 * (4 - 1), -3 * (1 - 2)]
### END SOLUTION
lesson.check("straight", straight)

# %% [markdown]
# So a share is about the **difference** from the background. Now choose whom to compare with. Watch where the
# staircase starts, and which steps turn round.

# %%
def some_of(label):
    chosen = np.flatnonzero(labels == label)
    return inputs[np.random.default_rng(0).permutation(chosen)[:50]]


backgrounds = {
    "50 of all patients": background,
    "50 benign patients": some_of(0),
    "50 malignant patients": some_of(1),
    "one average patient": np.zeros((1, 10), np.float32),
}
shown = [1, 17, 60, 75, 100, 120]
people = [f"patient {i} (was {'malignant' if new_labels[i] else 'benign'})" for i in shown]
compared = {
    name: {label: dlx.explain(reader, new_inputs[shown], "exact_shapley", baseline=rows)
           for label, rows in backgrounds.items()}
    for name, reader in (("Keras", reader_keras), ("Torch", reader_torch))
}
BackgroundBoard(compared, columns, people)

# %%
healthy, ill = (compared["Keras"][f"50 {kind} patients"] for kind in ("benign", "malignant"))
starts = [float(found.baseline_output[0]) for found in (healthy, ill)]
turned = int((np.sign(healthy.values) != np.sign(ill.values)).sum())
scores_of_17 = [float(each["50 benign patients"].output[1]) for each in compared.values()]

others_50 = inputs[np.random.default_rng(1).permutation(len(inputs))[:50]]
again = dlx.explain(reader_keras, new_inputs[:100], "exact_shapley", baseline=others_50)
wobble = float(np.abs(again.values - exact_keras.values).mean() / np.abs(exact_keras.values).mean())
Markdown(f"Against benign patients the staircase starts at **{game.number(starts[0], 1)}**, against malignant "
         f"ones at **{game.number(starts[1], 1)}**. Of {healthy.values.size} shares, **{turned}** change "
         "their sign. Even 50 "
         f"*other* patients drawn from all of them move the shares by **{wobble:.0%}** of their size.")

# %% [markdown]
# None is wrong. “Why more than the benign ones?” and “why more than other cancers?” are different questions.
# **A share without its background says nothing.**
#
# Did you meet patient 17? The tumour was benign, and the networks call it malignant. The shares explain a
# mistake as smoothly as a right answer.
#
# ## 7 · Columns that go together
#
# Now the hard part. Radius, perimeter and area of a cell all say *how big*. Each pair is nearly one line.
#
# **They share.** What one column alone would have earned is split among the three. Each looks small, the team
# does not.

# %%
alone = dict(zip(columns, size["Keras"], strict=True))
size_team = float(np.abs(exact_keras.values[:, [columns.index(n) for n in teams["size"]]].sum(1)).mean())
alone_or_team = {**{n: v for n, v in alone.items() if n not in teams["size"]},
                 **{f"· {n}": alone[n] for n in teams["size"]}, "size: all three": size_team}
dlx.figures.bars(list(alone_or_team.values()), list(alone_or_team), axis="score",
                 title="Mean size of the shares (Keras)",
                 facts=["A dot before the name: a member of the team “size”."])

# %% [markdown]
# **Two copies.** Give the networks the column *texture* a second time, and train them anew.

# %%
lesson.predict("copy")

# %%
t = columns.index("texture")


def with_copy(rows):
    return np.concatenate([rows, rows[:, [t]]], axis=1)


more, new_more, more_background = (with_copy(rows) for rows in (inputs, new_inputs[:100], background))
copied = {"Keras": train_keras(more, labels), "Torch": train_torch(more, labels)}
before = {"Keras": exact_keras, "Torch": exact_torch}
split = {}
for name, net in copied.items():
    values = dlx.explain(net, new_more, "exact_shapley", baseline=more_background).values
    shares = {"before": before[name].values[:, t], "first copy": values[:, t],
              "second copy": values[:, 10], "both together": values[:, t] + values[:, 10]}
    split[name] = {label: float(np.abs(share).mean()) for label, share in shares.items()}
draw.table({name: {k: f"{v:.2f}" for k, v in row.items()} for name, row in split.items()})

# %%
lesson.reveal("copy", game.fate_of_copies(split))

# %% [markdown]
# Together they earn about what the one had. How they split it is chance: it hangs on the random weights at the
# start.
#
# What of **symmetry**? The rule speaks of twins *for the network*, and two equal columns need not be that. Make
# them twins: hand the old network the mean of the two.

# %%
def score_twins(patients):
    patients = np.array(patients, np.float32)
    patients[:, t] = (patients[:, t] + patients[:, 10]) / 2
    return score_keras(patients[:, :10])


kernel = shap.KernelExplainer(score_twins, more_background)
twins = kernel.shap_values(new_more[:5], nsamples=2**11, l1_reg=0, silent=True)
twins_difference = float(np.abs(twins[:, t] - twins[:, 10]).max())
draw.table({
    f"patient {i}": {"first copy": f"{twins[i, t]:+.3f}", "second copy": f"{twins[i, 10]:+.3f}",
                     "the one before": f"{exact_keras.values[i, t]:+.3f}"}
    for i in range(5)
})

# %% [markdown]
# Half and half. So a column low in the list may still matter. It may only have company.
#
# **Remove one.** Now the other way round: leave a column out, train anew, and count. If a share were what is lost,
# the dots below would lie on a rising line. A dot below zero: without it the network was right *more* often.

# %%
lesson.predict("without")

# %%
lost = []
for gone in range(10):
    kept = [i for i in range(10) if i != gone]
    smaller = dlx.wrap(train_torch(inputs[:, kept], labels))
    right = ((smaller.predict(new_inputs[:, kept])[:, 0] > 0) == new_labels).mean()
    lost.append(100 * (accuracy_torch - float(right)))
draw.points({"a column": (size["Torch"], lost)}, names=columns, across="mean size of its share",
            up="fewer right, of 100", title="Share, and loss without (Torch)")

# %%
lost_radius = lost[columns.index("radius")]
fewer = ["about as many as before", "5 to 15 fewer", "more than 15 fewer"]
lesson.reveal("without", fewer[int(lost_radius > 4) + int(lost_radius > 15)])

# %% [markdown]
# The others know what the radius knew. **A SHAP value is not what is lost without the column.** It says what
# *this* network did with it.
#
# ### Patients that do not exist
#
# Filling in breaks a column out of its company. Here is what the network was really asked.

# %%
r, p = columns.index("radius"), columns.index("perimeter")
big = new_inputs[int(new_inputs[:, r].argmax())]
asked_for = np.concatenate([
    np.stack([np.full(50, big[r]), background[:, p]], axis=1),  # her radius, others' perimeter
    np.stack([background[:, r], np.full(50, big[p])], axis=1),  # others' radius, her perimeter
])
real = inputs[:, [r, p]]
draw.points({"real patients": real.T, "what SHAP asks": asked_for.T, "the patient": ([big[r]], [big[p]])},
            title="A large radius with a small perimeter?", across="radius", up="perimeter")

# %%
def nearest(rows, others):
    return np.sqrt(((rows[:, None] - others[None]) ** 2).sum(-1)).min(1)


gaps = np.array([nearest(row[None], np.delete(real, i, axis=0))[0] for i, row in enumerate(real)])
unreal = float((nearest(asked_for, real) > gaps.max()).mean())
Markdown(f"**{unreal:.0%}** of the rows that SHAP asks lie farther from every real patient than any real "
         "patient lies from the next. No such cells were ever seen. Nobody trained what the network says "
         "about them. Yet it decides the shares.")

# %% [markdown]
# There is another way: fill in only from patients who are *like her* in what is known. Try both ways on a
# network that we set by hand. It reads the perimeter, and **never** the radius.

# %%
ruler = nn.Linear(2, 1)
with torch.no_grad():
    ruler.weight[:], ruler.bias[:] = torch.tensor([[0.0, 1.0]]), 0.0
reader_ruler = dlx.wrap(ruler, feature_names=["radius", "perimeter"])
her = big[[r, p]]


def filled_anyhow(known):
    rows = real.copy()
    rows[:, known] = her[known]
    return float(reader_ruler.predict(rows)[:, 0].mean())


def filled_from_her_like(known):
    distance = np.abs(real[:, known] - her[known]).sum(1) if known else np.zeros(len(real))
    alike = real[np.argsort(distance, kind="stable")[: 10 if known else len(real)]].copy()
    alike[:, known] = her[known]
    return float(reader_ruler.predict(alike)[:, 0].mean())


pair = ("radius", "perimeter")
two_ways = {}
for name, fill in {"anyhow": filled_anyhow, "from her like": filled_from_her_like}.items():
    worth = {some: fill([pair.index(n) for n in pair if n in some]) for some in game.line_ups(pair)}
    two_ways[f"filled in {name}"] = shapley(worth, pair)
draw.table({name: {n: f"{v:+.2f}" for n, v in row.items()} for name, row in two_ways.items()})

# %% [markdown]
# - **Anyhow** (*interventional*): the radius gets nothing. That is true to the network, which never reads it. But
#   impossible patients were asked.
# - **From her like** (*conditional*): nobody impossible was asked. But the radius gets nearly half, because
#   *knowing* it tells the perimeter. To the network it is a passenger, and it is paid.
#
# You cannot have both. The first asks **what does the network do?** The second asks **what does the column
# tell?** SHAP, Captum and dlexplain answer the first, unless they say otherwise.
#
# ### A column that knows nothing
#
# One more control. Add a column of pure noise, train, and look what noise earns.

# %%
def with_noise(rows, seed):
    noise = np.random.default_rng(seed).normal(size=(len(rows), 1))
    return np.hstack([rows, noise]).astype(np.float32)


noisy = with_noise(inputs, 1)
noisy_nets = {"Keras": train_keras(noisy, labels), "Torch": train_torch(noisy, labels)}
floor = {}
for name, net in noisy_nets.items():
    values = dlx.explain(net, with_noise(new_inputs[:100], 2), "exact_shapley",
                         baseline=with_noise(background, 3)).values
    floor[name] = np.abs(values).mean(0).tolist()
draw.groups(floor, [*columns, "NOISE"], title="Eleven columns, one is noise",
            axis="mean size of the share")

# %%
earned = " and ".join(f"**{values[10]:.2f}** ({name})" for name, values in floor.items())
low = {name: [c for c, v in zip(columns, values, strict=False) if v < 2 * values[10]]
       for name, values in floor.items()}
said = "; ".join(f"{name}: {', '.join(found) or 'none'}" for name, found in low.items())
Markdown(f"Noise earns {earned}, not zero. With so few patients the networks found something to learn in "
         f"it. Below twice the noise lie: {said}. Make nothing of shares so small.")

# %% [markdown]
# ## 8 · Pictures
#
# Digits again: 64 players. Two small convolution networks, the four steps as in lesson 04.

# %%
digits, new_digits = dlx.data.load("digits", split="train"), dlx.data.load("digits", split="test")
three = new_digits.inputs[39:40]

keras.utils.set_random_seed(0)
picture_keras = keras.Sequential([
    layers.Input((8, 8, 1)),
    layers.Conv2D(12, 3, activation="relu"), layers.MaxPooling2D(2),
    layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(10),
])
which_digit = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
picture_keras.compile(optimizer=keras.optimizers.Adam(0.003), loss=which_digit)
picture_keras.fit(digits.inputs, digits.labels, epochs=10, batch_size=32, verbose=0)
read_keras = dlx.wrap(picture_keras).predict(new_digits.inputs).argmax(1)
digits_keras = float((read_keras == new_digits.labels).mean())
print(f"Keras reads {digits_keras:.1%} of new digits right.")

# %%
def for_torch(pictures):
    return pictures.reshape(-1, 1, 8, 8)  # Torch wants the channel first


torch.manual_seed(0)
picture_torch = nn.Sequential(
    nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(12 * 3 * 3, 32), nn.ReLU(), nn.Linear(32, 10),
)
optimizer = torch.optim.Adam(picture_torch.parameters(), lr=0.003)
pictures, answers = torch.tensor(for_torch(digits.inputs)), torch.tensor(digits.labels)
for _ in range(10):
    for batch in torch.randperm(len(pictures)).split(32):
        loss = nn.functional.cross_entropy(picture_torch(pictures[batch]), answers[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
picture_torch.eval()
read_torch = dlx.wrap(picture_torch).predict(for_torch(new_digits.inputs)).argmax(1)
digits_torch = float((read_torch == new_digits.labels).mean())
print(f"Torch reads {digits_torch:.1%} of new digits right.")

# %% [markdown]
# Each pixel is a player; absent pixels come from 50 other digits. Kernel SHAP asks some two thousand of the 2⁶⁴
# sets. DeepSHAP asks none. Orange lifts the score of “three”, blue lowers it.

# %%
others = digits.inputs[:50]
maps = {
    "kernel, Keras": dlx.explain(picture_keras, three, "kernel_shap", target=3,
                                 baseline=others, segments=8),
    "DeepSHAP, Keras": dlx.explain(picture_keras, three, "deepshap", target=3, baseline=others),
    "kernel, Torch": dlx.explain(picture_torch, for_torch(three), "kernel_shap", target=3,
                                 baseline=for_torch(others), segments=8),
    "DeepSHAP, Torch": dlx.explain(picture_torch, for_torch(three), "deepshap", target=3,
                                   baseline=for_torch(others)),
}
dlx.Comparison(maps).plot(title="Why a three?", names=[""])

# %%
flat = {name: found.heatmap()[0].ravel() for name, found in maps.items()}
agree = {tool: float(np.corrcoef(flat[f"kernel, {tool}"], flat[f"DeepSHAP, {tool}"])[0, 1])
         for tool in ("Keras", "Torch")}
never_inked = (three[0].ravel() == 0) & (others.reshape(50, 64).max(0) == 0)
dummies = int(never_inked.sum())
paid = {way: max(float(np.abs(flat[f"{way}, {tool}"][never_inked]).max()) for tool in ("Keras", "Torch"))
        for way in ("kernel", "DeepSHAP")}
Markdown(f"Kernel and DeepSHAP agree: correlation **{agree['Keras']:.2f}** in Keras, "
         f"**{agree['Torch']:.2f}** in Torch. {dummies} pixels are black in the three *and* in all 50 "
         f"others: passengers. DeepSHAP pays them **{paid['DeepSHAP']:.0f}**. Kernel SHAP pays up to "
         f"**{paid['kernel']:.3f}**: it only sampled.")

# %% [markdown]
# And against whom? Black paper, any digits, or eights only: “why a three and *not an eight*?” Look at the empty
# paper: where does it get colour?

# %%
eights = digits.inputs[digits.labels == 8][:50]
against = {"black paper": np.zeros((1, 8, 8, 1), np.float32), "50 digits": others, "50 eights": eights}
versus = {f"against {name}": dlx.explain(picture_keras, three, "deepshap", target=3, baseline=rows)
          for name, rows in against.items()}
dlx.Comparison(versus).plot(title="One three, three backgrounds", names=[""])

# %%
paper = three[0, ..., 0] == 0
strength = {name: np.abs(found.heatmap()[0]) for name, found in versus.items()}
on_paper = {name: float(size[paper].sum() / size.sum()) for name, size in strength.items()}
loudest = [int(v) for v in np.unravel_index(versus["against 50 eights"].heatmap()[0].argmax(), (8, 8))]
ink_at_loudest = float(three[0, loudest[0], loudest[1], 0])
said = ", ".join(f"{name} **{share:.0%}**" for name, share in on_paper.items())
Markdown(f"Part of each map that lies on empty paper: {said}. Against black paper only ink can earn. Against "
         "other digits, *missing* ink earns as well. Against eights the loudest pixel is in row "
         f"{loudest[0] + 1}, column {loudest[1] + 1}: on paper, at the left, where an eight closes its loop "
         "and a three does not.")

# %% [markdown]
# ## What a SHAP value does not show
#
# - **Not a cause.** It shares out a network's score. It does not say what makes a tumour grow. Credit is not
#   cause.
# - **Not what is lost without.** Columns stand in for each other.
# - **Not without its background.** Compared with whom?
# - **Not teamwork.** Two players who earn only together get half each, and the share does not say why.
# - **Not that the network is right.** A network that learned shuffled answers has a perfect bill.
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Let the players join in every order. The mean lift is the Shapley value.
# 2. It alone keeps four rules: the bill adds up, twins get the same, passengers get nothing, games add up.
# 3. “Absent” means filled in from a background. Another background, another question.
# 4. Brute force is exact up to a dozen columns. Kernel SHAP samples, DeepSHAP looks inside; check the bill.
# 5. Columns that go together share. A small share, or none, is no proof that a column does not matter.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
