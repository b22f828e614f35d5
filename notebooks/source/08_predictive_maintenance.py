# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · Predictive maintenance
#
# A pump runs day and night. One day it will break down. Its sensors see that coming, if someone can read them.
#
# **When will it fail? Which sensor says so? And what does waiting cost?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(8)
lesson

# %% [markdown]
# Four of a pump's eight sensors, from its first day to its last. Which of them see the end coming?

# %%
import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_08 import bench
from dlexplain.classroom.lessons.lesson_08.drawing import life, readings

rows = dlx.data.load("fleet")
pump = rows.engine(3)

readings(pump, ["vibration", "temperature", "pressure", "voltage"], rows.truth["units"],
         title="The whole life of one pump")

# %% [markdown]
# A **cycle** is one hour of work. The curves end where the pump broke down.
#
# The pumps are simulated, so that we know the truth:
#
# - Load makes wear. Once a fault has begun, **wear breeds more wear**, until the pump breaks down.
# - A **worn bearing** shakes the pump. Its friction also warms the casing, slowly.
# - A **clogged filter** costs pressure.
# - Outside temperature, humidity and mains voltage have **no part** in any fault.
#
# So for every pump we know the fault, the sensor that feels it first, and the cycle in which it began: the
# **onset**. In a real plant nobody knows these three. Here we can check an explanation against them.

# %%
fault_of = {int(n): rows.truth["faults"][rows.engine(n).extras["fault"][0]] for n in rows.engines}
lives = {int(n): len(rows.engine(n)) for n in rows.engines}
Markdown(f"**{len(lives)} pumps**, {len(rows):,} cycles, {len(rows.feature_names)} sensors. "
         f"Lives last from {min(lives.values())} to {max(lives.values())} cycles. "
         f"The pump above had a **{fault_of[3]}**.")

# %% [markdown]
# ## What a network sees
#
# It sees a **window**: the last 30 cycles of all eight sensors. We ask it two things.
#
# - **Remaining life**: how many cycles are left? (More than 60 count as 60: a healthy pump shows no wear.)
# - **Failure within a horizon**: will it break down within 5, 10, 20, 30 cycles?
#
# We deal out whole pumps: some to learn from, some to choose by, and some that stay locked up until the end.

# %%
CAP, HORIZONS = 60, np.array([5, 10, 20, 30])


def life_left(windows):
    return np.minimum(windows.labels, CAP) / CAP  # 1: healthy, 0: breaks down now


def within(windows):
    return (windows.labels[:, None] < HORIZONS).astype(np.float32)  # a column for each horizon


train, choose, final = dlx.data.by_machine(rows, (0.5, 0.25, 0.25))
learn = train.standardised(like=train).windows(30, stride=2)  # every sensor: mean 0, deviation 1
known = choose.standardised(like=train).windows(30)
new = final.standardised(like=train).windows(30)
print(f"{len(learn)} windows of {len(train.engines)} pumps to learn from, "
      f"{len(new)} of {len(final.engines)} pumps locked up.")

# %% [markdown]
# **Exercise 1: the lazy expert.** Will the pump break down *in the very next cycle*? Someone always says
# “never”. Compute two shares: in how many windows is he right? How many of the breakdowns does he catch?

# %%
breaks = new.labels < 1  # true: this window ends right before the breakdown
### BEGIN SOLUTION
never = [(~breaks).mean(), 0.0]
### END SOLUTION
lesson.check("never", never, breaks=breaks)

# %%
never_right = float((~breaks).mean())
Markdown(f"The lazy expert is right in **{never_right:.1%}** of the windows. He is useless.")

# %% [markdown]
# From now on we ask two questions of every network. How many breakdowns were **caught**? And how many alarms
# were **false**?
#
# ## Two networks, in Keras and in Torch
#
# Each is a small **convolution over time**: twelve patterns, five cycles long, slide along the window.

# %%
import keras
from keras import layers


def small_network(sensors, outputs):
    return keras.Sequential([
        layers.Input((30, sensors)),
        layers.Conv1D(12, 5, activation="relu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(12, 5, activation="relu"),
        layers.Flatten(),
        layers.Dense(outputs),
    ])


def train_keras(inputs, answers, wrongness, epochs=15):
    keras.utils.set_random_seed(0)  # the same start for everyone
    network = small_network(inputs.shape[-1], answers.shape[-1])
    network.compile(optimizer=keras.optimizers.Adam(0.003), loss=wrongness)
    network.fit(inputs, answers, epochs=epochs, batch_size=64, verbose=0)
    return network


yes_or_no = keras.losses.BinaryCrossentropy(from_logits=True)

# 1 · data, in Keras: (windows, time, sensors)
inputs, lives_left, fails = learn.inputs, life_left(learn)[:, None], within(learn)

# 2 · network, 3 · train
life_keras = train_keras(inputs, lives_left, "mse")
fail_keras = train_keras(inputs, fails, yes_or_no)

# 4 · look
left_keras = CAP * life_keras.predict(new.inputs, verbose=0)[:, 0]
score_keras = fail_keras.predict(new.inputs, verbose=0)
print(f"Keras, on pumps never seen: off by {np.abs(left_keras - CAP * life_left(new)).mean():.1f} cycles.")

# %%
import torch
from torch import nn


def train_torch(inputs, answers, wrongness, epochs=15):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv1d(inputs.shape[1], 12, 5), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(12, 12, 5), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 9, answers.shape[1]),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(64):
            loss = wrongness(network(inputs[batch]), answers[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


# 1 · data, in Torch: (windows, sensors, time)
inputs = torch.tensor(learn.channels("first").inputs)
lives_left, fails = torch.tensor(life_left(learn)[:, None]), torch.tensor(within(learn))

# 2 · network, 3 · train
life_torch = train_torch(inputs, lives_left, nn.functional.mse_loss)
fail_torch = train_torch(inputs, fails, nn.functional.binary_cross_entropy_with_logits)

# 4 · look
new_torch = new.channels("first").inputs
left_torch = CAP * dlx.wrap(life_torch).predict(new_torch)[:, 0]
score_torch = dlx.wrap(fail_torch).predict(new_torch)
print(f"Torch, on pumps never seen: off by {np.abs(left_torch - CAP * life_left(new)).mean():.1f} cycles.")

# %% [markdown]
# Watch one locked-up pump, hour by hour. In its last 60 cycles the truth falls, step by step. Do the networks
# follow?

# %%
one = new.extras["engine"] == final.engines[0]
draw.curves(
    new.extras["cycle"][one],
    {"truth": CAP * life_left(new)[one], "Keras": left_keras[one], "Torch": left_torch[one]},
    title="One pump never seen: cycles left", across_title="cycle", up_title="cycles left (60 or more: 60)",
)

# %%
middle = np.median(CAP * life_left(learn))
off_by = {
    "Keras": float(np.abs(left_keras - CAP * life_left(new)).mean()),
    "Torch": float(np.abs(left_torch - CAP * life_left(new)).mean()),
    "always the same number": float(np.abs(middle - CAP * life_left(new)).mean()),
}
ten = list(HORIZONS).index(10)
truth = within(new)[:, ten] == 1
alarms = {"Keras": score_keras[:, ten] > 0, "Torch": score_torch[:, ten] > 0,
          "the lazy expert": np.zeros(len(new), bool)}
judged = {
    name: {
        "right": float((alarm == truth).mean()),
        "caught": float(alarm[truth].mean()),
        "false alarms": float((alarm & ~truth).sum() / max(alarm.sum(), 1)),
    }
    for name, alarm in alarms.items()
}
draw.table({name: bench.shares(found) for name, found in judged.items()})

# %% [markdown]
# These are windows of locked-up pumps. The question: does it break down within 10 cycles? By “right”,
# the lazy expert looks not much worse than a network. By **“caught”** he is nothing.
#
# ## A trap: the test that knows the answers
#
# We held back whole pumps. Often **windows at random** are held back instead. Does it matter?
#
# Here is the **copycat**. For a new window it looks up the most similar window that it knows, and repeats
# that one's remaining life. It understands nothing.

# %%
from sklearn.neighbors import KNeighborsRegressor


def copycat(known_windows, asked):
    flat = [each.inputs.reshape(len(each), -1) for each in (known_windows, asked)]
    return KNeighborsRegressor(1).fit(flat[0], life_left(known_windows)).predict(flat[1])


def error(said, windows):
    return float(CAP * np.abs(said - life_left(windows)).mean())


mixed = np.random.default_rng(0).permutation(len(learn))  # windows at random
some, others = learn.take(mixed[: int(0.8 * len(learn))]), learn.take(mixed[int(0.8 * len(learn)):])
copycat_windows = error(copycat(some, others), others)
Markdown(f"Windows held back at random: the copycat is off by only **{copycat_windows:.1f} cycles**. "
         "It beats both networks! Can that be?")

# %%
lesson.predict("leak")

# %%
copycat_machines = error(copycat(learn, new), new)
lesson.reveal("leak", copycat_machines)

# %%
same_network = train_keras(some.inputs, life_left(some)[:, None], "mse")
network_windows = error(same_network.predict(others.inputs, verbose=0)[:, 0], others)
leak = {
    "copycat": {"windows at random": copycat_windows, "whole pumps": copycat_machines},
    "network": {"windows at random": network_windows, "whole pumps": off_by["Keras"]},
}
draw.table({name: {split: f"off by {value:.1f} cycles" for split, value in row.items()}
            for name, row in leak.items()})

# %% [markdown]
# Two windows of one pump that begin two cycles apart share 28 of their 30 cycles. Held back at random, nearly
# every test window has a twin in the training. The test **leaks**. The score says how well a network
# remembers *these* pumps. You wanted to know about the next one.
#
# The network is flattered as well, though it is small and cannot remember much.
#
# **Exercise 2: a fair split.** `machine` holds the number of its pump for each window. Say for each window
# whether it is held back: true for a fifth of the pumps.

# %%
def held_back(machine):
    ### BEGIN SOLUTION
    return np.isin(machine, np.unique(machine)[::5])
    ### END SOLUTION


lesson.check("held_back", held_back)

# %%
lesson.order("steps")

# %% [markdown]
# ## Which sensor says so?
#
# Take a locked-up pump with a worn bearing, shortly before the end. The network gives alarm. Why? Guess first.

# %%
lesson.predict("sensor")

# %% [markdown]
# You know **integrated gradients** from lesson 04: walk from a start to the window, and collect slopes. The
# start must mean “nothing is wrong”. We take the mean of all pumps **when they were new**. So we ask: *what
# makes this pump different from a new one?*

# %%
scaled = train.standardised(like=train)
first_cycles = scaled.inputs[scaled.extras["cycle"] <= 20]
as_new = np.tile(first_cycles.mean(axis=0), (30, 1))  # (time, sensors)

class_names = [f"within {horizon} cycles" for horizon in HORIZONS]
reader_keras = dlx.wrap(fail_keras, class_names=class_names, feature_names=rows.feature_names)
reader_torch = dlx.wrap(fail_torch, class_names=class_names, feature_names=rows.feature_names)


def explain_keras(windows, method="integrated_gradients", network=reader_keras, **options):
    return dlx.explain(network, windows, method, target=ten, baseline=as_new, **options)


def explain_torch(windows, method="integrated_gradients", network=reader_torch, **options):
    turned = np.moveaxis(windows, -1, 1).copy()  # as Torch wants it
    return dlx.explain(network, turned, method, target=ten, baseline=as_new.T.copy(), **options)


def last_window(fault, cycles_left=4):
    return np.flatnonzero((new.extras["fault"] == fault) & (new.labels == cycles_left))[0]


walk = {"tolerance": 0.02}  # the bill must add up to within 2 %

# %% [markdown]
# Each lane below is a sensor over the 30 cycles of the window. The line is what it measured. The colour is its
# **credit**: orange raised the alarm, blue spoke against it.

# %%
bearing = new.inputs[[last_window(0)]]
explain_keras(bearing, **walk).plot(title="Worn bearing, 4 cycles to go (Keras)")

# %%
clogged = new.inputs[[last_window(1)]]
explain_keras(clogged, **walk).plot(title="Clogged filter, 4 cycles to go (Keras)")

# %% [markdown]
# Now sum each sensor's credit over time. Two networks, and two ways: integrated gradients, and **DeepLIFT**,
# which shares out the same change of the score layer by layer, in one sweep.

# %%
maps = {
    "Keras, integrated gradients": explain_keras(bearing, **walk),
    "Torch, integrated gradients": explain_torch(bearing, **walk),
    "Keras, DeepLIFT": explain_keras(bearing, "deeplift"),
    "Torch, DeepLIFT": explain_torch(bearing, "deeplift"),
}
credit = {name: bench.by_sensor(found)[0] for name, found in maps.items()}
draw.table({sensor: {name: f"{row[k]:+z.1f}" for name, row in credit.items()}
            for k, sensor in enumerate(rows.feature_names)})

# %%
bearing_says = {name: str(bench.named(row[None], rows.feature_names)[0]) for name, row in credit.items()}
lesson.reveal("sensor", bearing_says["Keras, integrated gradients"])

# %% [markdown]
# **Exercise 3: name the culprit.** `credit` and `readings` have a row for each moment and a column for each
# sensor. Give back the name of the sensor that did most for the alarm.

# %%
def culprit(credit, readings, names):
    ### BEGIN SOLUTION
    return names[credit.sum(axis=0).argmax()]
    ### END SOLUTION


lesson.check("culprit", culprit)

# %% [markdown]
# ## Since when?
#
# Explain every window of the pump's life, one after the other. Follow the lane of **vibration**: where does it turn
# orange? The fault began at the dotted line.

# %%
number = int(new.extras["engine"][last_window(0)])
cycles, credit_of_life, read_of_life = bench.over_life(lambda w: explain_keras(w, **walk), new, number)
onset = int(final.engine(number).extras["onset"][0])
life(cycles, credit_of_life, read_of_life, rows.feature_names, onset,
     title=f"Pump {number}: credit over its life")

# %%
column = list(rows.feature_names).index("vibration")
before = float(credit_of_life[cycles < onset, column].mean())
after = float(credit_of_life[cycles > cycles[-1] - 10, column].mean())

late_by = []  # cycles from the true onset to the first alarm, a number a pump
for each in bench.forecasts(new, score_keras):
    alarm = each.chances[:, ten] > 0
    if alarm.any():
        began = int(final.engine(each.machine).extras["onset"][0])
        late_by.append(each.first + int(alarm.argmax()) - began)
hidden = float(np.median(late_by))
Markdown(f"Before the onset, vibration has a mean credit of **{before:+.2f}**. In the last ten cycles it has "
         f"**{after:+.2f}**. Over all locked-up pumps, the first alarm comes **{hidden:.0f} cycles** after the "
         "true onset (the median).")

# %%
place = {sensor: k for k, sensor in enumerate(rows.feature_names)}
warm, outdoors = credit_of_life[:, place["temperature"]], credit_of_life[:, place["outside"]]
opposed = float(np.corrcoef(warm, outdoors)[0, 1])
Markdown("Now look at **temperature** and **outside**. Over this life their credits move against each "
         f"other (correlation {opposed:.2f}).")

# %% [markdown]
# No fault reaches the weather, and yet it gets credit. That is no mistake. A hot casing says little on a hot
# day. So the network takes one sensor *minus* the other, and their credits cancel. **A sensor can get credit only
# because another one cannot be read without it.** Never read a single lane alone.
#
# The credit of vibration wakes up after the onset. But it wakes up *late*: a young fault hides in the noise,
# and we asked about the next 10 cycles only. **The map shows since when the network noticed. It does not show
# when the fault began.**
#
# ## A control: could this have gone wrong?
#
# Take the last ten cycles of all locked-up pumps, every third window. How often does the sensor of largest credit
# match the **true cause**? And how often do those match that cannot know?
#
# - a network that learned **shuffled answers**,
# - a network that learned **nothing** (five of them, fresh),
# - no network: the sensor with the **largest reading**,
# - no network: the sensor **farthest from new**.

# %%
late = new.take(np.flatnonzero(new.labels < 10)[::3])
cause = np.array(rows.truth["causes"])[late.extras["fault"]]


def match(credit):
    return float((bench.named(credit, rows.feature_names) == cause).mean())


def match_of(network):
    return match(bench.by_sensor(explain_keras(late.inputs, "deeplift", network=dlx.wrap(network))))


shuffled_answers = np.random.default_rng(0).permutation(within(learn))
net_shuffled = train_keras(learn.inputs, shuffled_answers, yes_or_no)
untrained = []
for seed in range(5):
    keras.utils.set_random_seed(seed)
    untrained.append(small_network(8, len(HORIZONS)))

raw = late.inputs * train.inputs.std(axis=0) + train.inputs.mean(axis=0)
matches = {
    "Keras, integrated gradients": match(bench.by_sensor(explain_keras(late.inputs, **walk))),
    "Torch, integrated gradients": match(bench.by_sensor(explain_torch(late.inputs, **walk))),
    "Keras, DeepLIFT": match_of(fail_keras),
    "control: shuffled answers": match_of(net_shuffled),
    "control: untrained": float(np.mean([match_of(network) for network in untrained])),
    "no network: largest reading": match(raw.mean(axis=1)),
    "no network: farthest from new": match(np.abs(late.inputs - as_new).mean(axis=1)),
}
dlx.figures.bars(100 * np.array(list(matches.values())), list(matches), title="Names the true cause",
                 axis="% of windows")

# %% [markdown]
# The trained networks name the cause. Networks without knowledge do not, and the sensor with the largest numbers
# never does: here it is always the mains voltage.
#
# Look at “farthest from new”. It is a plain subtraction, without any network, and does well. A
# faulty pump *is* unusual in the right sensor. So part of the match is the pump's, not the network's. Only the
# lead over this control is the network's own: it knows which differences do not matter, such as a hot day.
#
# **What this does not show.** Credit says which sensor moved *this network's* score. It does not say what
# broke. A worn bearing also warms the casing; the network may use that or leave it. And had the simulator no
# sensor at the filter, some *other* sensor would get the credit.
#
# ## What does waiting cost?
#
# The network gives a chance. It does not say what to do. That depends on your prices.
#
# - **Too late**: the pump breaks down. That is dear.
# - **Too early**: a repair, and life thrown away. That costs, too, a little, and often.
#
# The crew comes three cycles after the alarm. What counts is the money for **100 cycles of work**.
#
# **Exercise 4: the bill.** `used`: cycles that each pump worked. `broke`: whether it broke down. A breakdown
# and a repair have their prices. What do 100 cycles of work cost?

# %%
def cost_of(used, broke, breakdown, repair):
    paid = np.where(broke, breakdown, repair)  # the bill of each pump
    ### BEGIN SOLUTION
    return 100 * paid.sum() / used.sum()
    ### END SOLUTION


lesson.check("cost_of", cost_of)

# %%
lesson.predict("threshold")

# %% [markdown]
# Now decide. Set **your** prices. Choose how far ahead to look, and from which chance on to call the crew.
# Each bar on the right is a pump. Move “alarm above”: the dot runs along the curve.

# %%
def chances(windows):
    return 1 / (1 + np.exp(-fail_keras.predict(windows.inputs, verbose=0)))  # scores as chances


pumps = bench.forecasts(known, chances(known))
train_lives = [lives[int(n)] for n in train.engines]
bench.DecisionBench(pumps, HORIZONS, train_lives)

# %%
def cheapest(breakdown, repair, column=ten):
    costs = [bench.policy(pumps, column, each, breakdown, repair) for each in bench.THRESHOLDS]
    return bench.THRESHOLDS[int(np.argmin(costs))]


best_now = cheapest(50, 5)
answers = ["at the first suspicion, below 30 %", "at about half", "only when sure, above 70 %"]
lesson.reveal("threshold", answers[int(best_now > 0.3) + int(best_now > 0.7)])

# %%
best_cheap = cheapest(6, 5)
here = [bench.policy(pumps, ten, each, 50, 5) for each in bench.THRESHOLDS]
too_early, too_late = here[0] / min(here), here[-1] / min(here)  # the two ends of the curve
Markdown(f"With a breakdown at 50 and a repair at 5, the cheapest alarm is above **{best_now:.0%}**. "
         f"Were a breakdown hardly dearer than a repair (6 and 5), it would be above "
         f"**{best_cheap:.0%}**. The same network, the same chances: **prices make the decision.**\n\n"
         f"And see the two ends of the curve (50 and 5). Alarm at the slightest suspicion costs "
         f"**{too_early - 1:.0%}** more than the least. Alarm only when certain costs "
         f"**{too_late - 1:.0%}** more. **A little early is cheap. A little late is dear.**")

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# Wear $w$ grows as $\Delta w = r\,\ell^2\,(0.15 + w)$ with load $\ell$: nearly an exponential, so most of the
# damage is done at the end. The credit of sensor $s$ is $\sum_t a_{ts}$; over all sensors and moments the
# $a_{ts}$ sum to the score minus the score of the new pump. Pump $i$ works $u_i$ cycles and costs $c_i$. The
# cost of 100 cycles is $100 \sum_i c_i / \sum_i u_i$: over many pumps, one after the other, this is what you pay.
# The mean of the single $c_i/u_i$ is another number, and a wrong one.
# </details>
#
# One thing is still unfair. We chose the threshold *on these pumps*. Unlock the others now, and pay. A short bar is
# good. The **prophet** knows the end of every pump; nobody can do better.

# %%
locked = bench.forecasts(new, chances(new))
locked_lives = [each.life for each in locked]
age = bench.best_age(train_lives, 50, 5)
paid = {
    "wait until it breaks": bench.calendar(locked_lives, 10_000, 50, 5),
    f"calendar: every {age} cycles": bench.calendar(locked_lives, age, 50, 5),
    f"network: alarm above {best_now:.0%}": bench.policy(locked, ten, best_now, 50, 5),
    "a prophet: just before the end": bench.cost_rate(locked_lives, [False] * len(locked), 50, 5),
}
dlx.figures.bars(list(paid.values()), list(paid), title="Locked-up pumps: who pays least?",
                 axis="cost of 100 cycles of work (breakdown 50, repair 5)")

# %% [markdown]
# ## The same, straight from the library
#
# **Captum** explains Torch networks. First we put the scaling *into* the network, so that it takes raw volts
# and bars. Then we call Captum's integrated gradients: once as it comes, once with our start.

# %%
from captum.attr import IntegratedGradients


class Scale(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(table.mean(axis=0))[:, None])
        self.deviation = nn.Parameter(torch.tensor(table.std(axis=0))[:, None])

    def forward(self, x):
        return (x - self.mean) / self.deviation


whole = nn.Sequential(Scale(train.inputs), fail_torch).eval()
raw_torch = torch.tensor(np.moveaxis(raw, -1, 1).copy())
raw_as_new = torch.tensor((as_new * train.inputs.std(axis=0) + train.inputs.mean(axis=0)).T.copy())

captum = IntegratedGradients(whole)
as_it_comes = captum.attribute(raw_torch, target=ten, n_steps=64).detach().numpy()
with_our_start = captum.attribute(raw_torch, baselines=raw_as_new[None], target=ten, n_steps=64)
with_our_start = with_our_start.detach().numpy()

captum_matches = {
    "Captum, as it comes (start: zero)": match(as_it_comes.sum(axis=2)),
    "Captum, start: a new pump": match(with_our_start.sum(axis=2)),
    "dlexplain, start: a new pump": matches["Torch, integrated gradients"],
}
blamed, counts = np.unique(bench.named(as_it_comes.sum(axis=2), rows.feature_names), return_counts=True)
most_blamed = str(blamed[counts.argmax()])
draw.table({name: {"names the true cause": f"{value:.0%}"} for name, value in captum_matches.items()})

# %%
Markdown(f"As it comes, Captum mostly blames **{most_blamed}**.")

# %% [markdown]
# Captum made no mistake. Its default start is **zero for every input**: 0 volts, 0 bar, 0 °C. It answers “what
# makes this pump different from a pump without electricity?” Nobody asked that. There was no error and no
# warning. **Always name the start yourself.**
#
# ## Real engines
#
# NASA published jet engines run until they fail: **C-MAPSS**. (They come from a detailed simulation of an
# engine.) `dlx.data.load("cmapss_fd001")` reads the file. If you have it,
# this cell does the same with it: the same split, the same windows, the same network, the same question.
#
# Compare the network with the copycat there, whole engines held back. Engines of one type, in one climate, with
# one kind of fault are much alike. **Try the plain way first: a network must beat it to earn its keep.**
#
# The makers say what wore out: the **high-pressure compressor**. Sensors 7 and 11 measure the pressure behind it,
# and sensor 12 is the fuel flow divided by that pressure. Where do they stand in the figure? That much can be
# checked. When the wear began, and in which sensor first, nobody tells us.

# %%
engines = bench.turbofan()
real = {}
if engines is None:
    shown = Markdown(bench.WITHOUT_FILE)
else:
    jets, new_jets = dlx.data.by_machine(engines, (0.8, 0.2))
    learn_jets = jets.standardised(like=jets).windows(30, stride=4)
    asked_jets = new_jets.standardised(like=jets).windows(30, stride=4)
    life_jets = train_keras(learn_jets.inputs, life_left(learn_jets)[:, None], "mse")
    fail_jets = train_keras(learn_jets.inputs, within(learn_jets), yes_or_no)

    real["off_by"] = error(life_jets.predict(asked_jets.inputs, verbose=0)[:, 0], asked_jets)
    real["same_number"] = error(np.median(life_left(learn_jets)), asked_jets)
    real["copycat"] = error(copycat(learn_jets, asked_jets), asked_jets)

    scaled_jets = jets.standardised(like=jets)
    jet_as_new = np.tile(scaled_jets.inputs[scaled_jets.extras["cycle"] <= 20].mean(axis=0), (30, 1))
    late_jets = asked_jets.take(np.flatnonzero(asked_jets.labels < 10))
    jet_credit = bench.by_sensor(dlx.explain(
        dlx.wrap(fail_jets), late_jets.inputs, "deeplift", target=ten, baseline=jet_as_new)).mean(axis=0)
    real["credit"] = dict(zip(engines.feature_names, map(float, jet_credit), strict=True))
    shown = dlx.figures.bars(
        jet_credit, engines.feature_names, top=10, axis="mean credit",
        title="Jet engines: what says “within 10 flights”?",
        facts=[f"On engines never seen the network is off by {real['off_by']:.1f} flights. Always the "
               f"same number: {real['same_number']:.1f}. The copycat: {real['copycat']:.1f}."])
shown

# %% [markdown]
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Breakdowns are rare. Who says “never” is nearly always right, and useless. Count what was caught.
# 2. Hold back whole machines. Windows at random leak: a copycat looks like a master.
# 3. Credit by sensor and time says what moved the network, measured from a start that **you** must name.
# 4. Check it against known causes, and against controls. It shows since when the network noticed, not what broke.
# 5. A chance is not a decision. Prices make it one: draw the curve, choose on some machines, pay on others.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
