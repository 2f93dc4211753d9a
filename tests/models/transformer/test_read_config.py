"""Is a Hugging Face configuration read as its model is built, and every mistake in it told?"""

import json

import pytest

from intarsia.ground import InputError
from intarsia.models.transformer import read_config
from intarsia.models.transformer.families import families
from intarsia.models.transformer.kinds import Activation, Experts, Latent, Norm, Positions

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 64,
    "initializer_range": 0.02,
    "intermediate_size": 128,
    "max_position_embeddings": 256,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 8,
    "num_hidden_layers": 2,
    "num_key_value_heads": 4,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.40.0",
    "use_cache": True,
    "vocab_size": 1000,
}
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 32, "norm_topk_prob": True, "router_aux_loss_coef": 0.001}
GPT2 = {
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "attn_pdrop": 0.1,
    "embd_pdrop": 0.1,
    "n_ctx": 256,
    "n_embd": 64,
    "n_head": 8,
    "n_layer": 2,
    "n_positions": 256,
    "output_past": True,
    "resid_pdrop": 0.1,
    "summary_activation": None,
    "summary_first_dropout": 0.1,
    "summary_proj_to_labels": True,
    "summary_use_proj": True,
    "vocab_size": 1000,
}
BERT = {
    "model_type": "bert",
    "attention_probs_dropout_prob": 0.1,
    "gradient_checkpointing": False,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 64,
    "intermediate_size": 256,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 128,
    "num_attention_heads": 8,
    "num_hidden_layers": 2,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "vocab_size": 1000,
}
OPT = {
    "model_type": "opt",
    "_remove_final_layer_norm": False,
    "activation_dropout": 0.0,
    "activation_function": "relu",
    "attention_dropout": 0.0,
    "do_layer_norm_before": False,
    "dropout": 0.1,
    "enable_bias": True,
    "ffn_dim": 256,
    "hidden_size": 64,
    "init_std": 0.02,
    "layer_norm_elementwise_affine": True,
    "layerdrop": 0.0,
    "max_position_embeddings": 256,
    "num_attention_heads": 8,
    "num_hidden_layers": 2,
    "vocab_size": 1000,
    "word_embed_proj_dim": 32,
}
BLOOM = {
    "model_type": "bloom",
    "apply_residual_connection_post_layernorm": False,
    "attention_dropout": 0.0,
    "bias_dropout_fusion": True,
    "hidden_dropout": 0.0,
    "masked_softmax_fusion": True,
    "n_embed": 64,
    "n_layer": 2,
    "num_attention_heads": 8,
    "offset_alibi": 100,
    "seq_length": 256,
    "skip_bias_add": True,
    "skip_bias_add_qkv": False,
    "slow_but_exact": False,
    "vocab_size": 1000,
}
NEOX = {
    "model_type": "gpt_neox",
    "classifier_dropout": 0.1,
    "hidden_act": "gelu_fast",
    "hidden_size": 64,
    "intermediate_size": 256,
    "max_position_embeddings": 256,
    "num_attention_heads": 8,
    "num_hidden_layers": 2,
    "rotary_emb_base": 10000,
    "rotary_pct": 0.25,
    "tie_word_embeddings": False,
    "use_parallel_residual": True,
    "vocab_size": 1000,
}
DEEPSEEK = {
    **{key: value for key, value in LLAMA.items() if key not in {"mlp_bias", "model_type"}},
    "model_type": "deepseek_v3",
    "aux_loss_alpha": 0.001,
    "ep_size": 1,
    "first_k_dense_replace": 1,
    "kv_lora_rank": 16,
    "moe_intermediate_size": 32,
    "moe_layer_freq": 1,
    "n_group": 2,
    "n_routed_experts": 8,
    "n_shared_experts": 2,
    "norm_topk_prob": True,
    "num_experts_per_tok": 3,
    "num_nextn_predict_layers": 1,
    "q_lora_rank": 24,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "quantization_config": {"quant_method": "fp8"},
    "routed_scaling_factor": 2.5,
    "scoring_func": "sigmoid",
    "seq_aux": True,
    "topk_group": 1,
    "topk_method": "noaux_tc",
    "v_head_dim": 6,
}
SAMPLES = {
    "bert": BERT,
    "bloom": BLOOM,
    "deepseek_v2": {**DEEPSEEK, "model_type": "deepseek_v2", "q_lora_rank": None},
    "deepseek_v3": DEEPSEEK,
    "gemma": {**LLAMA, "model_type": "gemma", "head_dim": 16, "hidden_act": "gelu", "hidden_activation": None},
    "gemma2": {
        **LLAMA,
        "model_type": "gemma2",
        "attn_logit_softcapping": 50.0,
        "cache_implementation": "hybrid",
        "final_logit_softcapping": 30.0,
        "head_dim": 16,
        "hidden_activation": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": 16,
        "sliding_window_size": 4096,
    },
    "gpt2": GPT2,
    "gpt_neox": NEOX,
    "llama": LLAMA,
    "megatron_bert": {**BERT, "model_type": "megatron-bert"},
    "mistral": {**LLAMA, "model_type": "mistral", "sliding_window": 4096},
    "mixtral": {
        **LLAMA,
        "model_type": "mixtral",
        "num_experts_per_tok": 2,
        "num_local_experts": 8,
        "output_router_logits": False,
        "router_aux_loss_coef": 0.02,
    },
    "opt": OPT,
    "qwen2": {**LLAMA, "model_type": "qwen2", "max_window_layers": 2, "use_sliding_window": False},
    "qwen2_moe": {
        **LLAMA,
        **EXPERTS,
        "model_type": "qwen2_moe",
        "decoder_sparse_step": 1,
        "num_experts": 8,
        "shared_expert_intermediate_size": 64,
    },
    "qwen3": {**LLAMA, "model_type": "qwen3", "head_dim": 16},
    "qwen3_moe": {**LLAMA, **EXPERTS, "model_type": "qwen3_moe", "mlp_only_layers": [], "num_experts": 8},
}
READ = {
    "bert": {"post_norm": True, "causal": False, "sentence_head": True, "activation": Activation.GELU, "tied": True},
    "bloom": {"positions": Positions.ALIBI, "embedding_norm": True, "tied": True, "ffn": 256, "sequence": 256},
    "deepseek_v2": {"latent": Latent(0, 16, 8, 4, 6), "experts": Experts(8, 3, 32, 64, 1)},
    "deepseek_v3": {"latent": Latent(24, 16, 8, 4, 6), "experts": Experts(8, 3, 32, 64, 1, router_bias=True)},
    "gemma": {"activation": Activation.GELU_TANH, "head_width": 16, "gated": True, "norm": Norm.RMS},
    "gemma2": {"branch_norms": True, "capped": True, "head_width": 16},
    "gpt2": {"tied": True, "ffn": 256, "dropout": True, "attention_dropout": True, "position_rows": 256},
    "gpt_neox": {"parallel": True, "rotary_width": 2, "activation": Activation.GELU_TANH, "dropout": False},
    "llama": {"kv_heads": 4, "norm": Norm.RMS, "gated": True, "qkv_bias": False, "rotary_width": 8, "sequence": 256},
    "megatron_bert": {"post_norm": False, "final_norm": True, "embedding_norm": False, "token_types": 2},
    "mistral": {"kv_heads": 4, "qkv_bias": False},
    "mixtral": {"experts": Experts(8, 2, 128), "dense_blocks": 0},
    "opt": {"position_rows": 258, "embedding_width": 32, "post_norm": True, "final_norm": False, "sequence": 256},
    "qwen2": {"qkv_bias": True, "projection_bias": False},
    "qwen2_moe": {"experts": Experts(8, 2, 32, 64, shared_gate=True), "qkv_bias": True},
    "qwen3": {"head_norms": True, "head_width": 16},
    "qwen3_moe": {"experts": Experts(8, 2, 32), "head_norms": True},
}


def refused(config):
    with pytest.raises(InputError) as error:
        read_config(config)
    return str(error.value)


@pytest.mark.parametrize("family", families())
def test_each_family(family):
    model = read_config(SAMPLES[family])
    read = {name: getattr(model, name) for name in READ[family]}
    assert read == READ[family]
    assert (model.name, model.hidden, model.heads, model.blocks, model.vocab) == (family, 64, 8, 2, 1000)


def test_every_family_is_tested():
    assert set(SAMPLES) == set(READ) == set(families())


def test_masked_tokens_only():
    model = read_config({**BERT, "architectures": ["BertForMaskedLM"]})
    assert (model.sentence_head, model.transform_head) == (False, True)


def test_a_file_is_named_after_its_folder_or_itself(tmp_path):
    path = tmp_path / "my-llama" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(LLAMA))
    assert read_config(path).name == "my-llama"
    path.write_text(json.dumps({**LLAMA, "_name_or_path": "someone/their-llama"}))
    assert read_config(str(path)).name == "their-llama"
    assert read_config(path, "given").name == "given"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "no such file"),
        ("{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[1]", "not a JSON object: list"),
        ("{}", "model_type is missing"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, content, text):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    assert refused(path) == f"{path}: {text}"


def test_a_folder_and_bytes(tmp_path):
    assert refused(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    assert refused(tmp_path / "x").startswith(f"{tmp_path}/x: not JSON: ")


SIZE = "; allowed: whole, 1 or more"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"model_type": "t5"}, f"unknown model_type: t5; allowed: {', '.join(families())}"),
        ({"model_type": 3}, "model_type is no word: 3"),
        ({"num_attention_heads": 0}, f"num_attention_heads is no size: 0{SIZE}"),
        ({"num_hidden_layers": -2}, f"num_hidden_layers is no size: -2{SIZE}"),
        ({"hidden_size": 64.5}, f"hidden_size is no size: 64.5{SIZE}"),
        ({"hidden_size": "64"}, f"hidden_size is no size: '64'{SIZE}"),
        ({"vocab_size": True}, f"vocab_size is no size: True{SIZE}"),
        ({"vocab_size": None}, "vocab_size is missing"),
        (
            {"num_attention_heads": 7, "num_key_value_heads": 7},
            "num_attention_heads does not divide hidden_size: 64 / 7",
        ),
        ({"num_key_value_heads": 3}, "num_key_value_heads does not divide num_attention_heads: 8 / 3"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings is no truth value: 'yes'; allowed: true, false"),
        ({"attention_dropout": -0.1}, "attention_dropout is no number: -0.1; allowed: 0 or more"),
        (
            {"hidden_act": "mish"},
            "unknown hidden_act: mish; allowed: gelu, gelu_fast, gelu_new, gelu_pytorch_tanh, relu, silu, swish",
        ),
    ],
)
def test_wrong_values(changed, text):
    assert refused({**LLAMA, **changed}) == f"config: {text}"


def renamed(old, new, config=None):
    return {new if key == old else key: value for key, value in (config or LLAMA).items()}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (renamed("hidden_size", "hidden_sise"), "hidden_size is missing; try: rename hidden_sise"),
        (renamed("num_key_value_heads", "num_kv_heads"), "unknown key: num_kv_heads; try: num_key_value_heads"),
        (renamed("attention_bias", "atention_bias"), "unknown key: atention_bias; try: attention_bias"),
        (renamed("n_layer", "n_layers", GPT2), "n_layer is missing; try: rename n_layers"),
    ],
)
def test_misspelt_keys(config, text):
    assert refused(config) == f"config: {text}"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {**SAMPLES["mixtral"], "num_experts_per_tok": 9},
            "more experts for a token than there are: num_experts_per_tok 9; allowed: at most 8",
        ),
        (
            {**SAMPLES["qwen3_moe"], "decoder_sparse_step": 2},
            "experts in some blocks only: decoder_sparse_step 2; allowed: 1",
        ),
        (
            {**SAMPLES["qwen3_moe"], "mlp_only_layers": [0]},
            "experts in some blocks only: mlp_only_layers [0]; allowed: []",
        ),
        ({**BERT, "architectures": "BertModel"}, "architectures is no list of words: 'BertModel'"),
    ],
)
def test_wrong_experts_and_lists(config, text):
    assert refused(config) == f"config: {text}"
