# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · Recommendations
#
# “Because you watched…” says the screen, and shows eight films out of thousands.
#
# **Why these? And what happens to your taste, on the screen's side, with every click?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(9)
lesson

# %%
import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_09 import bench
from dlexplain.classroom.lessons.lesson_09.cinema import Cinema
from dlexplain.classroom.lessons.lesson_09.drawing import film_maps, shelf_curves, two_towers
from dlexplain.data.tastes import seen_before

people = dlx.data.load("tastes")
watched, taste = people.extras["watched"], people.extras["taste"]
genres, titles = people.truth["genres"], np.array(people.feature_names)
film_genres = people.truth["film_genres"]
genre = film_genres.argmax(axis=1)
FILMS = len(titles)

somebody = 7
dlx.figures.bars(np.round(100 * taste[somebody]), genres, title="What one person loves", axis="% of the taste")

# %%
Markdown("The films that this person watched, one after the other: "
         + ", ".join(f"*{titles[i]}* ({genres[genre[i]]})" for i in watched[somebody]) + ".")

# %% [markdown]
# People and films are made up here, so that we know the truth:
#
# - Every **person** has a taste: a share for each of six genres.
# - Every **film** has one genre and a **fame**: how many have heard of it. Fame was dealt out **by lot**. A famous
#   film is no better than an unknown one.
# - A film is watched by chance. Its chance is *taste for its genre* times *its fame*.
#
# A real cinema knows none of this. It sees only the list of who watched what. Nor will our networks be told any
# genre.

# %%
Markdown(f"**{len(people):,} people**, {FILMS} films, {watched.shape[1]} films watched by each. "
         "We keep 400 people locked up until the end.")

# %% [markdown]
# ## Two towers
#
# Somebody watched these films. **Which one comes next?** That is the question to the network. It has two parts:
#
# - the **person's tower** turns the films watched into 8 numbers, the person;
# - the **film's tower** has 8 numbers for each film, learned. Such learned numbers are called an **embedding**.
#
# Where the numbers of person and film point the same way, the score is high: multiply number by number, and sum up.
# On top, each film gets one number that is the same for everybody: its **fame**.
#
# One score, worked out (with 3 numbers, where the network has 8). Read it from top to bottom:

# %%
two_towers()

# %% [markdown]
# **Exercise 1: the score.** `person` has 8 numbers. `films` has a row of 8 numbers for each film. `fame` has one
# number for each film. Give back the scores of all films.

# %%
def scores_of(person, films, fame):
    ### BEGIN SOLUTION
    return films @ person + fame
    ### END SOLUTION


lesson.check("score", scores_of)

# %% [markdown]
# Every person gives many questions: after two films, which was the third? After three, the fourth? And so on.

# %%
# 1 · data: the same for Keras and for Torch
def questions(watched, count):
    histories, answers = [], []
    for k in range(2, watched.shape[1]):
        there = watched[:, k] >= 0
        histories.append(seen_before(watched[there, :k], count))  # 1: watched, 0: not
        answers.append(watched[there, k])
    return np.concatenate(histories), np.concatenate(answers)


histories, answers = questions(watched[:1100], FILMS)
new_histories, new_answers, new_taste = people.inputs[1100:], people.labels[1100:], taste[1100:]
print(f"{len(histories):,} questions to learn from, {len(new_answers)} locked up.")

# %%
lesson.predict("hits")

# %%
import keras
from keras import layers, ops


# 2 · network
class TowersKeras(keras.Model):
    def __init__(self, count):
        super().__init__()
        self.person = keras.Sequential([layers.Dense(24, activation="relu"), layers.Dense(8)])
        self.films = self.add_weight(shape=(count, 8), initializer="random_normal", name="films")
        self.fame = self.add_weight(shape=(count,), initializer="zeros", name="fame")

    def call(self, history):
        share = history / ops.maximum(ops.sum(history, axis=1, keepdims=True), 1)
        return self.person(share) @ ops.transpose(self.films) + self.fame


# 3 · train
def train_keras(histories, answers):
    keras.utils.set_random_seed(0)  # the same start for everyone
    network = TowersKeras(histories.shape[1])
    wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=keras.optimizers.Adam(0.01), loss=wrongness)
    network.fit(histories, answers, epochs=10, batch_size=256, verbose=0)
    return network


net_keras = train_keras(histories, answers)

# 4 · look
scores_keras = net_keras.predict(new_histories, verbose=0)
print(f"Keras: {scores_keras.shape[0]} people, a score for each of {scores_keras.shape[1]} films.")

# %%
import torch
from torch import nn


# 2 · network
class TowersTorch(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.person = nn.Sequential(nn.Linear(count, 24), nn.ReLU(), nn.Linear(24, 8))
        self.films = nn.Parameter(0.05 * torch.randn(count, 8))
        self.fame = nn.Parameter(torch.zeros(count))
        for part in (self.person[0], self.person[2]):
            nn.init.xavier_uniform_(part.weight)  # as Keras starts

    def forward(self, history):
        share = history / history.sum(dim=1, keepdim=True).clamp(min=1)
        return self.person(share) @ self.films.T + self.fame


# 3 · train
def train_torch(histories, answers):
    torch.manual_seed(0)
    network = TowersTorch(histories.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    inputs, answers = torch.tensor(histories), torch.tensor(answers)
    for _ in range(10):
        for batch in torch.randperm(len(inputs)).split(256):
            loss = nn.functional.cross_entropy(network(inputs[batch]), answers[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.eval()


net_torch = train_torch(histories, answers)

# 4 · look
scores_torch = dlx.wrap(net_torch).predict(new_histories)
print(f"Torch: {scores_torch.shape[0]} people, a score for each of {scores_torch.shape[1]} films.")

# %% [markdown]
# Now suggest **ten films** to every locked-up person: those of highest score that they have not watched. A **hit**:
# the film that they really watched next is among them.
#
# Compare with three who use no network. The **best-seller list** suggests the same famous films to all. The **lot**
# draws ten. The **prophet** knows the planted tastes and fames: on average, nobody can do better.

# %%
def ten(scores, seen=new_histories):
    return np.argsort(-np.where(seen > 0, -np.inf, scores), axis=1)[:, :10]


def hit_rate(suggested, answers=new_answers):
    return float((suggested == answers[:, None]).any(axis=1).mean())


views = np.bincount(watched[:1100].ravel(), minlength=FILMS)  # how often each film was watched
rng = np.random.default_rng(0)
prophet = np.log(new_taste @ film_genres.T + 1e-9) + np.log(people.truth["fame"])
hits = {
    "Keras": hit_rate(ten(scores_keras)),
    "Torch": hit_rate(ten(scores_torch)),
    "best-seller list": hit_rate(ten(np.tile(views, (400, 1)))),
    "lot": hit_rate(ten(rng.random((400, FILMS)))),
    "prophet": hit_rate(ten(prophet)),
}
dlx.figures.bars(100 * np.array(list(hits.values())), list(hits),
                 title="Was the next film among the ten?", axis="% of people")

# %%
lesson.reveal("hits", round(100 * hits["Keras"]))

# %% [markdown]
# The networks come near the prophet. But look at the best-seller list: it knows nobody, and hits often. Remember
# that. We come back to it.
#
# ## What has it learned?
#
# Each film is 8 numbers now. Draw a map of the films that keeps near ones near (by *t-SNE*). Such a map can draw groups
# where none are. So we need a **control**: the same network, trained on **shuffled** answers. There the next film
# has nothing to do with the person.
#
# Look at the colours, left and right: where do films of one genre lie together?

# %%
net_shuffled = train_torch(histories, rng.permutation(answers))


def table_of(network):
    films = network.films
    return films.detach().numpy() if isinstance(network, nn.Module) else ops.convert_to_numpy(films)


film_maps({"Keras": bench.flat(table_of(net_keras)),
           "control: shuffled answers": bench.flat(table_of(net_shuffled))},
          genre, genres, title="180 films, as the networks see them")

# %%
alike = {name: bench.neighbours_alike(table_of(network), film_genres)
         for name, network in (("Keras", net_keras), ("Torch", net_torch), ("shuffled", net_shuffled))}
Markdown(f"Take a film and its five nearest films. In **{alike['Keras']:.0%}** (Keras) and "
         f"**{alike['Torch']:.0%}** (Torch) of the cases they share a genre. In the control: "
         f"{alike['shuffled']:.0%}; pure chance would give {29 / 179:.0%}.")

# %% [markdown]
# Nobody told the networks a genre. They found six groups, because the same people watch the films of one. **What
# this does not show**: that the network knows what “horror” *is*. It knows who watches together. A film loved
# by the same crowd for another reason would stand in the same place.
#
# ## Why was this suggested?
#
# A person has watched two films of each of three genres. The network suggests a seventh.

# %%
mixed, asked = bench.mixed_histories(genre)
reader_keras, reader_torch = dlx.wrap(net_keras), dlx.wrap(net_torch)

history = mixed[14]  # a clear case; below we count over all
six = np.flatnonzero(history)
film = int(ten(reader_keras.predict(history[None]), history[None])[0, 0])
Markdown("Watched: " + ", ".join(f"*{titles[i]}* ({genres[genre[i]]})" for i in six) + ".\n\n"
         f"Suggested: **{titles[film]}** ({genres[genre[film]]}).")

# %% [markdown]
# Which of the six films deserve credit for it? That is a game with six players (lesson 05). Here, absence is
# natural: **the film was not watched**. So take the films away in every way, and share the change of the score fairly:
# the exact **Shapley values**.

# %%
lesson.predict("reason")

# %%
def explain(network, history, film, groups):
    found = dlx.explain(network, history[None], "exact_shapley", target=int(film), groups=groups)
    return found.values[0]


groups = bench.players(history)  # each watched film alone; the unwatched play no part
credit = {"Keras": explain(reader_keras, history, film, groups)[six],
          "Torch": explain(reader_torch, history, film, groups)[six]}
names = [f"{titles[i]} ({genres[genre[i]]})" for i in six]
draw.groups(credit, names, title=f"Why “{titles[film]}” ({genres[genre[film]]})?",
            axis="credit for the score")

# %%
own_genre = genre[six] == genre[film]
own_credit = {name: float(values[own_genre].sum()) for name, values in credit.items()}
other_credit = {name: float(values[~own_genre].sum()) for name, values in credit.items()}
said = ("the two films of its own genre", "the most famous of the six", "all six alike")
strongest, famous = credit["Keras"].argmax(), views[six].argmax()
outcome = said[0] if own_genre[strongest] else said[1] if strongest == famous else said[2]
lesson.reveal("reason", outcome)

# %% [markdown]
# Credit **below zero** means: with this film watched, less of the taste is left for the genre of the suggestion.
#
# **Exercise 2: the sentence.** A screen wants to say “because you love …”. `credit` has a number for each watched
# film, `genre` the genre of each. Give back the **genre** that did most for the suggestion.

# %%
def because(credit, genre, genres):
    ### BEGIN SOLUTION
    return genres[np.bincount(genre, credit, len(genres)).argmax()]
    ### END SOLUTION


lesson.check("because", because)

# %% [markdown]
# ### A control: could this have gone wrong?
#
# Now 24 such people, and for each a film of one of their three genres. The planted truth: only the two films of
# that genre speak for it. How often does the largest credit fall on one of the two? Blind luck: one in three.

# %%
def reasons(network):
    return bench.reasons(lambda *case: explain(network, *case), mixed, asked, genre)


reasons_keras, reasons_torch = reasons(reader_keras), reasons(reader_torch)
untrained = []
for seed in range(3):
    torch.manual_seed(seed)
    untrained.append(reasons(dlx.wrap(TowersTorch(FILMS).eval()))["named"])
most_seen = [genre[max(np.flatnonzero(row), key=lambda i: views[i])] for row in mixed]
found = {
    "Keras": reasons_keras["named"],
    "Torch": reasons_torch["named"],
    "control: shuffled answers": reasons(dlx.wrap(net_shuffled))["named"],
    "control: untrained": float(np.mean(untrained)),
    "no network: the most famous film": float(np.mean(np.array(most_seen) == genre[asked])),
}
dlx.figures.bars(100 * np.array(list(found.values())), list(found),
                 title="Does it name the planted taste?", axis="% of people")

# %%
Markdown(f"Of the films of the *same* genre, **{reasons_keras['own up']:.0%}** get credit above zero "
         f"(Torch: {reasons_torch['own up']:.0%}). Of *other* genres, "
         f"**{reasons_keras['other down']:.0%}** get credit below zero (Torch: "
         f"{reasons_torch['other down']:.0%}). The rest are mistakes of the networks: in the planted "
         "truth, a film of another genre never speaks for one.")

# %% [markdown]
# **What this does not show.** The credit explains a *score*. It does not say that you will enjoy the film. And one
# reason is missing in it: fame. The fame of a film is the same for every history, so no watched film gets credit
# for it. “Because you watched …” is never the whole reason.
#
# ## You click, it learns
#
# Nobody trains a whole network for each click. Instead **one step**: the 8 numbers of this *person* move a little,
# and all else stays. Which way? Uphill for the chance of the film that was clicked:
#
# > towards the **film clicked**, away from the **film expected**
#
# The film expected is the mean of all films, each weighed by its chance.
#
# **Exercise 3: one click.** `chances` has a chance for each film. They sum to 1. Give back the person after one
# step of size `rate`.

# %%
def click(person, films, chances, clicked, rate):
    ### BEGIN SOLUTION
    expected = chances @ films
    return person + rate * (films[clicked] - expected)
    ### END SOLUTION


lesson.check("click", click)

# %%
lesson.order("online")

# %% [markdown]
# Does one step a click suffice? Each locked-up person starts as a **newcomer**, who gets what is
# famous. Then they click the films that they watched, one after the other.

# %%
def cinema_of(network):
    nothing = np.zeros((1, FILMS), np.float32)
    fame = dlx.wrap(network).predict(nothing)[0]  # what it offers to one who watched nothing
    return bench.Towers(table_of(network), fame, titles, genre, genres)


cinemas = {"Keras": cinema_of(net_keras), "Torch": cinema_of(net_torch)}


def after_clicks(towers, rate):
    scores = []
    for films in watched[1100:, :-1]:
        visitor = bench.Visitor(towers)
        for film_clicked in films:
            visitor.watch(film_clicked, rate)
        scores.append(visitor.scores())
    return hit_rate(ten(np.array(scores)))


online = {name: {"no step": after_clicks(towers, 0), "steps of 1": after_clicks(towers, 1),
                 "steps of 5": after_clicks(towers, 5),
                 "the person's tower reads all films": hits[name]}
          for name, towers in cinemas.items()}
draw.table({name: {way: f"{value:.0%} hits" for way, value in row.items()}
            for name, row in online.items()})

# %% [markdown]
# Small steps close much of the gap to the tower, which reads the whole history again. Steps too large overshoot: the
# last click drowns all others.
#
# **Your turn.** Click films that *one* kind of person would love. Watch two things:
#
# - the bars: what the cinema believes of you;
# - the lines: how many genres it shows, and how many it believes in. It is the **effective** number: half of one genre
#   and half of another count 2. Nine films of one and one of another count less.
#
# Then try:
#
# 1. Click two genres in turn. How long do both stay on the shelf?
# 2. Start again, with two places drawn **by lot**.
# 3. Turn the fame off at the very start. What changes on the shelf?

# %%
Cinema(cinemas)

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# The score of film $j$ is $s_j = u \cdot v_j + b_j$, its chance $p_j = e^{s_j} / \sum_k e^{s_k}$. The gradient of
# $\log p_c$ with respect to $u$ is $v_c - \sum_k p_k v_k$: clicked minus expected. After clicks $c_1, c_2, \dots$ the
# person is $u_0 + \sum_t \eta\,(v_{c_t} - \bar v_t)$. So $s_j$ is a plain sum, a part for each click. That is the “why”
# under the shelf: no estimate, and no game needed.
# </details>
#
# ## Famous because famous
#
# Fame was dealt out by lot. What do the networks do with it?

# %%
lesson.predict("fame")

# %%
famous = np.argsort(-views)[:FILMS // 10]  # the tenth of the films that was watched most
seen_famous = float(np.isin(watched[1100:], famous).mean())
shown_famous = {name: float(np.isin(ten(scores), famous).mean())
                for name, scores in (("Keras", scores_keras), ("Torch", scores_torch))}
lesson.reveal("fame", round(100 * shown_famous["Keras"]))

# %%
Markdown(f"The best-known tenth of the films makes up {seen_famous:.0%} of all that was watched, and "
         f"**{shown_famous['Keras']:.0%}** (Keras) and **{shown_famous['Torch']:.0%}** (Torch) of all "
         "that is suggested. **The network passes the fame on, and adds to it.** What is suggested, "
         "gets watched. What gets watched, is suggested more.")

# %% [markdown]
# That is **popularity bias**. The network learned to foresee *watching*, and watching is liking times fame. So divide
# by the fame! Our score is the **logarithm** of a chance (but for a constant). With logarithms, dividing becomes
# subtracting.
#
# **Exercise 4: the fair score.** `views` says how often each film was watched. Take the logarithm of the views away
# from the scores. (Add 1 to the views first: the logarithm of 0 does not exist.)

# %%
def fair(scores, views):
    ### BEGIN SOLUTION
    return scores - np.log(views + 1)
    ### END SOLUTION


lesson.check("fair", fair)

# %% [markdown]
# We know the planted tastes. So we can ask what no real cinema can ask: **how well are the suggestions liked?** That
# is the person's taste for the genre of a suggested film, on average.

# %%
def judged(scores):
    suggested = ten(scores)
    return {
        "hits in the records": hit_rate(suggested),
        "true liking": float(np.take_along_axis(new_taste, genre[suggested], axis=1).mean()),
        "from the famous tenth": float(np.isin(suggested, famous).mean()),
        "genres among the ten": float(np.mean([bench.variety(genre[row]) for row in suggested])),
    }


before_after = {
    "Keras": judged(scores_keras),
    "Keras, fair": judged(scores_keras - np.log(views + 1)),
    "Torch": judged(scores_torch),
    "Torch, fair": judged(scores_torch - np.log(views + 1)),
    "best-seller list": judged(np.tile(views, (400, 1))),
}
draw.table({name: {what: f"{value:.1f}" if "genres" in what else f"{value:.0%}"
                   for what, value in row.items()} for name, row in before_after.items()})

# %% [markdown]
# Look twice.
#
# - The **fair** list is **liked far better**. And it has **far fewer hits**. The records themselves are biased: people
#   watched what they had heard of. **Whoever is judged by hits, learns to be unfair.**
# - The fair list has **fewer genres**. Fame had mixed them. Cure one bias, and another one grows.
#
# (“Genres among the ten” is the effective number again.)
#
# ## The bubble
#
# So far people chose among all films. Now the cinema chooses what they *can* click.
#
# - 40 made-up people come for 24 evenings. Each **loves exactly two genres, half and half**.
# - Each evening has a **mood**: one of the two genres. They click a film of it. If the shelf has none, they take
#   another.
# - The cinema learns from every click, with steps of 1.5.

# %%
lesson.predict("bubble")

# %%
ways = {
    "learns, shows its best": {"rate": 1.5, "explore": 0},
    "learns, 2 of 8 places by lot": {"rate": 1.5, "explore": 2},
    "control: does not learn": {"rate": 0, "explore": 0},
}
evening = np.arange(0, 24, 3)


def bubbles(loved):
    made = {way: bench.crowd(cinemas["Keras"], loved, **setting) for way, setting in ways.items()}
    series = {way: varied[:, evening].mean(axis=0) for way, (varied, _) in made.items()}
    spread = {way: varied[:, evening].std(axis=0) / 40**0.5 for way, (varied, _) in made.items()}
    return made, series, spread


made_two, two, two_spread = bubbles(2)
shelf_curves(evening + 1, two, two_spread, title="People who love two genres")

# %%
lowest = float(two["learns, shows its best"].min())
lesson.reveal("bubble", "about one" if lowest < 1.5 else "two" if lowest < 2.5 else "three or more")

# %%
missed = {way: float(each[:, 12:].mean()) for way, (_, each) in made_two.items()}
Markdown("In the last twelve evenings, the mood of the evening was **not on the shelf**: "
         + "; ".join(f"{way}: **{share:.0%}**" for way, share in missed.items()) + ".")

# %% [markdown]
# The shelf gets **narrower than the people are**: one genre where they love two. What is not shown cannot be clicked.
# What is not clicked is forgotten. That is a **filter bubble**. Two places by lot let the second love come back.
#
# (Without learning, the shelf is the best-seller list, less what was watched. It is varied, and misses the mood most
# of all.)
#
# **Is it the people's fault?** A control: people who love **all six genres alike**. They have no taste to find. Follow
# the blue line.

# %%
made_six, six_loved, six_spread = bubbles(6)
shelf_curves(evening + 1, six_loved, six_spread, title="Control: people with no preference")

# %% [markdown]
# The shelf narrows around them all the same, only later. Nobody wanted that. **The loop makes the bubble, not the
# person.**
#
# ## The same, straight from the library
#
# **SHAP** can play our game. Tell it what “absent” means: a zero, *not watched*.

# %%
import shap


def score_of_six(kept):  # rows of six ones and zeros: which films are kept
    rows = np.zeros((len(kept), FILMS), np.float32)
    rows[:, six] = kept
    return reader_torch.predict(rows)[:, film]


not_watched = shap.maskers.Independent(np.zeros((1, 6)))
ask_shap = shap.Explainer(score_of_six, not_watched, algorithm="exact", feature_names=names)
told = ask_shap(np.ones((1, 6)), silent=True)
shap_gap = float(np.abs(told.values[0] - credit["Torch"]).max())
shap.plots.waterfall(told[0], show=False)
draw.from_matplotlib("SHAP's waterfall plot: a step for each watched film, up to the score of "
                     f"{titles[film]}.", height=3.2)

# %%
others = shap.maskers.Independent(people.inputs[:50])
usual = shap.Explainer(lambda rows: reader_torch.predict(rows.astype(np.float32))[:, film], others,
                       algorithm="permutation", seed=0)
strange = usual(history[None].astype(float), max_evals=1000, silent=True).values[0]
unseen_share = float(np.abs(strange[history == 0]).sum() / np.abs(strange).sum())
Markdown(f"SHAP's six values are ours, to within {max(shap_gap, 1e-6):.6f}. But mostly SHAP is called with "
         f"**other people** as background. Then **{unseen_share:.0%}** of all credit falls on films that "
         "this person **has not watched**.")

# %% [markdown]
# That is no mistake of SHAP's. It answers another question: “why this score, and not that of the others?” Not to have
# watched what others did is an answer to it. But nobody can write it under a film. **Name what “absent” means.**
#
# And **Captum's** fastest: input times gradient.

# %%
from captum.attr import InputXGradient

asked_for = torch.tensor(history[None], requires_grad=True)
fast = InputXGradient(net_torch).attribute(asked_for, target=film)[0].detach().numpy()
real_change = float(reader_torch.predict(history[None])[0, film] - cinemas["Torch"].fame[film])
captum_sum = float(fast.sum())
Markdown(f"The six films changed the score by **{real_change:+.2f}**. Input times gradient hands out "
         f"**{captum_sum:z.2f}** in all.")

# %% [markdown]
# The sum is nothing, whatever the film! Our tower reads *shares*. To watch every film twice changes no share, so the
# score is flat in that direction, and a gradient along it is zero. **A gradient asks “what if a bit more?”. Our
# question was “what if not at all?”**
#
# ## Real people
#
# **MovieLens** holds the ratings of real people. If you have it, this cell trains the same network on it.

# %%
ratings = bench.movielens()
real = {}
if ratings is None:
    shown = Markdown("MovieLens is not on this computer, so this part is skipped. Get "
                     "`ml-latest-small.zip` from GroupLens (search for “MovieLens”). Put it into a folder, "
                     "and name that folder in the environment variable `DLEXPLAIN_DATA`. Then run the "
                     "lesson again.")
else:
    order = np.random.default_rng(0).permutation(len(ratings))
    old, new = np.split(order, [int(0.75 * len(order))])
    past, next_film = questions(ratings.extras["watched"][old], ratings.inputs.shape[1])
    net_real = train_torch(past, next_film)
    seen, truth = ratings.inputs[new], ratings.labels[new]
    real["network"] = hit_rate(ten(dlx.wrap(net_real).predict(seen), seen), truth)
    best = ratings.inputs[old].sum(axis=0)
    real["best-seller list"] = hit_rate(ten(np.tile(best, (len(new), 1)), seen), truth)
    kinds = ratings.truth["film_genres"]
    real["neighbours share a genre"] = bench.neighbours_alike(table_of(net_real), kinds)
    real["chance"] = bench.neighbours_alike(rng.normal(size=(len(kinds), 8)), kinds)
    shown = draw.table({name: {"MovieLens": f"{value:.0%}"} for name, value in real.items()})
shown

# %% [markdown]
# On real data nobody knows the planted taste. There is no “true liking” to compute. Only hits remain, and you have
# seen what they reward.
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Two towers turn a person and a film into a few numbers each. The score says whether they point the same way.
# 2. “Because you watched …” is a fair share of a score. Check it against planted tastes, and against networks that
#    know nothing.
# 3. A click moves the person's numbers: towards the film clicked, away from the film expected.
# 4. Records hold liking times fame. Whoever is judged by hits, hands the fame on.
# 5. What is not shown cannot be clicked: the loop narrows the shelf. A few places by lot bring back what was lost.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
