"""SmolLM2-135M-Instruct: a language model that is small enough to be frozen, adapted and looked into."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmdl_course.architectures.pretrained.loading import frozen, quietly
from mmdl_course.models import MODELS, Card, model_folder

__all__ = ["SmolLM2", "load_smollm2"]

_ROLES = ("system", "user", "assistant")


class SmolLM2:
    """Causal language model with 135 million parameters, tuned to follow instructions.

    The weights were stored with 4 bits each; here they are 32-bit floats, so that the network is an ordinary
    one: adapters can be put into it, and it can be given input embeddings. The rounding to 4 bits remains.

    Source: Allal et al., SmolLM2, 2025 (arXiv:2502.02737).

    Attributes:
        network: transformers' `LlamaForCausalLM`: 30 layers, width 576, input and output embeddings shared.
        tokenizer: byte-level BPE with 49,152 tokens; `tokenizer.apply_chat_template` writes a conversation.
        card: where the weights come from.
    """

    context = 8192  # tokens that the network can read

    def __init__(self, network: nn.Module, tokenizer: Any, card: Card):
        self.network = network
        self.tokenizer = tokenizer
        self.card = card

    def complete(self, prompt: str | Sequence[Mapping[str, str]], *, max_new_tokens: int = 64) -> str:
        """Go on with a text, or answer in a conversation; always with the most probable token.

        Args:
            prompt: a text to go on with; or messages such as {"role": "user", "content": "Hello!"}, where the
                role is "system", "user" or "assistant", to get the assistant's next one.
            max_new_tokens: at most so many tokens are added.

        Returns:
            What is added, without special tokens.

        Raises:
            ValueError: an empty prompt, a message without role or content, or too many tokens.
        """
        if isinstance(prompt, str):
            text = prompt
        else:
            _check_messages(prompt)
            text = self.tokenizer.apply_chat_template(
                list(prompt), tokenize=False, add_generation_prompt=True
            )
        if not text:
            raise ValueError("the prompt is empty.")
        tokens = self.tokenizer(text, return_tensors="pt").to(self.network.device)
        length = tokens["input_ids"].shape[1]
        if max_new_tokens < 1 or length + max_new_tokens > self.context:
            raise ValueError(
                f"the prompt has {length} tokens and max_new_tokens is {max_new_tokens}: "
                f"the latter is at least 1, and both together at most {self.context}."
            )
        output = self.network.generate(**tokens, max_new_tokens=max_new_tokens, do_sample=False)
        return self.tokenizer.decode(output[0, length:], skip_special_tokens=True)


def load_smollm2(*, device: torch.device | str = "cpu") -> SmolLM2:
    """Load the language model that `mmdl fetch smollm2` has put into the cache (some seconds, 1.2 GB).

    Args:
        device: where it computes.

    Returns:
        The model, frozen, in evaluation mode.

    Raises:
        CacheError: not fetched, or damaged.
    """
    card = MODELS["smollm2"]
    network, tokenizer = _read(model_folder(card) / "SmolLM2-135M-Instruct.Q4_1.gguf")
    return SmolLM2(frozen(network, device), tokenizer, card)


def _check_messages(messages: Sequence[Mapping[str, str]]) -> None:
    if not messages:
        raise ValueError("the prompt is empty.")
    for position, message in enumerate(messages):
        known = isinstance(message, Mapping) and message.get("role") in _ROLES
        if not known or not isinstance(message.get("content"), str):
            raise ValueError(
                f"message {position} is {message!r}; it needs a role ({', '.join(_ROLES)}) and a content: "
                '{"role": "user", "content": "Hello!"}.'
            )


# Reading the GGUF file -------------------------------------------------------------------------------------
#
# transformers reads such files, too, with the same result to the bit, but takes four times as long, and marks
# the network as a quantised one, which it no longer is.


def _read(path: Path) -> tuple[nn.Module, Any]:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    return _network(reader, facts), _tokenizer(facts)


def _network(reader: Any, facts: dict[str, Any]) -> nn.Module:
    from gguf import MODEL_ARCH, dequantize, get_tensor_name_map
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=facts["llama.vocab_size"],
        hidden_size=facts["llama.embedding_length"],
        intermediate_size=facts["llama.feed_forward_length"],
        num_hidden_layers=facts["llama.block_count"],
        num_attention_heads=facts["llama.attention.head_count"],
        num_key_value_heads=facts["llama.attention.head_count_kv"],
        max_position_embeddings=facts["llama.context_length"],
        rms_norm_eps=facts["llama.attention.layer_norm_rms_epsilon"],
        rope_parameters={"rope_type": "default", "rope_theta": facts["llama.rope.freq_base"]},
        tie_word_embeddings=True,
        bos_token_id=facts["tokenizer.ggml.bos_token_id"],
        eos_token_id=facts["tokenizer.ggml.eos_token_id"],
        pad_token_id=facts["tokenizer.ggml.padding_token_id"],
    )
    with torch.device("meta"):
        names = [name for name, _ in LlamaForCausalLM(config).named_parameters()]
    names_in_file = get_tensor_name_map(MODEL_ARCH.LLAMA, config.num_hidden_layers)
    stored = {tensor.name: tensor for tensor in reader.tensors}
    weights = {}
    for name in names:
        tensor = stored[names_in_file.get_name(name, try_suffixes=(".weight",))]
        values = torch.tensor(dequantize(tensor.data, tensor.tensor_type))
        if "q_proj" in name:
            values = _unpermuted(values, config.num_attention_heads)
        if "k_proj" in name:
            values = _unpermuted(values, config.num_key_value_heads)
        weights[name] = values
    with quietly():
        return LlamaForCausalLM.from_pretrained(None, config=config, state_dict=weights, dtype=torch.float32)


def _unpermuted(weight: Float[Tensor, "row column"], heads: int) -> Float[Tensor, "row column"]:
    """GGUF has the two numbers that a rotary position turns side by side, transformers half a head apart."""
    pairs = weight.reshape(heads, -1, 2, weight.shape[1])  # (head, pair, 2, column)
    return pairs.transpose(1, 2).reshape(weight.shape)


def _tokenizer(facts: dict[str, Any]) -> Any:
    from gguf import TokenType
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = facts["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in facts["tokenizer.ggml.merges"]]
    bpe = Tokenizer(models.BPE(vocab={word: place for place, word in enumerate(words)}, merges=merges))
    # what the file calls "smollm": every digit a token, then GPT-2's rules
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    kinds = facts["tokenizer.ggml.token_type"]
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=words[facts["tokenizer.ggml.bos_token_id"]],
        eos_token=words[facts["tokenizer.ggml.eos_token_id"]],
        unk_token=words[facts["tokenizer.ggml.unknown_token_id"]],
        pad_token=words[facts["tokenizer.ggml.padding_token_id"]],
        additional_special_tokens=[
            word for word, kind in zip(words, kinds, strict=True) if kind == TokenType.CONTROL
        ],
        model_max_length=facts["llama.context_length"],
        chat_template=facts["tokenizer.chat_template"],
    )
