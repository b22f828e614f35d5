# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 13 · Language models
#
# Ask a chatbot anything: it answers in perfect sentences. Some of them are true.
#
# **How does a model write? And why does it make things up?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(13)
lesson

# %%
import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_13 import desk, land, reading

country = land.Land()
pages = country.writings()  # a row a page, a number a word

after_is = pages[:, 1:][pages[:, :-1] == land.ID["is"]]
words, counts = np.unique(after_is, return_counts=True)
dlx.figures.bars(100 * counts / counts.sum(), [land.WORDS[word] for word in words],
                 title="Which word follows “is”?", axis="% of all places")

# %% [markdown]
# This is a language model already. It only counts: **after this word, how often came which other word?** A
# language model gives every word that it knows a chance to come next. Nothing else.
#
# ## A land that we invented
#
# These pages come from a land that does not exist. So we know all that is true there, and all that was ever written.
#
# - There are 64 towns. The writers mention **24 of them, over and over**. Nobody ever wrote about the other 40.
# - They write down each town's river, its goods and its mayor.
# - They **sing**: each song is a new, random melody, repeated.
# - They write **letters**. A letter makes a claim and repeats it. It may be wrong.
#
# Here are six pages. Find a song and a letter.

# %%
for page in pages[:6]:
    print(land.text(page))

# %% [markdown]
# And this is true of four of the towns:

# %%
draw.table({town: country.truth[town] for town in country.told[1:5]})

# %% [markdown]
# A town is *two* words for the model: `Bal` and `-ana` make Balana. Real models cut rare words into pieces, too
# (**tokens**). So it will know the pieces of a town of which it never read.

# %%
print(land.pieces(land.question("river", country.told[1])))

# %% [markdown]
# **Exercise 1: surprise.** A model is good if the word that comes had a high chance. We measure its
# **surprise**: the base-2 logarithm of the chance, with a minus. Chance 1: surprise 0. Chance ½: 1. Chance ¼: 2.
# Here are the chances that a model gave to four words that came. What is its mean surprise?

# %%
given = np.array([0.5, 0.25, 1.0, 0.125])
### BEGIN SOLUTION
surprise = -np.log2(given).mean()
### END SOLUTION
lesson.check("surprise", surprise, chances=given)

# %%
pairs = np.full((len(land.WORDS), len(land.WORDS)), 1e-3)
np.add.at(pairs, (pages[:, :-1].ravel(), pages[:, 1:].ravel()), 1)
pairs /= pairs.sum(axis=1, keepdims=True)

fresh = country.writings(100, seed=1)  # pages that no model learns from
surprise_counting = float(-np.log2(pairs[fresh[:, :-1], fresh[:, 1:]]).mean())
surprise_blind = float(np.log2(len(land.WORDS)))
Markdown(f"On fresh pages, counting pairs is surprised by **{surprise_counting:.2f}** a word. "
         f"Knowing nothing at all would be {surprise_blind:.2f}.")

# %% [markdown]
# Counting sees one word back. “…is the” could be any river: the town is three words away.
#
# ## A small transformer, in Keras and in Torch
#
# Every word becomes 48 numbers. Two **blocks** work on them. In the end they become a score for each word.
#
# A block does two things:
#
# 1. It **attends** (lesson 12): every place may fetch something from places *before* it, never after (**causal**). Two
#    **heads** do that side by side.
# 2. It **thinks**: a small network works on what each place has now.
#
# Both times the block *adds* its result to the 48 numbers.

# %%
import keras
from keras import layers

WORDS, WIDTH, HEADS = len(land.WORDS), 48, 2
numbers = keras.initializers.RandomNormal
weights = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")  # start small, as Torch does


class Start(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.words = layers.Embedding(WORDS, WIDTH, embeddings_initializer=numbers(stddev=0.1))
        self.places = layers.Embedding(land.LENGTH, WIDTH, embeddings_initializer=numbers(stddev=0.1))

    def call(self, ids):
        return self.words(ids) + self.places(keras.ops.arange(keras.ops.shape(ids)[1]))


class Block(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.norm_1 = layers.LayerNormalization(epsilon=1e-5)
        self.norm_2 = layers.LayerNormalization(epsilon=1e-5)
        self.attend = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, kernel_initializer=numbers(stddev=0.1))
        self.think = keras.Sequential([
            layers.Dense(4 * WIDTH, activation="relu", kernel_initializer=weights.clone()),
            layers.Dense(WIDTH, kernel_initializer=weights.clone()),
        ])

    def call(self, x):
        seen = self.norm_1(x)
        x = x + self.attend(seen, seen, use_causal_mask=True)
        return x + self.think(self.norm_2(x))


def transformer_keras(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([
        layers.Input((None,), dtype="int32"),
        Start(name="start"), Block(name="block_1"), Block(name="block_2"),
        layers.LayerNormalization(epsilon=1e-5),
        layers.Dense(WORDS, kernel_initializer=weights.clone()),
    ])


# 1 · data: the question is each word, the answer the next
asked, answers, EPOCHS = pages[:, :-1], pages[:, 1:], 12

# 2 · network
net_keras = transformer_keras(seed=0)

# 3 · train
slower = keras.optimizers.schedules.CosineDecay(0.005, EPOCHS * len(pages) // 32)
wrongness = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
net_keras.compile(optimizer=keras.optimizers.Adam(slower, epsilon=1e-8), loss=wrongness)
with reading.Stopwatch() as watch_keras:
    history = net_keras.fit(asked, answers, epochs=EPOCHS, batch_size=32, verbose=0)
surprises = {"Keras": {"surprise": np.array(history.history["loss"]) / np.log(2)}}

# 4 · look
model_keras = dlx.wrap(net_keras, class_names=land.WORDS)
print(f"Keras, on fresh pages: surprise {reading.surprise(model_keras, fresh):.2f} a word.")

# %%
import collections

import torch
from torch import nn


class StartTorch(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, WIDTH), nn.Embedding(land.LENGTH, WIDTH)
        nn.init.normal_(self.words.weight, std=0.1)
        nn.init.normal_(self.places.weight, std=0.1)

    def forward(self, ids):
        return self.words(ids) + self.places.weight[: ids.shape[1]]


class BlockTorch(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attend = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.think = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.ReLU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)  # may not be looked at
        seen = self.norm_1(x)
        x = x + self.attend(seen, seen, seen, attn_mask=later, need_weights=False)[0]
        return x + self.think(self.norm_2(x))


def transformer_torch(seed):
    torch.manual_seed(seed)
    return nn.Sequential(collections.OrderedDict(
        start=StartTorch(), block_1=BlockTorch(), block_2=BlockTorch(),
        norm=nn.LayerNorm(WIDTH), scores=nn.Linear(WIDTH, WORDS),
    ))


def train_torch(network, rows, epochs, rate):
    asked, answers = torch.tensor(rows[:, :-1]).long(), torch.tensor(rows[:, 1:]).long()
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(rows) // 32)
    curve = []
    for _ in range(epochs):
        losses = []
        for batch in torch.randperm(len(rows)).split(32):
            scores = network(asked[batch])
            loss = nn.functional.cross_entropy(scores.flatten(0, 1), answers[batch].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            slower.step()
            losses.append(loss.item())
        curve.append(np.mean(losses) / np.log(2))
    network.eval()
    return curve


# 1 · data: the same · 2 · network
net_torch = transformer_torch(seed=0)

# 3 · train
with reading.Stopwatch() as watch_torch:
    surprises["Torch"] = {"surprise": train_torch(net_torch, pages, EPOCHS, rate=0.005)}

# 4 · look
model_torch = dlx.wrap(net_torch, class_names=land.WORDS)
print(f"Torch, on fresh pages: surprise {reading.surprise(model_torch, fresh):.2f} a word.")

# %%
dlx.figures.training_curves(surprises, title="Surprise a word, epoch by epoch")

# %%
models = {"Keras": model_keras, "Torch": model_torch}
untrained = {
    "Keras": dlx.wrap(transformer_keras(9), class_names=land.WORDS),
    "Torch": dlx.wrap(transformer_torch(9).eval(), class_names=land.WORDS),
}
surprise_of = {name: reading.surprise(model, fresh) for name, model in models.items()}
knows = {name: reading.answers(model, country.facts()) for name, model in models.items()}
knows_share = {name: float(found.true.mean()) for name, found in knows.items()}
draw.table({
    "counting pairs": {"surprise a word": f"{surprise_counting:.2f}", "facts known": "–"},
    **{name: {"surprise a word": f"{surprise_of[name]:.2f}",
              "facts known": f"{knows_share[name]:.0%} of {len(knows[name].true)}"} for name in models},
})

# %% [markdown]
# Nobody gave it a list of rivers. It was only asked for the next word, again and again.
#
# ## How it writes
#
# It gives chances for *one* word. One word is drawn, like a ticket from a hat, and put at the end. Then it starts again.

# %%
lesson.order("writing")

# %% [markdown]
# **Temperature** says how daring the draw is. The scores are *divided* by it, before they become chances. Low: only
# favourites win. High: outsiders win, too.
#
# **Exercise 2: temperature.** Turn scores into chances. (Chances: `exp` of each score, divided by the sum of them all.)


# %%
def with_temperature(scores, temperature):
    ### BEGIN SOLUTION
    powers = np.exp(scores / temperature)
    return powers / powers.sum()
    ### END SOLUTION


lesson.check("with_temperature", with_temperature)

# %% [markdown]
# Now let it write. Choose how it begins. Change the temperature. **Top-k** leaves only the k likeliest words in the
# hat. Go through the text word by word: the bars are the chances at that place.

# %%
beginnings = [land.question("river", country.told[1]), f"people in {country.told[2]}",
              "song : do re mi fa so do re", "letter :", land.question("mayor", country.never[0])]
desk.WritingDesk(models, beginnings)

# %% [markdown]
# What does heat do to the truth? We ask for facts that the network knows. The dashed line: the chance to draw the
# true word. The other one: the chance to draw any word of the right kind, such as any river.

# %%
temperatures = [0.25, 0.5, 1, 1.5, 2, 3]
heat = {"a word of the right kind": [], "the true word": []}
for temperature in temperatures:
    found = reading.answers(model_torch, country.facts(), temperature=temperature)
    heat["a word of the right kind"].append(float(found.chance_of_kind.mean()))
    heat["the true word"].append(float(found.chance_of_truth.mean()))
draw.curves(temperatures, heat, title="Questions about towns it knows: what does the draw bring?",
            across_title="temperature", up_title="chance")

# %% [markdown]
# When it gets hot, truth goes first. Grammar stays longer. **A text can be well made and
# wrong.**
#
# ## Which words decided?
#
# Cover each word in turn with a word that it never met, `unknown`. How far does the score of its answer fall? That fall is
# the word's **credit**: the more orange, the more.
#
# We ask for a river. In front we put a line about *another* town, as a decoy. Which town gets the credit?


# %%
def credit(model, texts, method="feature_ablation", **options):
    ids = land.ids(texts)
    last = ids.shape[1] - 1
    best = np.asarray(model.predict(ids))[:, last].argmax(-1)
    target = [(last, int(word)) for word in best]
    return dlx.explain(model, ids, method, target=target, baseline=land.ID["unknown"], **options)


town, other = country.told[1], country.told[5]
decoy = land.statement("goods", other, country.truth[other]["goods"])
line = f"{decoy} {land.question('river', town)}"
found = credit(model_torch, [line])
said = reading.best(model_torch, line)
dlx.figures.tokens(found.values[0], land.pieces(line), title=f"Torch answers: {said}")

# %% [markdown]
# The town asked about. And the last word, “the”: it says that the name of a river must come.
#
# Now a **letter** in front, with a *wrong* claim about the same town. Where has the credit gone?


# %%
def with_letter(facts):
    return [
        f"letter : {land.statement(kind, each, thing)} {land.question(kind, each)}"
        for kind, each, thing in facts
    ]


known = country.told[1:]
wrong = [("river", each, land.other_thing("river", country.truth[each]["river"])) for each in known]
letter = with_letter(wrong)[0]
from_letters = credit(model_torch, with_letter(wrong))
said = reading.best(model_torch, letter)
dlx.figures.tokens(from_letters.values[0], land.pieces(letter), title=f"With a letter, Torch answers: {said}")

# %%
size = np.abs(from_letters.values).mean(axis=0)
by_letter = {"letter": float(size[0]), "claim": float(size[9]),
             "town asked about": float(size[14:16].sum())}
from_memory = credit(model_torch, [land.question("river", each) for each in known])
by_memory = float(np.abs(from_memory.values).mean(axis=0)[3:5].sum())
Markdown(f"The mean over all known towns: without a letter, the town's pieces get **{by_memory:.1f}** of credit. "
         f"With one, only **{by_letter['town asked about']:.1f}**. The word *letter* gets "
         f"{by_letter['letter']:.1f} and its claim {by_letter['claim']:.1f}.")

# %% [markdown]
# The first answer comes **from memory**: the town's pieces did it. The second is **read off the page**: now the town in the
# question hardly matters.
#
# Is this the network's doing, or would any network show it? Take many questions with a decoy. Of all the credit on pieces of
# towns, which share lies on the town *asked about*? Decoy and town have two pieces each: blind luck gives a half.


# %%
def with_decoys(towns):
    pairs = zip(towns, reversed(country.told[1:]), strict=False)
    return [
        f"{land.statement('goods', other, country.truth[other]['goods'])} {land.question('river', town)}"
        for town, other in pairs
        if town != other
    ]


def on_the_town(model, towns, **options):
    size = np.abs(credit(model, with_decoys(towns), **options).values).mean(axis=0)
    return float(size[10:12].sum() / (size[10:12].sum() + size[2:4].sum()))


walk = {"method": "integrated_gradients", "tolerance": 0.05}
on_town = {
    name: {
        "known towns": on_the_town(model, country.told[1:21]),
        "integrated gradients": on_the_town(model, country.told[1:7], **walk),
        "never told": on_the_town(model, country.never[:20]),
        "control: untrained": on_the_town(untrained[name], country.told[1:21]),
    }
    for name, model in models.items()
}
draw.table(reading.percents(on_town))

# %% [markdown]
# The trained networks look at the right town; untrained ones do not care.
#
# **What this does not show.** See the column “never told”. There the answer is *made up*, and the credit looks just as
# sensible. **Credit says which words the answer came from. It does not say whether it is true.**
#
# ## Where in the network does the answer appear?
#
# Each block only *adds* to the 48 numbers. So we may stop early, and read off the scores right there. This is the **logit
# lens** (scores are also called logits).
#
# Look at the last column, from top to bottom: what would the network say there, at the start and after each block?

# %%
STREAM = ["start", "block_1", "block_2"]
ask_river = [land.question("river", each) for each in country.told[1:]]
lens = {name: dlx.logit_lens(model, land.ids(ask_river), STREAM, names=land.WORDS)
        for name, model in models.items()}
lens["Keras"].plot(tokens=land.pieces(ask_river[0]), title=f"{ask_river[0]} … read after each block (Keras)")

# %% [markdown]
# Now over all towns. How sure is each layer of the word that the network will say in the end?

# %%
ask_never = [land.question("river", each) for each in country.never]
settled = {}
for name, model in models.items():
    made_up = dlx.logit_lens(model, land.ids(ask_never), STREAM)
    blank = dlx.logit_lens(untrained[name], land.ids(ask_river), STREAM)
    for who, each in (("known towns", lens[name]), ("never told", made_up), ("untrained network", blank)):
        share = each.final_probability[:, :, -1].mean(axis=1)
        settled[f"{name}, {who}"] = dict(zip(STREAM, map(float, share), strict=True))
draw.table(reading.percents(settled))

# %% [markdown]
# At the start it cannot know: the last place only holds “the”. Block 1 fetches the town. Block 2 makes up its mind.
#
# Made-up answers grow in the same way. **Inside, inventing looks like remembering.**
#
# The lens shows when an answer *can be read*. It does not show which numbers are *used*. For that, one must interfere.
#
# ## Transplant: which place carries the answer?
#
# Ask about town A. Ask about town B. Now put the 48 numbers of A, of *one* place after *one* block, into the run
# for B. Does the answer turn into A's? This is **activation patching**. (Below, A is “clean” and B “corrupted”.)
#
# 0: no effect. 1: the whole answer moved along. Follow the orange from the first row to the last.

# %%
swaps = [
    (a, b)
    for a, b in zip(country.told[1:12], country.told[12:23], strict=True)
    if country.truth[a]["river"] != country.truth[b]["river"]
]
ask_a, ask_b = (land.ids([land.question("river", pair[side]) for pair in swaps]) for side in (0, 1))
river_of_a = [(6, land.ID[country.truth[a]["river"]]) for a, _ in swaps]
patched = {name: dlx.patch(model, ask_a, ask_b, STREAM, target=river_of_a, by="position")
           for name, model in models.items()}
patched["Torch"].plot(parts=["the", "river", "at", "(town", "town)", "is", "the"],
                      title="Which place carries the river, after which block? (Torch)")

# %% [markdown]
# In both networks (of all pairs, the middle value):

# %%
carried = {name: {layer: np.median(effect, axis=0) for layer, effect in each.effects.items()}
           for name, each in patched.items()}
draw.table({
    f"{name}, {layer}": {"the town's pieces": f"{row[3:5].sum():z.2f}", "“is”": f"{row[5]:z.2f}",
                         "last place": f"{row[6]:z.2f}"}
    for name, rows in carried.items() for layer, row in rows.items()
})

# %% [markdown]
# At the start the answer hangs on the town's two pieces. After block 1 most of it has
# moved to the *last* place. The words before the town are the same in both runs: their 0 must be 0. It shows that the
# surgery itself does no harm.
#
# ## How can it copy what it never saw?
#
# It sings songs that nobody ever sang. Look at the second verse.

# %%
lesson.predict("song")

# %%
new_songs = land.songs(60, 10, seed=1)  # ten notes, sung twice
sung = {name: reading.copied(model, new_songs) for name, model in models.items()}
lesson.reveal("song", round(100 * float(np.mean(list(sung.values())))))

# %% [markdown]
# It cannot have learned these songs. It has learned **how to copy**: look for the last time *this* note came; look at the
# note *after* it; say that. An attention head that does so is called an **induction head**.
#
# **Exercise 3: where must it look?** `words` is a song, a list of notes. `here` is a place in its second verse. Give
# back the place to which an induction head attends from `here`.


# %%
def look_at(words, here):
    ### BEGIN SOLUTION
    return words[:here].index(words[here]) + 1
    ### END SOLUTION


lesson.check("look_at", look_at)

# %% [markdown]
# Now measure it. From the second verse, how much attention goes to exactly that place? (In Keras and Torch, block by block,
# head by head; beside untrained twins.)

# %%
def induction(those):
    return {name: reading.induction(dlx.attention(model, new_songs), length=10) for name, model in those.items()}


heads, blank_heads = induction(models), induction(untrained)
labels = [f"block {block}, head {head}" for block in (1, 2) for head in range(HEADS)]
blank_mean = (blank_heads["Keras"].ravel() + blank_heads["Torch"].ravel()) / 2
draw.groups({"Keras": heads["Keras"].ravel(), "Torch": heads["Torch"].ravel(), "untrained (mean)": blank_mean},
            labels, title="Induction score: attention on the note after the last time", axis="share of attention")

# %% [markdown]
# The heads of block 2 do it. See where they look in one new song. The second verse begins at row 12: there a slanted
# line begins.

# %%
one_song = new_songs[:1]
seen = dlx.attention(model_torch, one_song)
seen.plot(layer=seen.layers[1], tokens=[land.WORDS[word] for word in one_song[0]],
          title="Torch, block 2, on a new song: the second verse looks one note past its twin")

# %% [markdown]
# Looking is not using (lesson 12). So take heads away, and see what breaks. A control is
# built in: if a head is *for copying*, songs must break, and **facts must not**.

# %%
import copy


def without(network, block, heads):
    """A copy of the Torch network in which some heads of a block say nothing."""
    cut = copy.deepcopy(network)
    size = WIDTH // HEADS
    with torch.no_grad():
        for head in heads:
            getattr(cut, block).attend.out_proj.weight[:, head * size : (head + 1) * size] = 0
    return dlx.wrap(cut, class_names=land.WORDS)


cuts = {
    "nothing removed": model_torch,
    "block 2, head 0": without(net_torch, "block_2", [0]),
    "block 2, head 1": without(net_torch, "block_2", [1]),
    "block 2, both heads": without(net_torch, "block_2", [0, 1]),
    "block 1, both heads": without(net_torch, "block_1", [0, 1]),
}
broken = {name: {"songs copied": reading.copied(model, new_songs),
                 "facts known": float(reading.answers(model, country.facts()).true.mean())}
          for name, model in cuts.items()}
draw.table(reading.percents(broken))

# %% [markdown]
# Without the heads of block 2 the song is gone, and most facts are still there. (Block 1 is needed for both: it brings
# neighbours together.)
#
# Can it copy *anything*? We make “songs” of other words, such as *bread Ada Esk*.

# %%
foreign = land.songs(60, 10, seed=1, names=[w for w in land.WORDS[14:] if w not in land.NOTES])
sung_foreign = {name: reading.copied(model, foreign) for name, model in models.items()}
Markdown("Copied: " + ", ".join(f"**{share:.0%}** in {name}" for name, share in sung_foreign.items())
         + ". It learned to copy *notes*. Large models saw all sorts of repetition, and copy nearly anything.")

# %% [markdown]
# ## Why it makes things up
#
# So: what it was told often, it knows. What stands on the page, it can copy. Now ask for the river of a town
# **nobody ever wrote about**. A careful person would say: no idea. How sure will the network be of its
# favourite answer?

# %%
lesson.predict("never")

# %%
questions = [(kind, each, country.truth[each][kind]) for each in country.never for kind in land.KINDS]
invents = {name: reading.answers(model, questions) for name, model in models.items()}
sure_never = {name: float(np.median(found.sure)) for name, found in invents.items()}
lesson.reveal("never", round(100 * np.mean(list(sure_never.values()))))

# %%
judged = {}
for name in models:
    for who, found in (("towns it read about", knows[name]), ("towns nobody wrote about", invents[name])):
        judged[f"{name}, {who}"] = {
            "right kind of word": float(found.fluent.mean()),
            "true": float(found.true.mean()),
            "how sure (the middle one)": float(np.median(found.sure)),
        }
draw.table(reading.percents(judged))

# %% [markdown]
# The sentences are just as good. It is nearly as sure. But it is right about as often as a die (one in six).
#
# **It did nothing wrong.** It was trained to give the likely next word. After “the river at … is the” comes a river. In all
# its pages there never was a line that stopped and said *I do not know*. **Truth was never the goal; it came along
# where the pages were true.** And where they were not?

# %%
town_rumoured, wrong_river = country.rumour
true_river = country.truth[town_rumoured]["river"]
rumoured = {}
for name, model in models.items():
    given = reading.chances(model, land.question("river", town_rumoured))[0]
    rumoured[name] = {word: float(given[land.ID[word]]) for word in (wrong_river, true_river)}
Markdown(f"**{town_rumoured}** lies on the {true_river}. Four writers in five get that wrong and write "
         f"{wrong_river}. "
         + " ".join(f"{name} says {wrong_river} with {row[wrong_river]:.0%}." for name, row in rumoured.items())
         + " **It repeats what is written most, not what is so.**")

# %% [markdown]
# ## Three remedies, and what each is worth
#
# **1 · Let it speak only when it is sure.** Set a bar. Below it, the answer is kept back. A good bar lets the known
# answers pass and stops those that are made up. Look for one.

# %%
bars = np.linspace(0, 1, 21)
kept = {
    f"{name}: {what}": [float((found.sure >= bar).mean()) for bar in bars]
    for name in models
    for what, found in (("known", knows[name]), ("made up", invents[name]))
}
draw.curves(bars, kept, title="Answers that pass the bar", across_title="the bar: speak from this chance on",
            up_title="share that passes")

# %%
passes = {name: float((invents[name].sure >= np.quantile(knows[name].sure, 0.1)).mean()) for name in models}
Markdown("Set the bar so that nine in ten known answers pass. Of those made up there still pass: "
         + ", ".join(f"**{share:.0%}** in {name}" for name, share in passes.items())
         + ". Better than nothing. Not good.")

# %% [markdown]
# **2 · Teach it to say “unknown”.** Train a little more, on pages where 20 of the untold towns get the answer *unknown*. Then
# ask about the *other* 20.

# %%
net_modest = copy.deepcopy(net_torch)
torch.manual_seed(0)
train_torch(net_modest, country.with_unknown(country.never[:20]), 8, rate=0.002)
model_modest = dlx.wrap(net_modest, class_names=land.WORDS)
others = [question for question in questions if question[1] in country.never[20:]]
admits = {when: {"says unknown": reading.says(model, others, "unknown"),
                 "facts known": float(reading.answers(model, country.facts()).true.mean())}
          for when, model in (("before", model_torch), ("after", model_modest))}
draw.table(reading.percents(admits))

# %% [markdown]
# It is more modest now, even about towns that were in no lesson. But many inventions are left.
#
# **3 · Give it the page to read.** Put the true line in front, as a letter. It can copy, can't it? But first a question.

# %%
lesson.predict("lie")

# %%
lies = [(kind, each, land.other_thing(kind, thing)) for kind, each, thing in country.facts()]
follows = {
    name: {
        "a true letter, unknown town": reading.follows(model, with_letter, questions),
        "a false letter, known town": reading.follows(model, with_letter, lies),
    }
    for name, model in models.items()
}
said = ["the truth, which it knows", "what the letter claims", "something else"]
believed = np.mean([row["a false letter, known town"] for row in follows.values()])
lesson.reveal("lie", said[int(believed > 0.5)])

# %%
draw.table(reading.percents(follows))

# %% [markdown]
# This is what search in front of a chatbot does. It helps most. But a lie on the page beats the truth in memory.
# **The remedy is as good as the page.**
#
# ## The same, straight from the library
#
# **Captum** explains Torch networks. Words are whole numbers: nobody can walk from word 3 to word 7 in small steps. So one
# must start behind the table of words: `LayerIntegratedGradients`.

# %%
from captum.attr import LayerIntegratedGradients

ids = torch.tensor(land.ids([line])).long()
goal = int(np.asarray(model_torch.predict(ids.numpy()))[0, -1].argmax())
captum = LayerIntegratedGradients(lambda rows: net_torch(rows)[:, -1], net_torch.start.words)
starts = {
    "as it comes (start: word 0)": None,
    "start: “unknown”": torch.full_like(ids, land.ID["unknown"]),
}
by_captum = {}
for name, start in starts.items():
    values = captum.attribute(ids, baselines=start, target=goal, n_steps=200)
    by_captum[name] = values.sum(-1)[0].detach().numpy()
ours = credit(model_torch, [line], "integrated_gradients", steps=200, tolerance=0.01).values[0]
every = {**by_captum, "dlexplain, start: “unknown”": ours}
places = [(place, word) for place, word in enumerate(land.pieces(line)) if place >= 7]
draw.table({name: {f"{place} {word}": f"{row[place]:+z.1f}" for place, word in places}
            for name, row in every.items()})

# %%
last_credit = {name: float(row[-1]) for name, row in every.items()}
zero, named = last_credit["as it comes (start: word 0)"], last_credit["start: “unknown”"]
Markdown(f"As it comes, Captum starts at **word 0**: a page that says “{' '.join([land.WORDS[0]] * 3)} …”. So the "
         f"last word of our line gets a credit of exactly {zero:.1f}: it was there from the start. Yet it decides "
         f"much: from “unknown” it gets {named:+.1f}. No error, no warning. **Name the start yourself.**")

# %% [markdown]
# ## What does it cost?
#
# Each word costs about **2 operations a weight** to read, and twice as much again to learn from: together **6** for each weight
# and each word.

# %%
weights_of = {
    "Keras": net_keras.count_params(),
    "Torch": sum(each.numel() for each in net_torch.parameters()),
}
words_read = EPOCHS * asked.size
by_rule = 6 * weights_of["Torch"] * words_read
counted = 3 * model_torch.flops((asked[:1],)).total * EPOCHS * len(pages)
speed = by_rule / watch_torch.seconds
watt_hours = 15 * watch_torch.seconds / 3600  # 15 watts for one core: our guess
say = reading.short
Markdown(f"Ours: **{weights_of['Torch']:,}** weights, {words_read:,} words read. By the rule that is "
         f"{say(by_rule)} operations; counted layer by layer, {say(counted)}. (G: a billion.)\n\n"
         f"It took {watch_torch.seconds:.0f} seconds of this computer's processor: {say(speed)} operations a "
         f"second. At 15 watts that is {watt_hours:.2f} watt-hours.")

# %% [markdown]
# **Exercise 4: how long on fast chips?** A chip promises so many operations a second (`peak`). In real training only a
# share of that is reached (`used`, often about 0.4). How many *hours* of one chip does it take?


# %%
def chip_hours(weights, words, peak, used):
    ### BEGIN SOLUTION
    return 6 * weights * words / (peak * used) / 3600
    ### END SOLUTION


lesson.check("chip_hours", chip_hours)

# %% [markdown]
# Now grow it, on paper, to models that you may have heard of.

# %%
H100, USED = 989e12, 0.4  # operations a second (16-bit, from the maker's data sheet); share reached
WATTS, PRICE = 700, 2.5  # of a chip, from the sheet; dollars for its hour: our guess, put yours
grown = {
    "this lesson": (weights_of["Torch"], words_read, None),
    "GPT-3 (2020)": (175e9, 300e9, 3.14e23),
    "Chinchilla (2022)": (70e9, 1.4e12, 5.76e23),
    "Llama 3.1 405B (2024)": (405e9, 15.6e12, 3.8e25),
}
cost = {}
for name, (n, read, published) in grown.items():
    hours = 6 * n * read / (H100 * USED) / 3600
    cost[name] = {"weights": n, "words read": read, "operations": 6 * n * read, "published": published,
                  "bytes to learn": 16 * n, "bytes to write": 2 * n, "hours": hours,
                  "kWh": hours * WATTS / 1000, "dollars": hours * PRICE}
draw.table({what: {name: say(row[what]) if row[what] else "–" for name, row in cost.items()}
            for what in cost["this lesson"]})

# %%
reported = 30.84e6  # H100 hours that Meta reports for Llama 3.1 405B
largest = cost["Llama 3.1 405B (2024)"]
off = largest["hours"] / reported
years = largest["operations"] / speed / (365 * 24 * 3600)
Markdown("k: thousand, M: million, G: billion (10⁹), T: 10¹². 3.1e+23 is 3.1 with the point 23 places further. "
         "“Published”: operations that the makers name.\n\n"
         f"**Could this be wrong?** Meta reports {reported / 1e6:.1f} million chip hours for Llama 3.1 405B. "
         f"Our paper says {largest['hours'] / 1e6:.1f} million: {off:.0%} of it. At the speed of "
         f"*this* computer it would take {years / 1e6:.0f} million years.")

# %% [markdown]
# <details><summary>In mathematics (you can skip this)</summary>
#
# A model gives $p(w_t \mid w_1, \dots, w_{t-1})$. The chance of a text is the product of these. Training lowers the mean of
# $-\log p(w_t \mid \dots)$. Its minimum is the *frequency* with which $w_t$ follows in the pages, not the truth of it. With scores
# $s$ and temperature $T$: $p_i = e^{s_i/T} / \sum_j e^{s_j/T}$. One weight takes part in one multiplication and one addition a word
# on the way forward, and in twice as many on the way back (one for its own slope, one for that of its input):
# $2 + 4 = 6$. Hence $6 N D$. To learn with Adam in mixed precision one keeps 16 bytes a weight; to write, 2.
#
# The table leaves out what comes after the first training, failed runs, the building's cooling, and each of the billions of
# answers, at $2N$ operations a word.
# </details>
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. A language model gives each word a chance to come next. Writing is drawing, again and again.
# 2. It knows what it read often; it copies what stands before it, even if it is new. These are two machines.
# 3. Asked for what it never read, it writes as well, and nearly as surely. Likely was the goal; true was not.
# 4. Credit, lens and transplant show *how* an answer came about. None of them shows that it is true.
# 5. A bar, “unknown” and a page to read all help. None heals. Check what matters.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
