# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run lerobot's pi-0.5 on request. scripts/benchmark_pi05.py starts this in the environment of `make parity`.

One JSON object per line on standard input, one answer per line on standard output:
``{"spec": {...}, "weights": FILE, "cameras": C, "dtype": NAME, "device": NAME}`` builds the network,
``{"inputs": FILE, "output": FILE}`` runs it once and answers ``{"seconds": s}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import load_file, save_file

NAMES = ("images", "image_masks", "tokens", "token_mask", "noise")


def build(request: dict[str, Any]) -> torch.nn.Module:
    """Build the network with the requested sizes and weights."""
    from lerobot.configs.types import FeatureType, PolicyFeature  # pyright: ignore[reportMissingImports]
    from lerobot.policies.pi05 import modeling_pi05 as lerobot  # pyright: ignore[reportMissingImports]
    from lerobot.policies.pi05.configuration_pi05 import PI05Config  # pyright: ignore[reportMissingImports]

    s = SimpleNamespace(**request["spec"])
    common = (s.heads, s.kv_heads, s.head_dim)
    variants = {
        "gemma_2b": lerobot.GemmaConfig(s.vlm_width, s.depth, s.vlm_mlp, *common),
        "gemma_300m": lerobot.GemmaConfig(s.exp_width, s.depth, s.exp_mlp, *common),
    }
    vlm, expert = lerobot.PaliGemmaForConditionalGenerationWithPiGemma, lerobot.PiGemmaForCausalLM

    # lerobot knows the public sizes only; they are replaced where it writes them down.
    def shrunk_vlm(config: Any) -> torch.nn.Module:
        vision = config.vision_config
        vision.hidden_size, vision.num_hidden_layers, vision.num_attention_heads = s.vis_width, s.vis_depth, s.vis_heads
        vision.intermediate_size, vision.projection_dim = s.vis_mlp, s.vlm_width
        config.projection_dim = config.hidden_size = s.vlm_width
        config.text_config.vocab_size, config.text_config.pad_token_id = s.vocab, 0
        return vlm(config=config)

    def shrunk_expert(config: Any) -> torch.nn.Module:
        config.vocab_size = s.vocab
        return expert(config=config)

    lerobot.get_gemma_config = variants.__getitem__
    lerobot.PaliGemmaForConditionalGenerationWithPiGemma = shrunk_vlm
    lerobot.PiGemmaForCausalLM = shrunk_expert
    image = PolicyFeature(FeatureType.VISUAL, (3, s.image, s.image))
    config = PI05Config(
        dtype=request["dtype"],
        chunk_size=s.chunk,
        n_action_steps=s.chunk,
        max_action_dim=s.action_dim,
        num_inference_steps=s.steps,
        image_resolution=(s.image, s.image),
        device=request["device"],
        input_features={f"observation.images.{i}": image for i in range(request["cameras"])},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (7,))},
    )
    model = lerobot.PI05Pytorch(config)
    missing, unexpected = model.load_state_dict(load_file(request["weights"]), strict=False)
    allowed = ("lm_head", "language_model.norm", f"language_model.layers.{s.depth - 1}.")
    lacking = [name for name in missing if not any(part in name for part in allowed)]
    if lacking or unexpected:
        raise SystemExit(f"lerobot's network lacks {lacking} and does not know {unexpected}")
    return model.eval().to(request["device"])


@torch.no_grad()
def run(model: torch.nn.Module, request: dict[str, Any], device: str) -> float:
    """Return the time [s] of one call on the inputs in a file, and write the result to another."""
    tensors = load_file(request["inputs"], device=device)
    images, image_masks, tokens, token_mask, noise = (tensors[name] for name in NAMES)
    listed, listed_masks = list(images.unbind(1)), list(image_masks.unbind(1))
    start = clock(device)
    inputs = (listed, listed_masks, tokens, token_mask)
    actions = model.sample_actions(*inputs, noise=noise)  # pyright: ignore[reportCallIssue]
    seconds = clock(device) - start
    save_file({"actions": actions.float().cpu().contiguous()}, request["output"])
    return seconds


def clock(device: str) -> float:
    """Return the time [s] after all queued work; process time on one CPU thread, so other load does not count."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.process_time() if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()


def main() -> None:
    """Answer requests until standard input ends."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    # Libraries may print; answers go to the real standard output alone.
    answers, sys.stdout = sys.stdout, sys.stderr
    model, device = None, "cpu"
    for line in sys.stdin:
        request = json.loads(line)
        if "spec" in request:
            model, device = build(request), request["device"]
            answer: dict[str, Any] = {}
        else:
            assert model is not None
            answer = {"seconds": run(model, request, device)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
