# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""A small vocabulary in place of PaliGemma's, for random weights: the demo, tests and comparisons."""

from __future__ import annotations

import io
from pathlib import Path

import sentencepiece


def train_vocabulary(path: Path, merging: bool = False) -> None:
    """Write a small SentencePiece model with PaliGemma's settings: single digits, no dummy prefix, bytes for the rest.

    With ``merging`` tokens may reach across spaces and digits.
    """
    model = io.BytesIO()
    texts = [
        "Task: put the nut on the peg, State: 0 1 2 3;",
        "Action: pick up the red mug and place it",
        "-1 25 255 128",
        "5 6 5 6 5 6",
    ]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts * 20),
        model_writer=model,
        vocab_size=340,
        model_type="bpe",
        split_digits=not merging,
        split_by_number=not merging,
        split_by_whitespace=not merging,
        byte_fallback=True,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
