# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Run lerobot's pi-0.5 on request. The benchmarks of pi-0.5 start this in the environment of `make parity`.

One JSON object per line on standard input, one answer per line on standard output:
``{"spec": {...}, "weights": FILE, "cameras": C, "dtype": NAME, "device": NAME}`` builds the network,
``{"inputs": FILE, "output": FILE}`` runs it once and answers ``{"seconds": s}``,
``{"batch": FILE, "action_dim": A, "gradients": FILE}`` writes loss and gradients of a training batch,
``{"batch": FILE, "action_dim": A, "scope": NAME}`` takes a training step and answers ``{"seconds": s}``,
``{"folder": DIR, "observations": FILE, "tasks": [...], "prompts": {...}, "output": FILE, "spec": {...}}`` opens a
checkpoint as lerobot's users do and plans.
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


def shrink(s: SimpleNamespace) -> Any:
    """Return lerobot's module with networks of the requested sizes."""
    from lerobot.policies.pi05 import modeling_pi05 as lerobot  # pyright: ignore[reportMissingImports]

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
    return lerobot


def build(request: dict[str, Any]) -> torch.nn.Module:
    """Build the network with the requested sizes and weights."""
    from lerobot.configs.types import FeatureType, PolicyFeature  # pyright: ignore[reportMissingImports]
    from lerobot.policies.pi05.configuration_pi05 import PI05Config  # pyright: ignore[reportMissingImports]

    s = SimpleNamespace(**request["spec"])
    lerobot = shrink(s)
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


def losses(model: torch.nn.Module, request: dict[str, Any], device: str) -> torch.Tensor:
    """Return the loss of a batch, averaged as lerobot's policy does."""
    tensors = load_file(request["batch"], device=device)
    images, image_masks, *others = (tensors[name] for name in (*NAMES[:-1], "actions", "noise", "time"))
    values = model(list(images.unbind(1)), list(image_masks.unbind(1)), *others)
    return values[:, :, : request["action_dim"]].mean()


def differentiate(model: torch.nn.Module, request: dict[str, Any], device: str) -> dict[str, Any]:
    """Write the gradients of a batch and return its loss."""
    model.zero_grad()
    loss = losses(model, request, device)
    loss.backward()
    gradients = {name: p.grad.contiguous() for name, p in model.named_parameters() if p.grad is not None}
    save_file(gradients, request["gradients"])
    return {"loss": loss.item()}


class Trainer:
    """lerobot's training step: loss, gradients, clipping, AdamW with its settings."""

    def __init__(self, model: torch.nn.Module, scope: str) -> None:
        self.model = model
        # As its option train_expert_only.
        frozen = "paligemma_with_expert.paligemma." if scope == "expert" else None
        self.parameters = [p for name, p in model.named_parameters() if frozen is None or frozen not in name]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=2.5e-5, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01)

    def step(self, request: dict[str, Any], device: str) -> dict[str, Any]:
        """Take a step and return its time [s]."""
        self.model.train().requires_grad_(False)
        for parameter in self.parameters:
            parameter.requires_grad_()
        start = clock(device)
        losses(self.model, request, device).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {"seconds": clock(device) - start}


class TableTokenizer:
    """Tokenizer that knows given prompts only, as PaliGemma's is not at hand."""

    def __init__(self, table: dict[str, list[int]]) -> None:
        self.table = table

    def __call__(self, texts: list[str], max_length: int, **options: Any) -> dict[str, torch.Tensor]:
        """Return tokens and mask [B, max_length]."""
        rows = [self.table[text] for text in texts]
        tokens = torch.tensor([row + [0] * (max_length - len(row)) for row in rows])
        lengths = torch.tensor([[len(row)] for row in rows])
        return {"input_ids": tokens, "attention_mask": torch.arange(max_length) < lengths}


@torch.no_grad()
def plan(request: dict[str, Any]) -> dict[str, Any]:
    """Open a checkpoint by lerobot's own functions and plan from observations."""
    from lerobot.policies.factory import make_pre_post_processors  # pyright: ignore[reportMissingImports]
    from lerobot.policies.pi05.modeling_pi05 import PI05Policy  # pyright: ignore[reportMissingImports]

    shrink(SimpleNamespace(**request["spec"]))
    folder = request["folder"]
    policy = PI05Policy.from_pretrained(folder)
    # It answers a failed load with random weights.
    stored, state = load_file(f"{folder}/model.safetensors"), policy.state_dict()
    changed = [name for name, tensor in stored.items() if not torch.equal(state[name], tensor)]
    lacking = [name for name in state if name not in stored and "embed_tokens" not in name]
    if changed or lacking:
        raise SystemExit(f"lerobot did not load {changed or lacking}")
    tokenizer = {"tokenizer_processor": {"tokenizer": TableTokenizer(request["prompts"])}}
    preprocess, postprocess = make_pre_post_processors(
        policy.config, pretrained_path=folder, preprocessor_overrides=tokenizer
    )
    tensors = load_file(request["observations"])
    noise = tensors.pop("noise")
    chunk = policy.predict_action_chunk(preprocess({**tensors, "task": request["tasks"]}), noise=noise)
    save_file({"actions": postprocess(chunk).contiguous()}, request["output"])
    return {}


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
    trainers: dict[str, Trainer] = {}
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        if "folder" in request:
            answer = plan(request)
        elif "spec" in request:
            model, device, trainers = build(request), request["device"], {}
        elif "gradients" in request:
            assert model is not None
            answer = differentiate(model, request, device)
        elif "batch" in request:
            assert model is not None
            scope = request["scope"]
            if scope not in trainers:
                trainers[scope] = Trainer(model, scope)
            answer = trainers[scope].step(request, device)
        else:
            assert model is not None
            answer = {"seconds": run(model, request, device)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
