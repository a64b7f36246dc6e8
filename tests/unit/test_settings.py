# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings are checked when they are assigned: names, types, choices and ranges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from cohoff.algorithms.csil.csil_cfg import CsilRunnerCfg
from cohoff.errors import InputError
from cohoff.settings import check_names


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("algorithm.betta", 0.5, "there is no setting agent.algorithm.betta; did you mean beta?"),
        ("algorithm.critic.foo", 1, "there is no setting agent.algorithm.critic.foo; there are: hidden_dims, "),
        ("max_iteration", 1, "there is no setting agent.max_iteration; did you mean max_iterations?"),
        ("algorithm.reward", "dense", "agent.algorithm.reward is 'dense'; it must be 'coherent', 'time' or 'sparse'"),
        ("algorithm.beta", -1.0, "agent.algorithm.beta is -1.0; it must be greater than or equal to 0"),
        ("algorithm.discount", 1.0, "agent.algorithm.discount is 1.0; it must be less than 1"),
        ("algorithm.batch_size", 0, "agent.algorithm.batch_size is 0; it must be greater than or equal to 2"),
        ("algorithm.batch_size", 2.5, "agent.algorithm.batch_size is 2.5; it must be a valid integer"),
        ("algorithm.policy_delay", 0, "agent.algorithm.policy_delay is 0"),
        ("algorithm.n_step", 0, "agent.algorithm.n_step is 0"),
        ("algorithm.replay_rows", 0, "agent.algorithm.replay_rows is 0"),
        ("algorithm.demonstration_share", 1.5, "agent.algorithm.demonstration_share is 1.5; it must be less than 1"),
        ("algorithm.num_demonstrations", 2.5, "agent.algorithm.num_demonstrations is 2.5"),
        ("algorithm.learning_rate", float("nan"), "agent.algorithm.learning_rate is nan"),
        ("algorithm.beta", float("inf"), "agent.algorithm.beta is inf; it must be a finite number"),
        ("algorithm.clone.holdout", 1.0, "agent.algorithm.clone.holdout is 1.0; it must be less than 1"),
        ("algorithm.critic.hidden_dims", (), "agent.algorithm.critic.hidden_dims is ()"),
        ("algorithm.critic.hidden_dims", [64, "a"], "agent.algorithm.critic.hidden_dims is [64, 'a']"),
        ("algorithm.policy.num_features", 6, "agent.algorithm.policy.num_features is 6; it must be a multiple of 4"),
        ("num_steps_per_env", 0, "agent.num_steps_per_env is 0"),
    ],
)
def test_a_wrong_setting_ends_with_one_line(
    path: str, value: Any, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg: Any = CsilRunnerCfg()
    *groups, name = path.split(".")
    for group in groups:
        cfg = getattr(cfg, group)
    with pytest.raises(SystemExit):
        setattr(cfg, name, value)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {message}")


def test_allowed_settings_take_the_type_of_their_field() -> None:
    cfg = CsilRunnerCfg()
    cfg.algorithm.critic.hidden_dims = [64, 64]  # pyright: ignore[reportAttributeAccessIssue]
    cfg.algorithm.beta = 1
    cfg.algorithm.num_demonstrations = None
    assert cfg.algorithm.critic.hidden_dims == (64, 64)
    assert isinstance(cfg.algorithm.beta, float)


@dataclass
class Part:
    """A configuration of someone else."""

    size: float = 1.0


@dataclass
class Whole:
    """The same, with a part and parts by name."""

    part: Part = field(default_factory=Part)
    parts: dict[str, Part] = field(default_factory=dict)


def test_names_and_text_that_a_foreign_configuration_has_no_place_for_are_found() -> None:
    cfg: Any = Whole(parts={"a": Part()})
    cfg.added_in_code = Part()
    check_names(cfg, "env")
    cfg.parts["a"].syze = 2.0
    with pytest.raises(InputError, match=r"no setting env.parts.a.syze; did you mean size\?"):
        check_names(cfg, "env")
    cfg = Whole()
    cfg.part.size = "large"
    with pytest.raises(InputError, match=r"env.part.size is 'large'; it must be of type float"):
        check_names(cfg, "env")
