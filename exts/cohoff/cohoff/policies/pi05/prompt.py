# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Prompts: the instruction is tokenized once, the digits of the state are inserted on the device at every plan."""

from __future__ import annotations

import os
from collections.abc import Sequence

import sentencepiece
import torch
from torch import Tensor
from torch.nn import functional as F

from cohoff.errors import InputError
from cohoff.policies.pi05.preprocess import NUM_BINS

_MULTIPLE = 8
"""Padded lengths are multiples of this number of tokens."""


def clean(instruction: str) -> str:
    """Return the instruction in the form used in training."""
    return instruction.strip().replace("_", " ").replace("\n", " ")


class Tokenizer:
    """PaliGemma's SentencePiece model."""

    def __init__(self, path: str | os.PathLike[str], vocab: int) -> None:
        """Open the model at ``path``, whose tokens must be among the first ``vocab``.

        Raises:
            InputError: The file is missing, is not a SentencePiece model, or has too many tokens.
        """
        if not os.path.isfile(path):  # noqa: PTH113
            raise InputError(
                f"no tokenizer at {str(path)!r}; put PaliGemma's SentencePiece model (tokenizer.model) there"
            )
        try:
            self._model = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except (RuntimeError, OSError) as error:
            raise InputError(f"{str(path)!r} is not a SentencePiece model ({error})") from error
        if self._model.vocab_size() > vocab:
            raise InputError(f"{str(path)!r} has {self._model.vocab_size()} tokens, the network's embedding {vocab}")

    def encode(self, text: str) -> list[int]:
        """Return the tokens of ``text``, starting with the begin-of-sequence token."""
        return self._model.encode(text, add_bos=True)

    def continuation(self, head: str, text: str) -> list[int]:
        """Return the tokens that ``text`` adds after ``head``.

        Raises:
            InputError: A token spans the boundary between the two.
        """
        start, both = self.encode(head), self.encode(head + text)
        if both[: len(start)] != start:
            raise InputError(f"the tokenizer does not split {head + text!r} before {text!r}; is it PaliGemma's?")
        return both[len(start) :]


class Prompts:
    """Token sequences of environments that follow one of a few instructions.

    With a state the prompt is ``Task: {instruction}, State: {bins};\nAction: ``, else ``{instruction}\n``. In
    PaliGemma's vocabulary each digit is one token, so the tokens of a bin do not depend on its neighbors (checked).
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        instructions: Sequence[str],
        state_dim: int,
        max_tokens: int,
        device: torch.device,
    ) -> None:
        """Tokenize.

        Args:
            tokenizer: SentencePiece model.
            instructions: One per task, in plain words.
            state_dim: Number of state dimensions D in the prompt; 0 leaves the state out.
            max_tokens: Maximum prompt length of the network [token].
            device: Device of the prompts.

        Raises:
            InputError: There is no instruction, one is empty, a prompt can exceed ``max_tokens``, or the vocabulary
                merges digits.
        """
        if not instructions or not all(clean(text) for text in instructions):
            raise InputError(f"instructions are {list(instructions)!r}; give at least one, and none of them empty")
        self.state_dim = state_dim
        bins = [f" {value}" for value in range(-1, NUM_BINS)]
        if state_dim:
            heads = [f"Task: {clean(text)}, State:" for text in instructions]
            spelled = [tokenizer.continuation(heads[0], text) for text in bins]
            tail = tokenizer.continuation(heads[0] + " 0", ";\nAction: ")
            every_bin, text = [token for tokens in spelled for token in tokens], "".join(bins)
            for head in heads:
                if tokenizer.encode(f"{head}{text};\nAction: ") != tokenizer.encode(head) + every_bin + tail:
                    raise InputError(
                        "the tokenizer merges the digits of a state with their neighbors; is it PaliGemma's?"
                    )
            starts = [tokenizer.encode(head) for head in heads]
        else:
            spelled, tail = [[]], tokenizer.encode("\n")[1:]
            starts = [tokenizer.encode(clean(text)) for text in instructions]
        longest = max(map(len, starts)) + state_dim * max(map(len, spelled)) + len(tail)
        if longest > max_tokens:
            raise InputError(
                f"the prompt of {instructions[starts.index(max(starts, key=len))]!r} with {state_dim} state dimensions "
                f"can take {longest} tokens, the network takes {max_tokens}; shorten the instruction"
            )
        self.length = min(-(-longest // _MULTIPLE) * _MULTIPLE, max_tokens)
        """Length L that every prompt is padded to."""
        self._start, self._start_length = _table(starts, device, self.length)
        self._bins, self._bin_length = _table(spelled, device)
        self._tail = torch.tensor(tail, device=device)

    def __call__(self, which: Tensor, bins: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return tokens, int64, and whether each exists, bool, both of shape [B, L].

        Args:
            which: Index of each environment's instruction, int64, shape [B].
            bins: Bins -1 to 255 of the state, int64, shape [B, D]; None if the prompt has no state.
        """
        # Parts are written by one scatter; padding goes to an extra column, which is dropped.
        tokens = F.pad(self._start[which], (0, 1))
        end = self._start_length[which]
        if bins is not None:
            rows = bins + 1
            lengths = self._bin_length[rows]
            offsets = end[:, None] + lengths.cumsum(1) - lengths
            self._put(tokens, self._bins[rows], offsets, lengths)
            end = end + lengths.sum(1)
        size = len(self._tail)
        self._put(tokens, self._tail.expand(len(which), 1, size), end[:, None], torch.full_like(end, size)[:, None])
        mask = torch.arange(self.length, device=end.device) < (end + size)[:, None]
        return tokens[:, :-1] * mask, mask

    def _put(self, tokens: Tensor, parts: Tensor, offsets: Tensor, lengths: Tensor) -> None:
        """Write parts [B, P, W] of given lengths [B, P] at the columns ``offsets`` [B, P] of tokens [B, L + 1]."""
        within = torch.arange(parts.shape[-1], device=parts.device)
        columns = torch.where(within < lengths[..., None], offsets[..., None] + within, self.length)
        tokens.scatter_(1, columns.flatten(1), parts.flatten(1))


def _table(rows: Sequence[Sequence[int]], device: torch.device, width: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the rows, padded with zeros to ``width`` or the longest, and their lengths; both int64."""
    width = width or max(1, *map(len, rows))
    padded = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=device)
    return padded, torch.tensor([len(row) for row in rows], device=device)
