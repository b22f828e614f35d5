"""Hugging Face models, small and with random weights: an encoder, a decoder, an encoder-decoder. No download."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers

import dlexplain as dlx

WORDS, LENGTH = 50, 7
SMALL = {"vocab_size": WORDS, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 16}
PATHS = {"integrated_gradients": 1e-3, "guided_integrated_gradients": 1e-2}
COMPLETE = {**PATHS, "deeplift": 1e-4, "deepshap": 1e-4}
METHODS = (*COMPLETE, "saliency", "input_x_gradient", "feature_ablation", "lime")


def encoder():
    config = transformers.BertConfig(**SMALL, intermediate_size=32, max_position_embeddings=20, num_labels=3)
    return transformers.BertForSequenceClassification(config), None


def decoder():
    config = transformers.GPT2Config(
        vocab_size=WORDS, n_positions=20, n_embd=16, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=1
    )
    return transformers.GPT2LMHeadModel(config), (LENGTH - 1, 5)


def encoder_decoder():
    config = transformers.T5Config(
        vocab_size=WORDS, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, decoder_start_token_id=0
    )
    return transformers.T5ForConditionalGeneration(config), (3, 5)


@pytest.fixture(scope="module", params=[encoder, decoder, encoder_decoder], ids=lambda make: make.__name__)
def case(request):
    torch.manual_seed(0)
    model, target = request.param()
    ids = np.random.default_rng(0).integers(2, WORDS, (3, LENGTH))
    return model.eval(), (ids, ids[:, :4]) if model.config.is_encoder_decoder else ids, target


def named(model, ids) -> dict[str, torch.Tensor]:
    names = ("input_ids", "decoder_input_ids")
    return {name: torch.as_tensor(a) for name, a in zip(names, ids if isinstance(ids, tuple) else (ids,), strict=False)}


def test_scores_are_the_models_logits(case):
    model, ids, _ = case
    with torch.no_grad():
        logits = model(**named(model, ids)).logits.numpy()
    np.testing.assert_array_equal(dlx.wrap(model).predict(ids), logits)


@pytest.mark.parametrize("method", METHODS)
def test_every_token_gets_one_value(case, method):
    model, ids, target = case
    baseline = {} if method != "deepshap" else {"baseline": background(ids)}
    found = dlx.explain(model, ids, method, target=target, **baseline)
    arrays = found.values if isinstance(found.values, tuple) else (found.values,)
    given = ids if isinstance(ids, tuple) else (ids,)
    assert [a.shape for a in arrays] == [a.shape for a in given]
    assert all(np.abs(a).max() > 0 for a in arrays)
    if method in COMPLETE:
        assert found.relative_gap.max() <= COMPLETE[method]


def test_saliency_is_torchs_own_gradient_at_the_embeddings(case):
    model, ids, target = case
    outputs = []

    def keep(_module, _inputs, output):
        output.retain_grad()
        outputs.append(output)

    words = [m for m in model.modules() if isinstance(m, torch.nn.Embedding) and m.num_embeddings == WORDS]
    handles = [module.register_forward_hook(keep) for module in words]
    logits = model(**named(model, ids)).logits
    for handle in handles:
        handle.remove()
    (logits[(slice(None), *target)] if target else logits.max(1).values).sum().backward()
    found = dlx.explain(model, ids, "saliency", target=target).values
    for values, output in zip(found if isinstance(found, tuple) else (found,), outputs, strict=True):
        expected = output.grad.pow(2).sum(-1).sqrt().numpy()
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-7)
    model.zero_grad(set_to_none=True)


def test_nothing_of_the_model_is_changed(case):
    model, ids, target = case
    before = dlx.wrap(model).fingerprint
    dlx.explain(model, ids, "deeplift", target=target)
    assert dlx.wrap(model).fingerprint == before
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def background(ids):
    generator = np.random.default_rng(1)
    made = tuple(generator.integers(2, WORDS, (2, a.shape[1])) for a in (ids if isinstance(ids, tuple) else (ids,)))
    return made if isinstance(ids, tuple) else made[0]
