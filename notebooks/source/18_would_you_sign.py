# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 18 · Would you sign?
#
# A paper lies on your desk. If you sign it, a network is used on patients from Monday on.
#
# In this lesson you **audit** it. Then eight sealed networks come in. Some have a fault, some have none. You ask for
# evidence, you decide, and you learn how often you were right.

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(18)
lesson

# %%
from dlexplain.classroom.lessons.lesson_18 import pages

pages.form()

# %% [markdown]
# ## Network 1
#
# You will train the network yourself, so that nothing is hidden from you. Real measurements of cell samples, by a
# microscope. Eleven columns a patient. The answer: 0 is **sick** (a malignant tumour), 1 is **healthy**.

# %%
from dlexplain.classroom.lessons.lesson_18 import cases

file = cases.patient_files()  # every column in units of its own spread: 0 is the mean of all
print(len(file.train), "patients to learn from,", len(file.inputs), "new ones")
print("columns:", ", ".join(file.feature_names))

# %% [markdown]
# The same network twice, in the same four steps: first in Torch, then in Keras.

# %%
import torch
from torch import nn


def train_torch(rows, labels):
    torch.manual_seed(0)  # the same start for everyone

    # 1 · data
    rows, labels = torch.tensor(rows), torch.tensor(labels)

    # 2 · network
    net = nn.Sequential(nn.Linear(rows.shape[1], 16), nn.ReLU(), nn.Linear(16, 2))

    # 3 · train
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(40):
        for batch in torch.randperm(len(rows)).split(32):
            loss = nn.functional.cross_entropy(net(rows[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net.eval()


def share_right(net, data):
    # 4 · look
    return float((dlx.wrap(net).predict(data.inputs).argmax(1) == data.labels).mean())


net_torch = train_torch(file.train, file.train_labels)
accuracy_torch = share_right(net_torch, file)
pages.form(accuracy_torch, name="Network 1, Torch")

# %%
import keras
from keras import layers


def train_keras(rows, labels):
    keras.utils.set_random_seed(0)  # the same start for everyone

    # 1 · data: as it is

    # 2 · network
    net = keras.Sequential([
        layers.Input((rows.shape[1],)), layers.Dense(16, activation="relu"), layers.Dense(2),
    ])

    # 3 · train
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.Adam(0.01), loss=wrongness)
    net.fit(rows, labels, epochs=40, batch_size=32, verbose=0)
    return net


net_keras = train_keras(file.train, file.train_labels)
accuracy_keras = share_right(net_keras, file)  # 4 · look
pages.form(accuracy_keras, name="Network 1, Keras")

# %% [markdown]
# On patients it had never met. Would you sign? Before you do, ask.

# %%
lesson.predict("first_verdict")

# %% [markdown]
# ## One call, many questions
#
# An **audit** is a list of questions that was written down *before* anyone saw this network. Each has a figure and a
# threshold. `dlx.audit` asks them all. What it cannot know, you tell it: what the network is for.

# %%
purpose = {
    "name": "Network 1", "use": "tells which cell samples a doctor looks at first",
    "users": "doctors on the wards", "harm": "a sick patient who is told to go home",
}


def audit(net, data, **options):
    return dlx.audit(
        net, data.inputs, data.labels,                       # the network, and rows it has never seen
        train=(data.train, data.train_labels),               # what it learned from
        background=data.train[:100],                         # what stands for “nothing special”
        feature_names=data.feature_names, class_names=["sick", "healthy"],
        card=purpose, seed=0, **options,
    )


record_torch = audit(net_torch, file)
record_keras = audit(net_keras, file)
pages.verdict(record_torch, "Network 1, Torch")

# %%
lesson.reveal("first_verdict", record_torch.verdict)

# %% [markdown]
# Nearly every figure is excellent, and the verdict is FAIL. Four words may stand beside a check:
#
# | word | means |
# | --- | --- |
# | **PASS** | the figure is on the good side of the threshold: *not detected* |
# | **FAIL** | it is on the bad side |
# | **INCONCLUSIVE** | nobody knows yet; the check says what is missing |
# | **NOT RUN** | the check does not apply here, or was not asked for |
#
# And a check may be a **gate**, or only a warning. Only gates decide.
#
# **Exercise 1: the verdict.** Write the rule. `checks` is a list of pairs, such as `("PASS", True)`: the word, and
# whether the check gates. Return `"PASS"`, `"FAIL"` or `"INCONCLUSIVE"`.

# %%
def verdict(checks):
    gates = [word for word, gate in checks if gate]
    ### BEGIN SOLUTION
    if "FAIL" in gates:
        return "FAIL"
    if "INCONCLUSIVE" in gates or "PASS" not in gates:
        return "INCONCLUSIVE"
    return "PASS"
    ### END SOLUTION


lesson.check("verdict", verdict)

# %% [markdown]
# ## What it found
#
# Go to the evidence behind the one check that failed.

# %%
pages.part(record_torch, 10, shown="leakage-columns", rows=4)

# %% [markdown]
# One column tells the answer all alone: its *area under the curve* is 1. (0.5 is a coin, 1 never errs.) *Clinic visits*: to the **tumour clinic**. You go there when you know that you
# are sick. The column is filled in **after** the answer. That is a **leak**. (We planted it; the measurements are real.)
#
# The test could not see it, because the test rows were collected in the same way. What happens in use?

# %%
lesson.predict("in_use")

# %%
nobody_went_yet = cases.in_use(file, "clinic visits")  # the same patients, the column low for all
found_tested = {"Torch": 100 * cases.found(net_torch, file.inputs, file.labels),
                "Keras": 100 * cases.found(net_keras, file.inputs, file.labels)}
found_in_use = {"Torch": 100 * cases.found(net_torch, nobody_went_yet, file.labels),
                "Keras": 100 * cases.found(net_keras, nobody_went_yet, file.labels)}
dlx.figures.bars(
    [*found_tested.values(), *found_in_use.values()],
    ["tested, Torch", "tested, Keras", "in use, Torch", "in use, Keras"],
    title="Of 100 sick, how many are found?", axis="found, of 100",
)

# %%
lesson.reveal("in_use", found_in_use["Torch"])

# %% [markdown]
# Every patient who is missed goes home. And the paper said: right in all cases.
#
# **A control.** Was it really this column? Take it out, train again, change nothing else. If the audit still failed in
# the same place, we would have blamed the wrong thing.

# %%
honest = cases.without(file, "clinic visits")
mended_torch = train_torch(honest.train, honest.train_labels)
mended_keras = train_keras(honest.train, honest.train_labels)
came_from = cases.origins(len(honest.inputs), seed=0)  # posted? summer? … invented yes-or-no columns

again_torch = audit(mended_torch, honest, columns=came_from)
again_keras = audit(mended_keras, honest, columns=came_from)
pages.verdict(again_torch, "Network 2, Torch: without the column")

# %%
from IPython.display import Markdown

accuracy_mended = {"Torch": share_right(mended_torch, honest), "Keras": share_right(mended_keras, honest)}
verdicts = {"before": [record_torch.verdict, record_keras.verdict],
            "after": [again_torch.verdict, again_keras.verdict]}
worse = len(dlx.audit.compare(record_torch, again_torch).worse)  # two records side by side
Markdown(f"""
| | right when tested | verdict, Torch | verdict, Keras |
| --- | --- | --- | --- |
| with *clinic visits* | {accuracy_torch:.1%} | {record_torch.verdict} | {record_keras.verdict} |
| without | {accuracy_mended["Torch"]:.1%} | {again_torch.verdict} | {again_keras.verdict} |

Checks that got worse without the column: {worse}.
""")

# %% [markdown]
# Fewer right answers, and a **better** network. Accuracy alone would have chosen the other one.
#
# ## A walk through the record
#
# The record has 18 sections. You need not read them all. But know what each can answer. First the **data sheet**: were
# the data fit to learn from, and to be judged by?

# %%
pages.part(again_keras, 3)

# %% [markdown]
# **Slices** ask: is it worse for some group? Every column you name, and every two together. The *p* says how often
# chance alone would do as badly: a small *p* is suspicious. More on that below.

# %%
pages.part(again_keras, 5, shown="slices", rows=4,
           columns=("slice", "rows", "share of errors", "elsewhere", "p"))

# %% [markdown]
# **What it looks at**, over all patients. The bars have intervals: they say how far the order depends on who happened
# to be in the sample.

# %%
pages.exhibit(again_torch, 8)

# %% [markdown]
# Before you believe such bars: who says that the **explainer** is right?
#
# ## The explainers sit an exam
#
# Four maps of one network, A to D. For one patient they look like this. Orange speaks for “sick”, blue against it. One
# of the four is what a medical textbook would draw.

# %%
four = cases.four_maps(honest)
cases.draw_maps(four, mended_torch, honest, patient=3)

# %% [markdown]
# Which would you show to a doctor? Look, choose in your mind, then see the exam. Two rows know nothing for sure: **random**
# throws dice, and **model-blind** never asked the network. What they reach is worth nothing.

# %%
exam = audit(mended_torch, honest, methods=four, sections=[7])
pages.exam(exam)

# %% [markdown]
# How to read the columns:
#
# - **faithfulness**: take away a random quarter of the columns; do the map's values foresee how the score falls? 1: fully.
# - **deletion lift**: remove what the map names first; how much faster does the score fall than at random?
# - **wrong target**: does the map fit another class better than its own?
# - **randomisation**: does it still look the same when the network's weights are random? It must not.
#
# **Exercise 2: evidence.** Which maps may be shown as evidence? Give the list of their letters.

# %%
### BEGIN SOLUTION
evidence = ["C"]
### END SOLUTION
lesson.check("evidence", evidence)

# %%
figures = exam.part(7).tables[0]
said_at = figures.columns.index("verdict")
exam_said = {row[0]: row[said_at] for row in figures.rows if row[0] in four}
pages.opened("Show what the audit says of the four", exam_said)

# %% [markdown]
# `dlx.audit` shows later only what passed here. **What this does not show:** a map that passes is not the whole truth. It
# means that no fault was found with these criteria, on these patients.
#
# ## The same with another tool: Fairlearn
#
# `MetricFrame` of the library Fairlearn gives a figure for each group. Let us spoil some samples: those that were **posted**
# *and* taken in **summer**. First ask by one column at a time.

# %%
from dlexplain.classroom import drawing as draw
from fairlearn.metrics import MetricFrame
from sklearn.metrics import accuracy_score

warm = cases.spoiled(honest, came_from)
answers = dlx.wrap(mended_torch).predict(warm.inputs).argmax(1)


def right_by(*columns):
    groups = {name: came_from[name] for name in columns}
    return MetricFrame(metrics=accuracy_score, y_true=warm.labels, y_pred=answers, sensitive_features=groups)


for column in came_from:
    print(f"{column:15} largest difference between groups: {right_by(column).difference():.1%}")
single = max(right_by(column).difference() for column in came_from)

# %% [markdown]
# One column alone shows only a part of it. Now the two together.

# %%
crossed = right_by("posted", "summer").difference()
said = {0: "no", 1: "yes"}
draw.table({
    f"posted: {said[posted]}, summer: {said[summer]}": {"share right": f"{share:.0%}"}
    for (posted, summer), share in right_by("posted", "summer").by_group.items()
})

# %% [markdown]
# You had to **know** which two columns to cross. With twenty columns there are 190 pairs. Some groups look bad by chance
# alone. How bad? Here are columns of pure chance, on a network that is sound.

# %%
import numpy as np

dice = np.random.default_rng(0)
sound_answers = dlx.wrap(mended_torch).predict(honest.inputs).argmax(1)
by_chance = []
for _ in range(20):
    drawn = {"one": dice.integers(0, 4, len(honest.labels)), "two": dice.integers(0, 4, len(honest.labels))}
    frame = MetricFrame(metrics=accuracy_score, y_true=honest.labels, y_pred=sound_answers,
                        sensitive_features=drawn)
    by_chance.append(frame.difference())

slices_warm = audit(mended_torch, warm, columns=came_from, sections=[5])
slices_sound = audit(mended_torch, honest, columns=came_from, sections=[5])
named = next(check for check in slices_warm.checks if check.name == "slices")
quiet = next(check for check in slices_sound.checks if check.name == "slices")
slices_said = [named.status, named.reason, quiet.status, quiet.reason]
Markdown(f"""
- **Fairlearn**, columns of pure chance: differences of **{min(by_chance):.0%} to {max(by_chance):.0%}**
- **The audit**, spoiled samples: {named.status}. {named.reason}
- **The audit**, sound samples: {quiet.status}. {quiet.reason}
""")

# %% [markdown]
# Fairlearn measures well, and it has no opinion: it does not say what chance would do, and it searches nothing. The audit
# searches all pairs, leaves out groups under 30 rows, and demands that a difference be larger than so many tries explain
# (*Benjamini-Hochberg*). Neither of them sees a group that **no column names**.
#
# ## What does a PASS say?
#
# Here is the leak again, in the hands of a slider. `blur` adds chance to the column. Each step trains a network of its own
# and audits it. First commit a guess.

# %%
lesson.predict("silence")

# %%
leak_bench = pages.LeakBench(honest)
leak_bench

# %%
silent = [step for step in leak_bench.known if step["status"] == "PASS"]
leak_steps = [(step["status"], 100 * (step["tested"] - step["used"])) for step in leak_bench.known]
first_silent = {name: silent[0][name] for name in ("blur", "alone", "lead", "tested", "used")}
lost_in_silence = 100 * (first_silent["tested"] - first_silent["used"])
says = ["Yes, the threshold stands where harm begins", "No, some harm is left"]
lesson.reveal("silence", says[lost_in_silence > 3])

# %%
Markdown(f"At blur **{first_silent['blur']:g}** the audit is silent for the first time. The test promises "
         f"{100 * first_silent['tested']:.0f} of 100 sick; in use it is {100 * first_silent['used']:.0f}. "
         f"**Not detected is not absent.**")

# %% [markdown]
# So an audit must say what it *would* have found. Its own exam plants faults, audits, and counts. The result stands in
# section 14, the **power statement**.

# %%
pages.part(again_torch, 14, most=5)

# %% [markdown]
# **Exercise 3: after the PASS.** Of 100 networks 20 have a fault. An audit catches 90% of the faulty ones, and accuses 5% of
# the sound ones. It says PASS. What share of the **passed** networks has a fault?

# %%
### BEGIN SOLUTION
after_pass = 2 / (2 + 76)
### END SOLUTION
lesson.check("after_pass", after_pass)

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# Let $f$ be the share of faulty networks, $c$ the share of them that is caught, $a$ the share of sound ones accused. By Bayes,
# $$P(\text{fault} \mid \text{PASS}) = \frac{f\,(1-c)}{f\,(1-c) + (1-f)\,(1-a)}.$$
# With $c = 0.9$ and $a = 0.05$: half of the networks faulty gives 9.5 %, one in a hundred gives 0.1 %.
# </details>
#
# ## The record for others
#
# A person reads the report. A machine reads JSON and JUnit: your build turns red when a gate does not pass. Everything
# that differs from run to run (times, dates) stands apart, so the same network, data and seed give the same figures.

# %%
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp(prefix="lesson_18_"))
written = [record_torch.save(folder / f"record.{ending}") for ending in ("json", "xml", "md")]
print("written:", ", ".join(path.name for path in written))
junit = (folder / "record.xml").read_text().splitlines()
failure = next(line.strip() for line in junit if "<failure" in line)
print(f"\nrecord.xml, for the machine:\n{junit[1][:100]}\n{failure[:100]} …")

# %% [markdown]
# “The same figures”: is that true? Ask a few sections a second time.

# %%
once_more = audit(net_torch, file, sections=[4, 6, 7, 10])
same_figures = all(
    (check.status, check.figure) == (other.status, other.figure)
    for check, other in zip(record_torch.checks, once_more.checks, strict=True)
    if check.section in (4, 6, 7, 10)
)
print("asked a second time, the same figures:", same_figures)

# %% [markdown]
# And the report for people. Verdict and findings stand on its first page.

# %%
pages.report(record_torch, folder)

# %% [markdown]
# From the command line: `dlexplain audit model.keras data.csv --report report.html`. It ends with 0 for PASS, 1 for FAIL,
# 2 for INCONCLUSIVE.
#
# **What did it cost?** Section 15 counts. Passes do not depend on your computer; seconds do.

# %%
pages.part(again_torch, 15, shown="passes", columns=("method", "forward passes", "backward passes"))

# %% [markdown]
# **Exercise 4: clause and evidence.** Laws and norms make demands. Which section can serve as evidence? Give the section's
# number, or `None` where no audit can serve: `clauses = {"accuracy": …, "groups": …, …}`.
#
# | key | demand | in |
# | --- | --- | --- |
# | `accuracy` | levels and metrics of accuracy are declared | EU AI Act, Article 15(3) |
# | `groups` | performance for specific groups of persons | EU AI Act, Article 13(3)(b)(v) |
# | `attack` | the model withstands attempts to mislead it, poisoned data, its own flaws | EU AI Act, Article 15(5) |
# | `explanation` | the explanation reflects how the output came about | NISTIR 8312, explanation accuracy |
# | `monitoring` | behaviour is monitored in production | NIST AI RMF, MEASURE 2.4 |
#
# Sections: 3 data sheet · 4 performance · 5 slices · 6 inside the model · 7 the explainers' exam · 8 what it looks at · 9 gallery
# of cases · 10 shortcuts and leakage · 11 manipulation · 12 disagreement · 13 knowledge limits · 15 cost

# %%
### BEGIN SOLUTION
clauses = {"accuracy": 4, "groups": 5, "attack": 11, "explanation": 7, "monitoring": None}
### END SOLUTION
lesson.check("clauses", clauses)

# %%
pages.part(again_torch, 17)

# %% [markdown]
# Now the whole way, in order.

# %%
lesson.order("steps")

# %% [markdown]
# ## Eight sealed networks
#
# They are trained now, on your computer. Some get a fault. Which, you learn when you have decided.
#
# - Each case gives you **45 minutes**. Every section costs some. You cannot ask for all: choose.
# - **Sign** a network without a planted fault. **Do not sign** one with a fault, and say which.
# - Say how **sure** you are: 50 % is a coin, 100 % is your name on it.
# - Red marks may be warnings only (*gates? no*). And green marks are no proof.
#
# First a guess about the machine.

# %%
lesson.predict("machine")

# %%
from dlexplain.classroom.lessons.lesson_18.desk import AuditDesk, automatic

sealed = cases.sealed(pages.teller())
desk = AuditDesk(sealed)
desk

# %% [markdown]
# ## Your score
#
# A **hit** is a faulty network that you refused. A **miss** you signed. A **false accusation** is a sound one refused. The
# intervals are wide: eight cases are few. An audit's power is measured on hundreds.

# %%
desk.score()

# %%
machine = automatic(sealed)
signed_in_error = machine.faulty - machine.hits
lesson.reveal("machine", ["none", "one", "two or more"][min(signed_in_error, 2)])

# %% [markdown]
# What could you see that the machine could not? It knows figures. It does not know **when a column is filled in**, or what a
# wrong answer costs. That is why a person signs.
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Accuracy hides leaks, shortcuts, groups and dead parts. Write the questions down before you look.
# 2. PASS says *not detected*. INCONCLUSIVE says *nobody knows yet*. Neither is proof, and neither is FAIL.
# 3. A map is evidence only after its exam, beside rows that know nothing.
# 4. An audit needs an audit: how many planted faults does it catch, how many sound models does it accuse?
# 5. The record is evidence. Whoever signs, answers.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
