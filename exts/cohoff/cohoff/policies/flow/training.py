# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Training of the flow-matching base policy on demonstrations."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cohoff.errors import InputError
from cohoff.policies.flow.policy import FlowPolicy, FlowPolicySpec


class Episodes(Protocol):
    """What training reads of :class:`~cohoff.data.demonstrations.Demonstrations`: M transitions in E episodes."""

    @property
    def obs(self) -> torch.Tensor:
        """Observations, shape [M, D]."""
        ...

    actions: torch.Tensor
    """Actions in [-1, 1], shape [M, A]; the last dimension is the gripper command."""

    starts: torch.Tensor
    """First transition of each episode, shape [E]."""

    lengths: torch.Tensor
    """Number of transitions of each episode, shape [E]."""

    episode_of: torch.Tensor
    """Episode of each transition, shape [M]."""


@dataclass(frozen=True)
class FlowTrainingCfg:
    """How a flow policy is trained."""

    seed: int = 0
    """Seed of the weights, the holdout episodes, the batches and the flow noise."""

    steps: int = 3000
    """Number of optimizer steps; see :func:`enough_steps`."""

    batch_size: int = 256
    """Chunks per optimizer step."""

    learning_rate: float = 2e-3
    """Peak learning rate; it rises linearly over the warm-up and falls to zero along a cosine."""

    warmup_steps: int = 100
    """Number of steps over which the learning rate rises."""

    weight_decay: float = 1e-4
    """Decoupled weight decay (AdamW)."""

    max_grad_norm: float = 1.0
    """Largest norm of the gradient; longer ones are scaled down."""

    ema_decay: float = 0.995
    """Decay per step of the averaged weights, which are the result; the average starts shorter."""

    holdout: float = 0.1
    """Fraction of the episodes that are not trained on; the holdout loss is measured on them."""

    min_obs_std: float = 1e-2
    """Lower bound on the observations' standard deviation, below which a dimension counts as constant."""

    min_action_std: float = 0.15
    """Lower bound on the scale of actions. It keeps dimensions with mostly execution noise from dominating the loss."""

    report_every: int = 50
    """Steps between two progress reports; each reads the loss back from the device."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "report_every"):
            if getattr(self, name) < 1:
                raise InputError(f"flow training {name} is {getattr(self, name)}; it must be at least 1")
        if not 0.0 < self.holdout < 1.0:
            raise InputError(f"flow training holdout is {self.holdout}; it must lie between 0 and 1")


def enough_steps(num_transitions: int, batch_size: int = FlowTrainingCfg.batch_size) -> int:
    """Optimizer steps with batches of ``batch_size``: as many chunks as by default, and 50 passes through large sets.

    256 demonstrations of NutAssembly are still under-fitted after 18 passes.
    """
    chunks = max(FlowTrainingCfg.steps * FlowTrainingCfg.batch_size, 50 * num_transitions)
    return math.ceil(chunks / batch_size)


@dataclass(frozen=True)
class FlowTrainingReport:
    """State of a training run after ``step`` of ``steps``."""

    step: int
    """Number of optimizer steps taken."""

    loss: float
    """Mean training loss since the last report."""

    holdout_loss: float | None
    """Loss of the averaged weights on the holdout episodes, with the same noise in every report; None if there is
    only one episode, which is trained on."""


Progress = Callable[[FlowTrainingReport], None]


def chunk_targets(demos: Episodes, rows: torch.Tensor, horizon: int) -> torch.Tensor:
    """Return the demonstrated actions from each of the transitions ``rows`` on, shape [len(rows), horizon, A].

    Past the end of its episode a chunk holds zero motion and the episode's last gripper command.
    """
    ends = (demos.starts + demos.lengths - 1)[demos.episode_of[rows]]
    steps = rows[:, None] + torch.arange(horizon, device=rows.device)
    chunks = demos.actions[torch.minimum(steps, ends[:, None])]
    chunks[..., :-1].masked_fill_((steps > ends[:, None])[..., None], 0.0)
    return chunks


class Inputs(Protocol):
    """What a flow policy reads along the demonstrations."""

    def vectors(self, rows: torch.Tensor) -> torch.Tensor:
        """Return inputs [len(rows), D] that the normalization is taken from; features are zeros."""
        ...

    def __call__(self, policy: FlowPolicy, rows: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Return inputs [len(rows), D] of ``policy`` at transitions, changed at random only if there is a generator."""
        ...


class States:
    """Inputs of a policy that reads the observations ``obs`` [M, D] as they are."""

    def __init__(self, obs: torch.Tensor) -> None:
        self._obs = obs

    def vectors(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the observations, [len(rows), D]."""
        return self._obs[rows]

    def __call__(self, policy: FlowPolicy, rows: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Return the observations, [len(rows), D]."""
        return self._obs[rows]


def train_flow(
    demos: Episodes, spec: FlowPolicySpec, cfg: FlowTrainingCfg, progress: Progress | None = None
) -> FlowPolicy:
    """Train a flow policy on ``demos``, on their device; the configuration's seed fixes the result.

    Args:
        demos: Demonstrations, at least one episode.
        spec: Sizes; its observation and action dimensions must be the demonstrations'.
        cfg: Training configuration.
        progress: Called with a report every ``cfg.report_every`` steps and after the last.

    Returns:
        The policy with averaged weights, frozen and in evaluation mode.

    Raises:
        InputError: the sizes of ``spec`` and ``demos`` differ.
    """
    sizes = (demos.obs.shape[1], demos.actions.shape[1])
    if sizes != (spec.obs_dim, spec.action_dim):
        raise InputError(
            f"demonstrations have {sizes[0]} observation and {sizes[1]} action dimensions, "
            f"but the policy has {spec.obs_dim} and {spec.action_dim}"
        )
    return fit(lambda: FlowPolicy(spec), demos, States(demos.obs), cfg, progress)


def fit[PolicyT: FlowPolicy](
    make: Callable[[], PolicyT], demos: Episodes, inputs: Inputs, cfg: FlowTrainingCfg, progress: Progress | None
) -> PolicyT:
    """Train the policy that ``make`` builds; see :func:`train_flow`."""
    device = demos.actions.device
    generator = torch.Generator(device).manual_seed(cfg.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(cfg.seed)
        policy = make().to(device)
    rows, holdout_rows = _split(demos, cfg)
    vectors = inputs.vectors(rows)
    std = vectors.std(0)
    policy.set_normalization(
        vectors.mean(0),
        # Unit scale for constant dimensions, whose small deviations would be blown up otherwise.
        torch.where(std < cfg.min_obs_std, torch.ones_like(std), std),
        demos.actions[rows].std(0).clamp(min=cfg.min_action_std),
    )
    parameters: list[torch.Tensor] = list(policy.parameters())
    averaged_policy = copy.deepcopy(policy).eval().requires_grad_(False)
    average: list[torch.Tensor] = list(averaged_policy.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=cfg.learning_rate, weight_decay=cfg.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _learning_rate_factor(step, cfg))
    total = torch.zeros((), device=device)
    since_report = 0
    for step in range(1, cfg.steps + 1):
        batch = rows[torch.randint(len(rows), (cfg.batch_size,), generator=generator, device=device)]
        obs = inputs(policy, batch, generator)
        loss = policy.loss(obs, chunk_targets(demos, batch, policy.horizon), generator)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, cfg.max_grad_norm)
        optimizer.step()
        schedule.step()
        get_ema_multi_avg_fn(min(cfg.ema_decay, step / (step + 10.0)))(average, parameters, step)
        total += loss.detach()
        since_report += 1
        if progress is not None and (step % cfg.report_every == 0 or step == cfg.steps):
            if not math.isfinite(mean := float(total) / since_report):
                raise InputError(f"training the flow policy diverged before step {step}; lower its learning rate")
            holdout_loss = _holdout_loss(averaged_policy, demos, inputs, holdout_rows, cfg)
            progress(FlowTrainingReport(step, mean, holdout_loss))
            total.zero_()
            since_report = 0
    return averaged_policy


def _split(demos: Episodes, cfg: FlowTrainingCfg) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the transitions to train on and those of the holdout episodes; a single episode is trained on."""
    count = len(demos.starts)
    num_holdout = min(max(1, round(cfg.holdout * count)), count - 1)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(cfg.seed)).to(demos.actions.device)
    is_holdout = torch.zeros(count, dtype=torch.bool, device=order.device)
    is_holdout[order[:num_holdout]] = True
    mask = is_holdout[demos.episode_of]
    return (~mask).nonzero()[:, 0], mask.nonzero()[:, 0]


def _learning_rate_factor(step: int, cfg: FlowTrainingCfg) -> float:
    """Return the factor on the peak learning rate at ``step``, counted from 0."""
    warmup = min(1.0, (step + 1) / max(1, cfg.warmup_steps))
    return warmup * 0.5 * (1.0 + math.cos(math.pi * step / cfg.steps))


@torch.no_grad()
def _holdout_loss(
    policy: FlowPolicy, demos: Episodes, inputs: Inputs, rows: torch.Tensor, cfg: FlowTrainingCfg
) -> float | None:
    """Return the loss on a fixed sample of ``rows`` with fixed noise, None if there are no rows."""
    if len(rows) == 0:
        return None
    generator = torch.Generator(rows.device).manual_seed(cfg.seed)
    sample = rows[torch.randint(len(rows), (4 * cfg.batch_size,), generator=generator, device=rows.device)]
    obs = inputs(policy, sample, None)
    return float(policy.loss(obs, chunk_targets(demos, sample, policy.horizon), generator))
