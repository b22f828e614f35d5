# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Features by hand or learned
#
# For fifty years, people told computers what to look at: edges, word counts, pitches. Then networks began
# to find that out by themselves.
#
# **When does deep learning beat classical machine learning, and when not?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(3)
lesson

# %% [markdown]
# ## By hand
#
# Faces, and patches of photographs that hold none. A learner shall tell them apart.
#
# A **feature** is a number made from the raw data, for a learner to look at. Which numbers would you take?
# A famous idea of 2005: forget the brightness and keep the **edges**. For each small cell of the
# picture: how much edge is there in each direction?

# %%
import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_03 import bench, makers
from dlexplain.classroom.lessons.lesson_03 import drawing as own

faces = dlx.data.load("faces")
pictures = faces.inputs[..., 0]  # (200, 25, 25), grey; the first hundred are faces


def hog(pictures, cell, step, bins=8):
    down, right = np.gradient(pictures, axis=(1, 2))  # how fast the brightness changes
    strength = np.hypot(down, right)
    direction = np.arctan2(down, right) % (2 * np.pi)
    which = (direction / (2 * np.pi) * bins).astype(int) % bins
    edges = np.stack([strength * (which == b) for b in range(bins)], axis=-1)
    corners = range(0, pictures.shape[1] - cell + 1, step)
    cells = np.array([[edges[:, r:r + cell, c:c + cell].sum(axis=(1, 2)) for c in corners]
                      for r in corners])
    cells = np.moveaxis(cells, 2, 0)  # (pictures, rows, columns, bins)
    return cells / (np.linalg.norm(cells, axis=-1, keepdims=True) + 0.1)  # light or dark: all the same


face_hog = hog(pictures, cell=5, step=5)
own.hog_pictures(pictures[[3, 175]], face_hog[[3, 175]], ["a face", "no face"])

# %% [markdown]
# This is a **histogram of gradients**, HOG for short. (The *gradient* of a picture says how fast, and in which
# direction, its brightness changes.) 625 pixels have become 25 cells with 8 numbers each.
#
# **Exercise 1: one cell.** `strength` holds how strong the edge is at each pixel of a cell, and `which` holds the
# number of its direction. Give back an array: for each direction, how much edge there is in all.

# %%
def histogram(strength, which, bins):
    ### BEGIN SOLUTION
    return np.array([strength[which == b].sum() for b in range(bins)])
    ### END SOLUTION


lesson.check("histogram", histogram)

# %% [markdown]
# On top of such features stands a **classical learner**. Here it is a **support vector machine**: it looks for
# the widest gap between the two classes.

# %%
from sklearn.svm import SVC

order = np.random.default_rng(0).permutation(len(pictures))
learn, final = order[:120], order[120:]  # 80 pictures are locked up

svm = SVC(C=10).fit(face_hog.reshape(200, -1)[learn], faces.labels[learn])
face_scores = {"by hand": float(svm.score(face_hog.reshape(200, -1)[final], faces.labels[final]))}
print(f"By hand, 120 examples: {face_scores['by hand']:.1%} of {len(final)} new pictures right.")

# %% [markdown]
# ## Learned
#
# A network gets the bare pixels. Its first layers must find out by themselves what to look at.

# %%
import keras
from keras import layers

keras.utils.set_random_seed(0)

# 1 · data, in Keras: (pictures, height, width, channels)
inputs, answers = faces.inputs[learn], faces.labels[learn]

# 2 · network
face_keras = keras.Sequential([
    layers.Input((25, 25, 1)),
    layers.Conv2D(8, 5, strides=2, activation="relu"),
    layers.Conv2D(16, 3, strides=2, activation="relu"),
    layers.Flatten(),
    layers.Dense(2),
])

# 3 · train
wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
face_keras.compile(keras.optimizers.Adam(0.003), wrongness)
face_keras.fit(inputs, answers, epochs=40, batch_size=32, verbose=0)

# 4 · look
says_keras = face_keras.predict(faces.inputs[final], verbose=0).argmax(axis=1)
face_scores["Keras"] = float((says_keras == faces.labels[final]).mean())

# %%
import torch
from torch import nn


def train(make, inputs, answers, seed=0, steps=200, rate=0.003):
    torch.manual_seed(seed)
    network = make()
    optimizer = torch.optim.Adam(network.parameters(), rate)
    inputs, answers = torch.tensor(inputs), torch.tensor(answers)
    for batch in torch.randint(len(inputs), (steps, 32)):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs[batch]), answers[batch]).backward()
        optimizer.step()
    return network.eval()


# 1 · data, in Torch: (pictures, channels, height, width)
face_pixels = faces.channels("first").inputs


# 2 · network
def face_network():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 5 * 5, 2),
    )


# 3 · train
face_torch = train(face_network, face_pixels[learn], faces.labels[learn])

# 4 · look
says_torch = dlx.wrap(face_torch).predict(face_pixels[final]).argmax(axis=1)
face_scores["Torch"] = float((says_torch == faces.labels[final]).mean())
draw.table({name: {"new pictures right": f"{value:.1%}"} for name, value in face_scores.items()})

# %% [markdown]
# Do not read too much into this table. It is **one** draw of 120 examples, and one start of each network. With
# other draws the order may change.
#
# ## An honest comparison
#
# - Both sides learn from the **same examples**, and are scored on the same locked-up ones.
# - All of it is **repeated** with other examples and other starts. The **error bar** shows how far results spread.
# - The number of examples **grows**. Who wins with 10 may lose with 1,000.

# %%
import time


def once(contest, size, seed, wrong=None):
    learn, answers, final = contest.deal(size, seed, wrong)
    began = time.process_time()
    learner = contest.classical().fit(contest.features[learn], answers)
    between = time.process_time()
    network = train(contest.network, contest.inputs[learn], answers, seed, contest.steps, contest.rate)
    ended = time.process_time()
    with torch.no_grad():
        says = network(torch.tensor(contest.inputs[final])).argmax(dim=1).numpy()
    truth = contest.labels[final]
    by_hand = float(learner.score(contest.features[final], truth))
    learned = float((says == truth).mean())
    return {"by hand": (by_hand, between - began), "network": (learned, ended - between)}


def show(results, title):
    return draw.curves(results.sizes, results.means, spread=results.spread, title=title,
                       across_title="examples to learn from", up_title="share right on new ones",
                       facts=["Error bars: standard deviation over four repeats."])


contest_faces = bench.Contest(
    "faces", face_pixels, face_hog.reshape(200, -1), faces.labels, sizes=(10, 30, 60, 120),
    classical=lambda: SVC(C=10), network=face_network, final=80,
)

# %% [markdown]
# (The repeats run in Torch only, to save your time. You have just seen both frameworks do the same.)

# %%
lesson.predict("faces")

# %%
held_faces = bench.hold(contest_faces, once)
show(held_faces, "Faces: edges by hand against a network")

# %%
choices = {"by hand": "features by hand", "network": "the network", "open": "no clear winner"}
faces_say = choices[held_faces.winners[-1]]
lesson.reveal("faces", faces_say)

# %% [markdown]
# **Exercise 2: lead or luck?** Two arrays: the shares right of four repeats. In each repeat both sides had
# the same examples. Give back two numbers: by how much the network leads on average, and the **standard error** of
# that mean (the spread of the leads, over the root of their number).

# %%
def lead(by_hand, network):
    ### BEGIN SOLUTION
    each = network - by_hand
    return each.mean(), each.std(ddof=1) / np.sqrt(len(each))
    ### END SOLUTION


lesson.check("lead", lead)

# %% [markdown]
# From now on we name a winner only where the lead is more than **two standard errors**. Else the contest is open.
# (With four repeats that is a rough rule. It keeps us from cheering at luck.)

# %%
lesson.order("steps")

# %% [markdown]
# ## Things that move
#
# The faces all sat in the middle. Real things do not. Now the digits that people wrote by hand, each put
# **somewhere** on a larger page.

# %%
digits = dlx.data.load("digits")
pages = makers.moved(digits.inputs[..., 0], seed=0)
dlx.figures.images(pages[:10, ..., None], titles=digits.labels[:10], columns=10, title="Digits that move")

# %%
def digit_network():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
        nn.AdaptiveMaxPool2d(1),  # the strongest answer of each unit, wherever it was
        nn.Flatten(), nn.Linear(24, 10),
    )


digit_hog = hog(pages, cell=4, step=2).reshape(len(pages), -1)
contest_digits = bench.Contest(
    "digits that move", pages[:, None], digit_hog, digits.labels, sizes=(100, 300, 1000),
    classical=lambda: SVC(C=10), network=digit_network, steps=250, rate=0.01,
)
held_digits = bench.hold(contest_digits, once)
show(held_digits, "Digits that move")

# %% [markdown]
# The network wins, and by far. Why? Each HOG number belongs to **one cell**. When the digit moves, all numbers
# change, and the support vector machine must learn each place anew.
#
# The network slides its patterns over the page and keeps only the strongest answer of each, *wherever it was*. So
# its layers are a bet, too: **a stroke means the same everywhere**. Here the bet is right.
#
# A feature by hand is a bet about *what matters*. A network bets less, and needs more examples. But it never bets
# nothing.
#
# ## Texts: words or their order?
#
# Short reviews of a restaurant. They are generated, so that we know the truth. The classical features are
# **word counts**: how often does each word occur? On top stands **naive Bayes**: each word votes, as often
# as it occurred with each answer.
#
# - *Was the guest happy?* Both adjectives have the tone of the answer. **Order does not matter.**
# - *Was the soup good?* Only the word right before “soup” decides. The waiter gets an adjective by chance.
#   **Order matters.**

# %%
mood = makers.reviews(900, "words", seed=0)
soup = makers.reviews(900, "order", seed=1)
draw.table({soup.text(k): {"was the soup good?": "yes" if soup.labels[k] else "no"} for k in range(5)})

# %% [markdown]
# **Exercise 3: twins.** Write two texts with the **same words**, each as often, but with different answers
# to “was the soup good?”. The first praises the soup, the second complains of it. Use `lovely` and `awful`, each
# once.

# %%
### BEGIN SOLUTION
twins = ("lovely soup and awful waiter", "awful soup and lovely waiter")
### END SOLUTION
lesson.check("twins", twins)

# %%
def one_hot(reviews):  # (reviews, words of the language, places): one where the word stands
    return np.eye(len(makers.WORDS), dtype=np.float32)[reviews.words].transpose(0, 2, 1).copy()


def counts(reviews):
    return one_hot(reviews).sum(axis=2)


def text_network():
    return nn.Sequential(
        nn.Conv1d(len(makers.WORDS), 16, 2), nn.ReLU(),  # 16 patterns, each two words long
        nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 2),
    )


from sklearn.naive_bayes import MultinomialNB

alike_for_texts = {"sizes": (50, 100, 200, 400), "classical": MultinomialNB, "network": text_network,
                   "wrong": 0.1, "rate": 0.01}
contest_mood = bench.Contest("texts: words", one_hot(mood), counts(mood), mood.labels, **alike_for_texts)
held_mood = bench.hold(contest_mood, once)
show(held_mood, "Happy guest? Words alone decide")

# %% [markdown]
# One guest in ten ticked the wrong box: a tenth of the **training** labels is wrong, on purpose. Naive Bayes
# shrugs. The network learns some of the errors by heart.
#
# Now the other question.

# %%
lesson.predict("ceiling")

# %%
contest_soup = bench.Contest("texts: order", one_hot(soup), counts(soup), soup.labels, **alike_for_texts)
held_soup = bench.hold(contest_soup, once)
show(held_soup, "Was the soup good? Order decides")

# %%
ceiling = held_soup.means["by hand"][-1]
lesson.reveal("ceiling", ceiling)

# %% [markdown]
# Half of the reviews praise both or scold both: there counts suffice. The other half are your twins: there
# counts must toss a coin. So they end at about **three in four**, and no quantity of texts
# helps. **What a feature threw away, no data brings back.**
#
# Is that the end of work by hand? Take another feature: count **pairs** of neighbours.

# %%
def pair_counts(reviews):
    pairs = reviews.words[:, :-1] * len(makers.WORDS) + reviews.words[:, 1:]
    table = np.zeros((len(pairs), len(makers.WORDS) ** 2), np.float32)
    for place in range(pairs.shape[1]):
        table[np.arange(len(pairs)), pairs[:, place]] += 1
    return table


pair_table, pairs_right = pair_counts(soup), []
for size in held_soup.sizes:
    row = []
    for seed in range(4):  # the same examples as before
        some, said, others = contest_soup.deal(size, seed)
        learner = MultinomialNB().fit(pair_table[some], said)
        row.append(learner.score(pair_table[others], soup.labels[others]))
    pairs_right.append(row)

both = {"by hand": np.array(pairs_right), "network": held_soup.right["network"]}
held_pairs = bench.Results("texts: order, pairs", held_soup.sizes, both, held_soup.seconds)
three = {"word counts": (held_soup, "by hand"), "pair counts": (held_pairs, "by hand"),
         "network": (held_soup, "network")}
draw.curves(
    held_soup.sizes, {name: result.means[side] for name, (result, side) in three.items()},
    spread={name: result.spread[side] for name, (result, side) in three.items()},
    title="A better bet by hand", across_title="examples to learn from", up_title="share right on new ones",
)

# %% [markdown]
# The better bet breaks the ceiling. But the network stays ahead. To pair counts, “lovely soup” and “superb soup”
# are strangers: each pair must be learned by itself. The network's patterns add up what they know of each word.
#
# And mind: we *knew* that pairs decide, for we made the texts. With real data nobody knows. That is what a network
# is for.
#
# ## Sound
#
# Vowels: a, e, i, o, u, from throats of many sizes, at many pitches, in noise. (Generated: vocal cords that
# buzz, and two resonances that make the vowel.) Below, two of them as the network hears them.

# %%
sounds, vowel = makers.vowels(900, seed=0)
milliseconds = np.arange(90) / makers.RATE * 1000
first = {name: sounds[np.flatnonzero(vowel == k)[0], :90] for k, name in ((0, "a"), (2, "i"))}
draw.curves(milliseconds, first, title="Two vowels as they come",
            across_title="milliseconds", up_title="air pressure")

# %% [markdown]
# By hand one takes the **spectrum**: how loud is each band of pitches? Look where each line falls: that place tells
# the vowels apart.

# %%
def loudness(sounds, bands=12):
    power = np.abs(np.fft.rfft(sounds * np.hanning(sounds.shape[1]))) ** 2
    borders = np.linspace(5, power.shape[1], bands + 1).astype(int)
    bands = [power[:, borders[k]:borders[k + 1]].mean(axis=1) for k in range(bands)]
    return np.log(np.stack(bands, axis=1) + 0.1)


heard = loudness(sounds)
pitches = np.linspace(50, makers.RATE / 2, 13)[:-1].round()
draw.curves(pitches, {name: heard[vowel == k].mean(axis=0) for k, name in enumerate(makers.VOWELS)},
            title="By hand: loudness in 12 bands",
            across_title="from this pitch on (Hz)", up_title="loudness (logarithm)")

# %%
def sound_network():
    return nn.Sequential(
        nn.Conv1d(1, 24, 48, stride=4), nn.ReLU(),  # 24 patterns of 48 moments slide along
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 5),
    )


contest_sound = bench.Contest(
    "sounds", sounds[:, None], heard, vowel, sizes=(25, 100, 400),
    classical=lambda: SVC(C=3), network=sound_network, rate=0.01,
)
held_sound = bench.hold(contest_sound, once)
show(held_sound, "Vowels: bands against raw sound")

# %% [markdown]
# With 25 examples nobody leads clearly. With more, the network does: our twelve bands keep less than the raw sound
# holds. The bet could be improved.
#
# ## A table
#
# Tissue of 569 patients, 30 columns with names (lesson 05 opens it). Each column *is* a feature by hand:
# physicians chose it.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

tumours = dlx.data.load("breast_cancer")


def table_network():
    return nn.Sequential(
        nn.BatchNorm1d(30),  # brings all columns to one scale
        nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2),
    )


contest_table = bench.Contest(
    "table", tumours.inputs, tumours.inputs, tumours.labels, sizes=(20, 60, 180, 360),
    classical=lambda: make_pipeline(StandardScaler(), LogisticRegression()), network=table_network, final=200,
)
lesson.predict("table")

# %%
held_table = bench.hold(contest_table, once)
show(held_table, "A table: by hand against a network")

# %%
cost = {side: 1000 * float(np.median(held_table.seconds[side][-1])) for side in bench.SIDES}
times_dearer = cost["network"] / cost["by hand"]
lesson.reveal("table", times_dearer)

# %%
table_right = {side: held_table.means[side][-1] for side in bench.SIDES}
Markdown(f"Training on {held_table.sizes[-1]} patients took {cost['by hand']:.0f} ms of processor time by "
         f"hand, and {cost['network']:.0f} ms with the network: **{times_dearer:.0f} times** as much. "
         f"The share right: {table_right['by hand']:.1%} and {table_right['network']:.1%}.")

# %% [markdown]
# The network cannot do better here: the columns already say what matters. **Try the plain learner first.**
#
# ## Who wins?
#
# One row for each contest, from few examples to more. A cell says who leads, and by how many points, give or take one
# standard error. **Open**: the lead is not more than two of them.

# %%
held = [held_faces, held_digits, held_mood, held_soup, held_pairs, held_sound, held_table]
won = {each.name: each.winners for each in held}
share_right = {each.name: each.means for each in held}
own.winners(held)

# %% [markdown]
# ## Your own contest
#
# Choose the data, how many examples there are, and how many of their labels are wrong. Both sides are **trained
# anew** (this takes a moment). Find a setting where the network loses, and one where it wins. Then change
# *which examples*: does the winner stay?

# %%
contests = [contest_faces, contest_digits, contest_mood, contest_soup, contest_sound, contest_table]
bench.ContestBench(contests, [held_faces, held_digits, held_mood, held_soup, held_sound, held_table], once)

# %% [markdown]
# ## Open both boxes: texts
#
# First where we know the truth. Two models answer “was the soup good?”: one on word counts, one
# network in each framework. Which words moved the answer?
#
# For the counts we take **logistic regression**, whose weights can be read: the credit of a word is its weight. For
# the networks we take **integrated gradients** (lesson 04 explains them). They share out the score's way from “no
# words at all” to this review among its words.
#
# Above the bars stands the review. Find the word before “soup”, and the one before “waiter”: how long are their bars?

# %%
known = makers.reviews(800, "order", seed=2)
asked = makers.reviews(200, "order", seed=3)  # never seen

soup_counts = LogisticRegression(max_iter=1000).fit(counts(known), known.labels)
soup_torch = train(text_network, one_hot(known), known.labels, rate=0.01)

keras.utils.set_random_seed(0)
soup_keras = keras.Sequential([
    layers.Input((makers.LENGTH, len(makers.WORDS))),  # Keras: places first, then words
    layers.Conv1D(16, 2, activation="relu"),
    layers.GlobalMaxPooling1D(),
    layers.Dense(2),
])
soup_keras.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
soup_keras.fit(one_hot(known).transpose(0, 2, 1), known.labels, epochs=8, batch_size=32, verbose=0)

mixed_up = np.random.default_rng(0).permutation(known.labels)  # the control: shuffled answers
soup_shuffled = train(text_network, one_hot(known), mixed_up, rate=0.01)

# %%
def credit_torch(network, reviews):
    maps = dlx.explain(dlx.wrap(network), one_hot(reviews), "integrated_gradients", target=1, baseline=0.0)
    return maps.values.sum(axis=1)  # (reviews, places)


def credit_keras(network, reviews):
    turned = one_hot(reviews).transpose(0, 2, 1).copy()
    maps = dlx.explain(dlx.wrap(network), turned, "integrated_gradients", target=1, baseline=0.0)
    return maps.values.sum(axis=2)


credits = {
    "word counts": soup_counts.coef_[0][asked.words],
    "Keras": credit_keras(soup_keras, asked),
    "Torch": credit_torch(soup_torch, asked),
    "control: shuffled answers": credit_torch(soup_shuffled, asked),
}
tones = np.array(asked.words)[np.arange(200), asked.other] < len(makers.GOOD)
disagree = np.flatnonzero(tones != (asked.labels == 1))  # soup and waiter differ: the twins
shown = disagree[asked.labels[disagree] == 1][0]
review = asked.text(shown)
print("The review:", review)
dlx.figures.bars(credits["word counts"][shown], review.split(), top=8,
                 title="Word counts: a good soup?", axis="credit")

# %%
dlx.figures.bars(credits["Torch"][shown], review.split(), top=8,
                 title="The network (Torch): a good soup?", axis="credit")

# %% [markdown]
# The same review. The counts take the waiter's adjective as seriously as the soup's. The network looks at the
# soup.
#
# One review proves nothing. Take all 200. How often does the **soup's** adjective get more credit, for or
# against, than the waiter's? Who cannot tell the two apart should be right in about half.

# %%
def match(credit):
    rows, sizes = np.arange(len(credit)), np.abs(credit)
    return float((sizes[rows, asked.decides] > sizes[rows, asked.other]).mean())


def share_right_of(network):
    return float((dlx.wrap(network).predict(one_hot(asked)).argmax(axis=1) == asked.labels).mean())


says_keras = soup_keras.predict(one_hot(asked).transpose(0, 2, 1), verbose=0).argmax(axis=1)
right_on = {
    "word counts": float(soup_counts.score(counts(asked), asked.labels)),
    "Keras": float((says_keras == asked.labels).mean()),
    "Torch": share_right_of(soup_torch),
    "control: shuffled answers": share_right_of(soup_shuffled),
}
matches = {name: match(credit) for name, credit in credits.items()}
draw.table({name: {"answers right": f"{right_on[name]:.0%}",
                   "soup's adjective has more credit": f"{matches[name]:.0%}"} for name in credits})

# %% [markdown]
# Only the networks that learned the true answers single out the word that decides. The control has the same
# layers and the same words, and does not. So the match comes from what was **learned**.
#
# **What this does not show:** that the network *understands* reviews. It found pairs of words. A “soup that I found
# lovely” was never in its data.
#
# ## Open both boxes: faces
#
# For pictures we need a way that works on both sides. **Cover** a part of the picture with grey. How far does
# the score fall? HOG with its support vector machine can be asked as well as a network.

# %%
def cover(score, picture, side=5, step=2):
    corners = [(r, c) for r in range(0, 26 - side, step) for c in range(0, 26 - side, step)]
    covered = np.repeat(picture[None], len(corners) + 1, axis=0)
    for copy, (r, c) in zip(covered[:-1], corners, strict=True):
        copy[r:r + side, c:c + side] = picture.mean()
    scores = score(covered)  # the last one has nothing covered
    fall, times = np.zeros((25, 25)), np.zeros((25, 25))
    for (r, c), value in zip(corners, scores[:-1], strict=True):
        fall[r:r + side, c:c + side] += scores[-1] - value
        times[r:r + side, c:c + side] += 1
    return fall / times


def lead_of_face(scores):
    return scores[:, 1] - scores[:, 0]


mixed_up = np.random.default_rng(0).permutation(faces.labels[learn])
face_shuffled = train(face_network, face_pixels[learn], mixed_up)  # the control
sides = {
    "by hand": lambda p: svm.decision_function(hog(p, 5, 5).reshape(len(p), -1)),
    "Keras": lambda p: lead_of_face(face_keras.predict(p[..., None], verbose=0)),
    "Torch": lambda p: lead_of_face(dlx.wrap(face_torch).predict(p[:, None])),
    "control: shuffled": lambda p: lead_of_face(dlx.wrap(face_shuffled).predict(p[:, None])),
}
looked_at = final[faces.labels[final] == 1][:12]
falls = {name: np.array([cover(score, pictures[k]) for k in looked_at]) for name, score in sides.items()}
own.covered({name: maps[0] for name, maps in falls.items()}, pictures[looked_at[0]], "a new face")

# %%
def alike(one, other):
    pairs = zip(one, other, strict=True)
    return float(np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]))


others = ("Keras", "by hand", "control: shuffled")
agreement = {name: alike(falls[name], falls["Torch"]) for name in others}
draw.table({name: {"like Torch's map (correlation)": f"{value:.2f}"} for name, value in agreement.items()})

# %% [markdown]
# (1: the same map. 0: nothing in common. Mean over twelve new faces.) Two networks with the same layers look at
# similar places. The one that learned shuffled answers does not. HOG learned from the same faces, and mostly looks
# **elsewhere**. There is more than one way to see a face.
#
# Here we know no truth, so no map is “right”. And a grey patch is itself an odd thing, with edges of its own: HOG
# feels them. One more warning:

# %%
rim = (pictures < 0.02).mean(axis=(1, 2)) > 0.05  # more than a twentieth of the picture is black
rims = {"faces": float(rim[faces.labels == 1].mean()), "no faces": float(rim[faces.labels == 0].mean())}
plain = final[~rim[final]]  # new pictures without a black part
plain_scores = {name: float(((score(pictures[plain]) > 0) == faces.labels[plain]).mean())
                for name, score in sides.items()}
Markdown(f"**{rims['no faces']:.0%}** of the patches without a face have a black part, and "
         f"**{rims['faces']:.0%}** of the faces. On the {len(plain)} new pictures that have none, "
         f"{plain_scores['by hand']:.0%} are right by hand, {plain_scores['Keras']:.0%} by Keras, and "
         f"{plain_scores['Torch']:.0%} by Torch.")

# %% [markdown]
# A straight black edge betrays “no face”. **Part of the fine scores may come from that.** So we scored again without
# it. Lesson 07 is about such shortcuts.
#
# What did the network's first layer learn? Compare its eight filters with those that it **started** with, by chance.

# %%
from dlexplain.classroom.lessons.lesson_02.figures import unit_rows

torch.manual_seed(0)
at_start = face_network()[0].weight.detach().numpy()[:, 0]
learned = face_torch[0].weight.detach().numpy()[:, 0]
stayed = alike(at_start, learned)
unit_rows({"learned": learned, "at the start": at_start}, title="Eight filters of the first layer (Torch)",
          facts=[f"Correlation of each filter with its start: {stayed:.2f} in the mean."])

# %% [markdown]
# With 120 pictures the filters have hardly moved. Much of the “learned features” is still chance, and the last
# layer made do with it. **Whoever wants learned features needs data to learn them from.** Lesson 14 borrows them
# from elsewhere.
#
# ## The same, straight from the libraries
#
# **Captum** explains the Torch network, **SHAP** the model on counts.

# %%
import shap
from captum.attr import IntegratedGradients

captum = IntegratedGradients(soup_torch).attribute(torch.tensor(one_hot(asked)), target=1, n_steps=64)
captum_credit = captum.detach().numpy().sum(axis=1)
captum_difference = float(np.abs(captum_credit - credits["Torch"]).max())

explainer = shap.LinearExplainer(soup_counts, counts(known))
by_word = explainer.shap_values(counts(asked))  # (reviews, words of the language)
shap_credit = by_word[np.arange(200)[:, None], asked.words]
adds_up = by_word.sum(axis=1) + explainer.expected_value - soup_counts.decision_function(counts(asked))
shap_gap = float(np.abs(adds_up).max())
library_matches = {"Captum on the network": match(captum_credit), "SHAP on word counts": match(shap_credit)}
draw.table({name: {"soup's adjective has more credit": f"{value:.0%}"}
            for name, value in library_matches.items()})

# %%
largest = float(np.abs(credits["Torch"]).max())
Markdown(f"Captum and dlexplain differ by at most {captum_difference:.3f}, where the largest credit is "
         f"{largest:.1f}. SHAP's bill adds up to within {shap_gap:.0e}, and yet its model is wrong in "
         f"**{1 - right_on['word counts']:.0%}** of the reviews.")

# %% [markdown]
# SHAP made no mistake. It explains the **model**, not the world, and the model is half blind. A bill that adds up
# does not say that the model is right.
#
# And mind: SHAP stops at the **features** that you hand it. On HOG it would give credit to “cell 7, direction 3”. The
# way back to pixels is your work.
#
# <details><summary>In mathematics (you can skip this)</summary>
#
# Let $d_k$ be the network's lead in repeat $k$ of $n$. Its mean is $\bar d$, and the standard error of the mean is
# $s/\sqrt n$ with $s^2 = \frac{1}{n-1}\sum_k (d_k - \bar d)^2$. Taken apart instead, the two sides have errors
# $s_a/\sqrt n$ and $s_b/\sqrt n$; the variance of the difference is $s_a^2 + s_b^2 - 2\,\mathrm{cov}(a, b)$.
# The same examples make the covariance positive: pairing shrinks the error.
# </details>

# %% [markdown]
# ## What would you advise?
#
# **Exercise 4: your advice.** Say `"by hand"` or `"network"` for each.
#
# - `"loans"`: 400 customers, 12 columns with names. Who pays back?
# - `"pets"`: 50,000 photographs of pets, anywhere and in any pose. Which animal?
# - `"chips"`: 40 pictures of circuit boards, always in the same frame. Is a part missing?
# - `"reviews"`: 100,000 long reviews; the order of words decides. What was praised?

# %%
### BEGIN SOLUTION
advice = {"loans": "by hand", "pets": "network", "chips": "by hand", "reviews": "network"}
### END SOLUTION
lesson.check("advice", advice)

# %% [markdown]
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A feature by hand is a bet about what matters. A good bet saves data; what a bad one threw away is gone.
# 2. Few examples, things in their place, named columns: classical learning wins or draws, at a fraction of the cost.
# 3. Things that move, order that matters, raw signals with enough examples: there networks win.
# 4. Compare on the same examples, repeat, and show error bars. One run proves nothing.
# 5. An explanation shows what a model uses. Whether the model is right must be tested apart.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
