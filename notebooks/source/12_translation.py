# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 · Translation
#
# A translator reads one language and writes another. The words change their order on the way. Which word comes
# from which?
#
# **How does attention align two languages? And does it tell us why a word was written?**

# %%
# always first: TensorFlow and Torch can end Python when loaded the wrong way round; this guards you
import dlexplain as dlx

lesson = dlx.classroom.lesson(12)
lesson

# %%
import numpy as np
from IPython.display import Markdown

from dlexplain.classroom import drawing as draw
from dlexplain.classroom.lessons.lesson_12 import bench
from dlexplain.classroom.lessons.lesson_12.drawing import grids, ties
from dlexplain.data import pairs as language

english = ["often", "the", "old", "ship", "follows", "a", "white", "dog"]
melo, links = language.translate(english)
ties(english, melo, links)

# %% [markdown]
# The lower line is **Melo**. We invented it, so that we know the truth. Its rules:
#
# - The adjective stands **behind** its noun.
# - The verb comes **after** both nouns, and words of time come last.
# - Every noun ends in `-a` or `-o`. Its article and its adjective take the same ending: this is **agreement**.
#   The verb agrees with whoever acts.
#
# Which word comes from which is called the **alignment** (solid lines). Mind the dotted lines: “the” alone does not
# tell you whether to write `la` or `lo`. For that you must know the noun. **One word needs two.**
#
# **Exercise 1: align by hand.** English: “today the old ship follows a dog”, places 0 to 6. Melo: `la veda veta uno
# kano sega hodi`. Give a list of seven places: for each Melo word, the place of the English word that it translates.

# %%
### BEGIN SOLUTION
by_hand = [1, 3, 2, 5, 6, 4, 0]
### END SOLUTION
lesson.check("alignment", by_hand)

# %%
pairs = language.language_pair(sentences=3600, seed=0)
learn, new = pairs.split(test=1 / 6)
places, written = pairs.inputs.shape[1], pairs.labels.shape[1]
Markdown(f"**{len(learn)} sentences** to learn from, **{len(new)} new ones** locked up. "
         f"English has {len(pairs.source_words) - 1} words here, Melo {len(pairs.target_words) - 1}. "
         f"A sentence is a row of {places} numbers, a number a word; 0 stands for nothing:\n\n"
         f"“{' '.join(new.source(new.inputs[0]))}” = `{new.inputs[0].tolist()}`")

# %% [markdown]
# Nobody tells the network the alignment. It sees sentences and their translations, nothing else. Would it be enough
# to go along, the first word to the first, the second to the second?

# %%
lesson.predict("order")

# %%
along = np.broadcast_to(np.eye(written, places), (len(new), written, places))
by_place = bench.hits(along, new.alignment)
lesson.reveal("order", by_place)

# %% [markdown]
# ## What attention is
#
# The **encoder** reads the source and makes a row of numbers for each place. The **decoder** writes, word by word.
# Before each word it asks the places:
#
# 1. **Fit.** The decoder holds up a **query**. Each place holds up a **key**. How well do they fit? Multiply and add.
# 2. **Weigh.** Turn the fits into **weights**: above zero, summing to 1. (`exp`, then divide by the sum: **softmax**.)
# 3. **Mix.** Each place has a **value**. Mix the values by their weights. That is what the decoder finds.
#
# The weights are the **attention**. They can be drawn: a row for each word written, a column for each source word.
#
# **Exercise 2: attention in three lines.** `query` has 3 numbers. `keys` and `values` have a row for each place. Give back
# the mix.

# %%
def attend(query, keys, values):
    ### BEGIN SOLUTION
    fit = keys @ query
    weights = np.exp(fit) / np.exp(fit).sum()
    return weights @ values
    ### END SOLUTION


lesson.check("attend", attend)

# %%
lesson.order("steps")

# %% [markdown]
# ## Two translators, in Keras and in Torch
#
# The encoder is a **GRU**: it goes along the sentence and remembers what it has read. Ours goes from both ends. A
# second GRU remembers what is written so far. **Attention is the only bridge between the two.**
#
# In training the true words so far are given, whatever the network itself would have written (**teacher forcing**).

# %%
import keras
from keras import layers

keras.utils.set_random_seed(0)  # the same start for everyone
unit = keras.initializers.RandomNormal(stddev=1)

# 1 · data: what is read, what is written so far, and the next word
read, so_far, next_word = learn.inputs, learn.so_far, learn.labels

# 2 · network
source, before = layers.Input((places,), dtype="int32"), layers.Input((written,), dtype="int32")
words = layers.Embedding(len(pairs.source_words), 32, embeddings_initializer=unit)(source)
seen = layers.Bidirectional(layers.GRU(16, return_sequences=True))(words)
wrote = layers.Embedding(len(pairs.target_words), 32, embeddings_initializer=unit)(before)
asking = layers.GRU(32, return_sequences=True)(wrote)
found = layers.MultiHeadAttention(num_heads=1, key_dim=32)(asking, seen)
both = layers.Concatenate()([asking, found])
# the answer: the log of the chance of each Melo word
answer = layers.Dense(len(pairs.target_words), activation="log_softmax")(both)
net_keras = keras.Model([source, before], answer)

# 3 · train
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
net_keras.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
net_keras.fit([read, so_far], next_word, epochs=10, batch_size=128, verbose=0)

# 4 · look
right = (net_keras.predict([new.inputs, new.so_far], verbose=0).argmax(-1) == new.labels).mean()
print(f"Keras: {right:.1%} of the next words right, in sentences never seen.")

# %%
import torch
from torch import nn


class Translator(nn.Module):
    def __init__(self, pairs, mix=True, width=32):
        super().__init__()
        self.words = nn.Embedding(len(pairs.source_words), width)
        self.mix = nn.GRU(width, width // 2, batch_first=True, bidirectional=True) if mix else None
        self.place = nn.Parameter(0.3 * torch.randn(pairs.inputs.shape[1], width))  # for later
        self.wrote = nn.Embedding(len(pairs.target_words), width)
        self.ask = nn.GRU(width, width, batch_first=True)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.answer = nn.Linear(2 * width, len(pairs.target_words))
        self.change = None  # for later: what to do to the weights

    def forward(self, source, before):
        words = self.words(source)
        seen = self.mix(words)[0] if self.mix else words + self.place
        asking = self.ask(self.wrote(before))[0]
        fit = self.query(asking) @ self.key(seen).transpose(1, 2) / 32**0.5
        weights = torch.softmax(fit, dim=-1)
        self.looked = weights
        if self.change:
            weights = self.change(weights)
        found = weights @ self.value(seen)
        return torch.log_softmax(self.answer(torch.cat([asking, found], dim=-1)), dim=-1)


def train_torch(pairs, mix=True, start=None, elsewhere=None):
    torch.manual_seed(0)
    # 1 · data
    read, so_far = torch.tensor(pairs.inputs), torch.tensor(pairs.so_far)
    next_word = torch.tensor(pairs.labels)
    # 2 · network
    network = Translator(pairs, mix)
    if start is not None:  # later in this lesson
        network.load_state_dict(start.state_dict())
    # 3 · train
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005 if start is None else 0.01)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 1 if start is None else 0.1, total_iters=12)
    for _ in range(12):
        for batch in torch.randperm(len(read)).split(64):
            chances = network(read[batch], so_far[batch])
            loss = nn.functional.nll_loss(chances.flatten(0, 1), next_word[batch].flatten())
            if elsewhere is not None:  # later in this lesson
                loss = loss + 2 * (network.looked * elsewhere[batch]).sum(-1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        slower.step()
    return network.eval()


net_torch = train_torch(learn)

# 4 · look
right = (dlx.wrap(net_torch).predict((new.inputs, new.so_far)).argmax(-1) == new.labels).mean()
print(f"Torch: {right:.1%} of the next words right, in sentences never seen.")

# %% [markdown]
# In use, nobody gives it the true words so far. It must go on from **its own**.

# %%
def translate(network, inputs, length=None):
    model = dlx.wrap(network)
    done = np.zeros((len(inputs), length or written), int)
    for place in range(done.shape[1]):
        chances = model.predict((inputs, language.before(done)))
        done[:, place] = chances[:, place].argmax(-1)  # the likeliest next word
    return done


def sentences_right(network, pairs):
    said = translate(network, pairs.inputs, pairs.labels.shape[1])
    return float((said == pairs.labels).all(axis=1).mean())


scores = {"Keras": sentences_right(net_keras, new), "Torch": sentences_right(net_torch, new)}
Markdown(f"**Whole sentences right, from beginning to end:** Keras {scores['Keras']:.1%}, "
         f"Torch {scores['Torch']:.1%}.")

# %% [markdown]
# Now look at the attention: a row for each word written. First a guess about the article.

# %%
lesson.predict("article")

# %%
looks_keras, looks_torch = bench.looks(net_keras, new), bench.looks(net_torch, new)

lengths = (new.labels > 0).sum(axis=1)
one = int(np.flatnonzero(lengths == lengths.max())[0])  # a long sentence
sentence, meaning, truth = new.source(new.inputs[one]), new.target(new.labels[one]), new.alignment[one]
truth = truth[truth[:, 0] >= 0].tolist()
shown = {"attention, Keras": looks_keras[one], "attention, Torch": looks_torch[one]}
grids(shown, sentence, meaning, truth)

# %% [markdown]
# Read it row by row: full blue is where the network looked. It found Melo's order by itself: noun before adjective,
# verb late.
#
# ## Does it hold?
#
# One picture proves nothing. We count over all new sentences.
#
# **Exercise 3: hits.** In what share of the words written does the strongest look lie on the word that is translated?
# `weights` has the shape (sentences, written, source places), `truth` (sentences, written). Where nothing is
# written, `truth` is −1: do not count those.

# %%
def hits(weights, truth):
    ### BEGIN SOLUTION
    strongest = weights.argmax(axis=-1)
    return (strongest == truth)[truth >= 0].mean()
    ### END SOLUTION


lesson.check("hits", hits)

# %% [markdown]
# Now the **controls**, which could show us wrong:
#
# - three networks that learned **nothing**,
# - the map of **another sentence**,
# - **place by place**: no network at all.

# %%
untrained = []
for seed in range(3):
    torch.manual_seed(seed)
    untrained.append(Translator(pairs).eval())
other_sentence = np.roll(looks_torch, 1, axis=0)
looks_untrained = [bench.looks(each, new) for each in untrained]
aligned = {
    "Keras": bench.hits(looks_keras, new.alignment),
    "Torch": bench.hits(looks_torch, new.alignment),
    "control: another sentence": bench.hits(other_sentence, new.alignment),
    "control: place by place": by_place,
    "control: untrained": float(np.mean([bench.hits(each, new.alignment) for each in looks_untrained])),
}
dlx.figures.bars(100 * np.array(list(aligned.values())), list(aligned), axis="% of the words",
                 title="The strongest look lies on the word that is translated")

# %% [markdown]
# So attention aligns, and no control comes near. Nobody had told it the alignment. Story over?
#
# ## The riddle of the article
#
# The article needs **two** words: “the”, and the noun for its ending. Where did the networks look? (You guessed, above.)

# %%
articles = bench.endings(new)
on_article = {
    name: [bench.share_at(looks, new.alignment, column, articles) for column in (0, 1)]
    for name, looks in {"Keras": looks_keras, "Torch": looks_torch}.items()
}
endings_right = {name: float((translate(network, new.inputs) == new.labels)[articles].mean())
                 for name, network in {"Keras": net_keras, "Torch": net_torch}.items()}
options = ["nearly all on the article", "half on the article, half on the noun",
           "nearly all on the noun"]
noun = on_article["Torch"][1]
lesson.reveal("article", options[int(noun > 0.25) + int(noun > 0.75)])

# %%
draw.table({
    name: {"attention on “the” or “a”": f"{article:.0%}", "attention on the noun": f"{noun:.0%}",
           "articles right, with their ending": f"{endings_right[name]:.0%}"}
    for name, (article, noun) in on_article.items()
})

# %% [markdown]
# Nearly every ending is right. Yet the networks hardly looked at the noun, which alone decides it! **How can
# they know?**
#
# Do not look. **Change something.** Swap the noun, and see whether the article changes.

# %%
for noun in ("cat", "dog"):
    asked = pairs.encode(["the", "old", noun, "sees", "a", "bird"])[None]
    said = pairs.target(translate(net_torch, asked)[0])
    print(f"the old {noun:4} sees a bird  →  {' '.join(said)}")

# %% [markdown]
# So the network *does* use the noun. The map did not show it.
#
# ## The swap test
#
# Do that for every word. Swap a source word for others **of its kind**, and see how far the chance of the written
# word falls. The sentences that we swap from we call **strangers**: same build, other words. (They are the
# *background* of lesson 05.) Why not leave a hole? No sentence in the training had one.

# %%
strangers = language.strangers(new.inputs[one], pairs, 10, np.random.default_rng(0))
print("\n".join(" ".join(pairs.source(row)) for row in strangers[:3]))

# %% [markdown]
# Now swap, word by word. The table has a fall for each source word: how far the **logarithm** of the chance of the first
# Melo word falls. Which two words does it need?

# %%
written_so_far = new.so_far[one]
map_of_the_first_word = dlx.explain(
    net_torch,
    (new.inputs[[one]], written_so_far[None]),
    "feature_ablation",  # one word after the other is swapped
    target=(0, int(new.labels[one, 0])),  # place 0, the word that is written there
    baseline=(strangers, np.tile(written_so_far, (10, 1))),  # what is written so far stays
)
credit = map_of_the_first_word.values[0][0]
draw.table({f"swapped, for the word “{meaning[0]}”":
            {f"{k} {word}": f"{credit[k]:+z.1f}" for k, word in enumerate(sentence)}})

# %% [markdown]
# Now the same for every word that is written, beside the attention. Compare the dotted frames.

# %%
few, fewer = new.take(slice(0, 40)), new.take(slice(0, 8))  # enough to count; Keras takes longer
swaps_keras, swaps_torch = bench.swaps(net_keras, fewer), bench.swaps(net_torch, few)
swaps_one = bench.swaps(net_torch, new.take(slice(one, one + 1)))[0]
shown = {"attention, Torch": looks_torch[one], "swap test, Torch": bench.shares(swaps_one)}
grids(shown, sentence, meaning, truth)

# %% [markdown]
# One sentence proves nothing. Count again: of the row of an article, which share lies on its noun?

# %%
def noun_share(maps, sentences):
    return bench.share_at(maps, sentences.alignment, 1, bench.endings(sentences))


swaps_untrained = [bench.swaps(each, few) for each in untrained]
needs = {
    "attention, Keras": noun_share(looks_keras, new),
    "attention, Torch": noun_share(looks_torch, new),
    "swap test, Keras": noun_share(swaps_keras, fewer),
    "swap test, Torch": noun_share(swaps_torch, few),
    "control: swap test, untrained": float(np.mean([noun_share(each, few) for each in swaps_untrained])),
}
dlx.figures.bars(100 * np.array(list(needs.values())), list(needs), axis="% of the article's row",
                 title="How much of the article lies on its noun?")

# %% [markdown]
# The swap test sees both words. Attention shows one. **Where has the noun gone?**
#
# The encoder had read the whole sentence *before* anyone looked. So the place of “the” no longer holds just the
# word “the”. The noun is mixed in. The decoder looks at one place, and finds two words there.
#
# **Attention names places. The swap test names words. After mixing, a place is not a word.**
#
# ## Check that explanation
#
# If mixing is the reason, then without mixing the decoder must look at both words. We build a **word-by-word
# reader**: each place knows only its own word and its number.

# %%
net_words = train_torch(learn, mix=False)
looks_words = bench.looks(net_words, new)
scores["word by word"] = sentences_right(net_words, new)
needs["attention, word by word"] = noun_share(looks_words, new)
draw.table({
    name: {"sentences right": f"{scores[key]:.0%}",
           "article: attention on its noun": f"{needs['attention, ' + key]:.0%}"}
    for name, key in {"mixes first": "Torch", "word by word": "word by word"}.items()
})

# %% [markdown]
# The same sentence, in both. Look at the first row and at the dotted frames.

# %%
shown = {"attention, mixes first": looks_torch[one], "attention, word by word": looks_words[one]}
grids(shown, sentence, meaning, truth, legend=False)

# %% [markdown]
# It must, and it does. So our explanation stood a test that it could have failed.
#
# ## Attention is not explanation
#
# Now a nasty experiment, after Jain and Wallace, and Wiegreffe and Pinter. We train a second network on the same
# sentences. It starts from the first, and is **punished for looking where the first one looked**.

# %%
lesson.predict("elsewhere")

# %%
first_looked = torch.tensor(bench.looks(net_torch, learn))  # in the training sentences
net_elsewhere = train_torch(learn, start=net_torch, elsewhere=first_looked)
looks_elsewhere = bench.looks(net_elsewhere, new)
swaps_elsewhere = bench.swaps(net_elsewhere, few)
scores["looks elsewhere"] = sentences_right(net_elsewhere, new)
outcomes = ["not at all", "about half as well", "as well as the first"]
score = scores["looks elsewhere"]
lesson.reveal("elsewhere", outcomes[int(score > 0.2) + int(score > 0.8)])

# %% [markdown]
# Where do they look? And, below: which words do they need?

# %%
shown = {"attention, first network": looks_torch[one],
         "attention, looks elsewhere": looks_elsewhere[one]}
grids(shown, sentence, meaning, truth, legend=False)

# %%
swaps_elsewhere_one = bench.swaps(net_elsewhere, new.take(slice(one, one + 1)))[0]
shown = {"swap test, first network": bench.shares(swaps_one),
         "swap test, looks elsewhere": bench.shares(swaps_elsewhere_one)}
grids(shown, sentence, meaning, truth)

# %% [markdown]
# Counted over forty sentences:

# %%
def judged(network, looks, swaps):
    return {
        "sentences right": sentences_right(network, few),
        "attention strongest on the true word": bench.hits(looks[: len(few)], few.alignment),
        "swap test strongest on the true word": bench.hits(swaps, few.alignment),
        "swap test, on words that play a part": 1 - bench.astray(swaps, few.alignment),
    }


compared = {
    "first network": judged(net_torch, looks_torch, swaps_torch),
    "looks elsewhere": judged(net_elsewhere, looks_elsewhere, swaps_elsewhere),
    "control: untrained": judged(untrained[0], looks_untrained[0], swaps_untrained[0]),
}
draw.table({name: {title: f"{value:.0%}" for title, value in row.items()} for name, row in compared.items()})

# %% [markdown]
# **The same translations. Two maps of attention that have nothing in common.** If a map were *the* reason for
# the translation, there could not be two of them. The swap test still finds the words that play a part: those that
# are translated or decide an ending. (For an article these are two, and either may come out first.)
#
# ## So attention is worth nothing?
#
# No. We punish the **word-by-word reader** in the same way. Then we meddle with the weights of all four networks:
#
# - they must look **evenly** at all places,
# - the place of the true word is **covered**: it gets no weight, the others share it.

# %%
words_looked = torch.tensor(bench.looks(net_words, learn))
words_elsewhere = train_torch(learn, mix=False, start=net_words, elsewhere=words_looked)
true_place = torch.tensor(new.alignment[..., [0]] == np.arange(places))


def next_words_right(network, change=None):
    network.change = change
    with torch.no_grad():
        chances = network(torch.tensor(new.inputs), torch.tensor(new.so_far)).numpy()
    network.change = None
    return float((chances.argmax(-1) == new.labels)[new.labels > 0].mean())


def evenly(weights):
    return torch.ones_like(weights) / places


def covered(weights):
    rest = weights.masked_fill(true_place, 0)
    return rest / rest.sum(-1, keepdim=True).clamp_min(1e-9)


four = {"mixes first": net_torch, "mixes first, looks elsewhere": net_elsewhere,
        "word by word": net_words, "word by word, looks elsewhere": words_elsewhere}
meddled = {
    name: {
        "weight on the true word": bench.share_at(bench.looks(network, new), new.alignment, 0, new.labels > 0),
        "next words right": next_words_right(network),
        "… looking evenly": next_words_right(network, evenly),
        "… true word covered": next_words_right(network, covered),
    }
    for name, network in four.items()
}
draw.table({name: {title: f"{value:.1%}" for title, value in row.items()} for name, row in meddled.items()})

# %% [markdown]
# - **Attention does the work.** Looking evenly, every network gets far fewer words right. It is the bridge.
# - **A place is not a word.** The second network does not need the place of the true word. Cover it: nothing changes.
# - **A small weight is not a small effect.** The last network dodged the punishment. It leaves a whisper of weight on
#   the true word, and lives on it. Cover that place, and it is lost: without mixing, a word stands at its place only.
#
# So take a map of attention as a **guess**, and test it: change the words. Large language models mix many times over.
#
# **What the swap test does not show:** *how* the network uses a word. And it compares with our strangers; with others,
# its numbers would be others.
#
# <details><summary>In mathematics (you can skip this)</summary>
#
# With query $q_t$, keys $k_s$ and values $v_s$, the weights are
# $a_{ts} = e^{q_t \cdot k_s/\sqrt{d}} \big/ \sum_{s'} e^{q_t \cdot k_{s'}/\sqrt{d}}$ and what is found is $c_t = \sum_s a_{ts} v_s$.
# But $k_s$ and $v_s$ come from $h_s = f_s(x_1, \dots, x_n)$: from **all** words. So $a_{ts}$ weighs $h_s$, not $x_s$.
# The swap test is $\mathrm{mean}_{x'}\big[\log p(y_t \mid x) - \log p(y_t \mid x \text{ with } x_s := x'_s)\big]$. The punished
# network learns from $-\log p + 2 \sum_s a_{ts} a^{\text{first}}_{ts}$.
# </details>
#
# ## Your sentence
#
# Build one from the menus. Look for a word whose two maps differ. Then choose another network.

# %%
bench.SentenceBench({
    "Torch": net_torch,
    "Torch, looks elsewhere": net_elsewhere,
    "Torch, word by word": net_words,
    "control: untrained": untrained[0],
}, translate, pairs)

# %% [markdown]
# ## The same, straight from the library
#
# **Captum** has the swap test, too (`FeatureAblation`). It takes one stranger at a time.

# %%
from captum.attr import FeatureAblation, IntegratedGradients, LayerIntegratedGradients

read_one, so_far_one = torch.tensor(new.inputs[[one]]), torch.tensor(new.so_far[[one]])
goal = (0, int(new.labels[one, 0]))
ablation = FeatureAblation(net_torch)
by_captum = np.mean([
    ablation.attribute(read_one, baselines=torch.tensor(stranger)[None], target=goal,
                       additional_forward_args=so_far_one).detach().numpy()[0]
    for stranger in strangers
], axis=0)
captum_differs = float(np.abs(by_captum - credit).max())
print(f"Largest difference between Captum's values and ours: {captum_differs:.4f}")

# %% [markdown]
# And **integrated gradients**? They walk from a start to the input. Words are numbers in a list: there is nothing between
# word 3 and word 4. Captum refuses:

# %%
try:
    IntegratedGradients(net_torch).attribute(read_one, target=goal, additional_forward_args=so_far_one)
    refused = ""
except Exception as fault:
    refused = f"{type(fault).__name__}: {fault}"
print(refused.split(" (while")[0])

# %% [markdown]
# The walk must begin *behind* the list, in the **embedding**: the row of numbers of each word. `dlx.explain` does
# so by itself. In Captum you choose the layer (`LayerIntegratedGradients`), and its default start is word
# 0 everywhere: the empty sentence. Does it matter?
#
# The table says how much of all values (signs set aside) lies on words that play no part: they are neither translated nor
# decide an ending. Little is good.

# %%
def captum_words(pairs):
    layer = LayerIntegratedGradients(net_torch, net_torch.words)
    values = np.zeros((*pairs.alignment.shape[:2], places))
    for row, place in np.argwhere(pairs.labels > 0):
        found = layer.attribute(
            torch.tensor(pairs.inputs[[row]]), target=(int(place), int(pairs.labels[row, place])),
            additional_forward_args=torch.tensor(pairs.so_far[[row]]), n_steps=24)
        values[row, place] = found.sum(-1).detach().numpy()[0]
    return values


by_start = {
    "Captum, start: an empty sentence": captum_words(fewer),
    "dlexplain, starts: strangers": bench.swaps(net_torch, fewer, method="expected_gradients"),
    "swap test, for comparison": swaps_torch[: len(fewer)],
}
astray = {name: bench.astray(values, fewer.alignment) for name, values in by_start.items()}
draw.table({name: {"on words that play no part": f"{value:.0%}"} for name, value in astray.items()})

# %% [markdown]
# Captum made no mistake. It answered “what parts this sentence from an empty one?” The network never saw an
# empty sentence, and there every word seems to count. (Expected gradients are integrated gradients, from many
# starts.) **Choose the start; do not inherit it.**
#
# ## Dates, letter by letter
#
# The same network, not one line changed. Now a “word” is a letter. (␣ is a space.) Where does it look for the year? And for
# the month?

# %%
calendar = language.dates(count=3600, seed=0)
learn_dates, new_dates = calendar.split(test=1 / 6)
net_dates = train_torch(learn_dates)
scores["dates"] = sentences_right(net_dates, new_dates)
looks_dates = bench.looks(net_dates, new_dates)
row = int((new_dates.inputs > 0).sum(axis=1).argmin())  # a short date
print(f"Dates right, never seen: {scores['dates']:.1%}")
short_date = new_dates.source(new_dates.inputs[row])
grids({"attention": looks_dates[row]}, short_date, new_dates.target(new_dates.labels[row]))

# %%
def date(text):
    done = translate(net_dates, calendar.encode(list(text))[None], calendar.labels.shape[1])
    return "".join(calendar.target(done[0]))


nonsense = {text: date(text) for text in ("3 March 2024", "31 May 2024", "47 June 1950")}
print("\n".join(f"{text:14} →  {said}" for text, said in nonsense.items()))

# %% [markdown]
# It learned from days 1 to 28 only. Compare the last two lines with what they should be. The network does not say that
# it is lost. It cannot: it has no word for “I do not know”. It writes *something* that looks like a date.
#
# ## Your own pairs
#
# A text file with a source, a tab and a target on each line is all you need. We write a small one and read it.

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "pairs.txt"
    file.write_text("Good morning\tbuongiorno\nGood evening\tbuonasera\n", encoding="utf-8")
    mine = language.read_pairs(file)
print(f"{len(mine)} pairs. Source words: {mine.source_words[1:]}")
print("Then: train_torch(mine)")

# %% [markdown]
# For a real language you need tens of thousands of pairs, and more patience. The alignment is then unknown. The swap
# test still works: **changing a word needs no truth.**
#
# ## What do you remember?

# %%
lesson.quiz()

# %% [markdown]
# ## In five lines
#
# 1. Attention: fit keys to a query, turn the fits into weights, mix the values.
# 2. It finds the alignment of two languages by itself. Controls show that this is no accident.
# 3. Attention names places. Once the encoder has mixed, a place is not a word.
# 4. Two networks can translate alike and look at different places. Attention is needed; it is not an explanation.
# 5. To know what a word needs, swap words and see what changes. Choose what you compare with.

# %%
lesson.glossary()

# %%
lesson.sources()

# %%
lesson.progress()
