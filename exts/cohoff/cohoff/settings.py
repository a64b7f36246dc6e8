# Copyright (c) 2026, The cohoff developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Settings that are checked when they are assigned, against the types and bounds that their fields declare.

A field declares what is allowed by its annotation: ``Annotated[float, Ge(0), Lt(1)]``, ``Literal["a", "b"]`` or
``int | None``. Isaac Lab assigns whatever the command line says, to whatever name, so that a misspelled setting would
train with the default.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from cohoff.errors import InputError, exit_on_input_error

NUMBERS = ("int", "float", "bool")
"""Types of fields in which there can be no text."""


class CheckedSettings:
    """Base of a configuration class whose fields are checked.

    A wrong name or value ends the program with one line, before anything is built. The class argument ``section`` is
    the place of the class on the command line: ``class ClipCfg(CheckedSettings, section="agent.clip")``.
    """

    __section__ = ""

    def __init_subclass__(cls, section: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if section is not None:
            cls.__section__ = section

    if TYPE_CHECKING:

        def to_dict(self) -> dict[str, Any]:
            """The settings as plain values; defined by Isaac Lab's ``configclass``."""
            ...

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign the setting ``name``, brought to the field's type."""
        with exit_on_input_error():
            value = check_setting(type(self), name, value)
        object.__setattr__(self, name, value)


def check_setting(cls: type[CheckedSettings], name: str, value: Any) -> Any:
    """``value`` in the type of the field ``name`` of a configuration class.

    Raises:
        InputError: There is no such field, or the value is not allowed.
    """
    known = {field.name for field in fields(cls)} if is_dataclass(cls) else set()
    if name not in known:
        raise InputError(f"there is no setting {cls.__section__}.{name}{_suggest(name, known)}")
    adapter = _adapters(cls).get(name)
    if adapter is None or value is MISSING:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        wanted = first["msg"].replace("Input should be", "must be", 1)
        raise InputError(f"{cls.__section__}.{name} is {value!r}; it {wanted[0].lower()}{wanted[1:]}") from error


@cache
def _adapters(cls: type[CheckedSettings]) -> dict[str, TypeAdapter[Any]]:
    """Checks of the fields that a class and its bases declare, but for nested configurations and foreign bases."""
    adapters: dict[str, TypeAdapter[Any]] = {}
    for base in reversed(cls.__mro__):
        # Isaac Lab copies annotations into subclasses; they can be resolved only where they were written.
        own = getattr(base, "__configclass_own_fields__", ()) if issubclass(base, CheckedSettings) else ()
        written = {name: text for name, text in inspect.get_annotations(base).items() if name in own}
        holder = type("Annotations", (), {"__annotations__": written, "__module__": base.__module__})
        for name, hint in get_type_hints(holder, include_extras=True).items():
            if isinstance(hint, type) and issubclass(hint, CheckedSettings):
                adapters.pop(name, None)
            else:
                adapters[name] = TypeAdapter(hint, config={"allow_inf_nan": False})
    return adapters


def check_names(cfg: Any, section: str) -> None:
    """Look through a configuration that others define for names without a field and for text where numbers belong.

    Raises:
        InputError: There is such a name or value; the message says where.
    """
    if isinstance(cfg, dict):
        children = cfg
    elif is_dataclass(cfg):
        known = {field.name: field.type for field in fields(cfg)}
        children = {name: value for name, value in vars(cfg).items() if not name.startswith("_")}
        for name, value in children.items():
            if name not in known:
                if value is None or is_dataclass(value):
                    continue  # what code adds, for example cameras to a scene
                raise InputError(f"there is no setting {section}.{name}{_suggest(name, known)}")
            wanted = known[name] if isinstance(known[name], str) else getattr(known[name], "__name__", "")
            if isinstance(value, str) and wanted in NUMBERS:
                raise InputError(f"{section}.{name} is {value!r}; it must be of type {wanted}")
    else:
        return
    for name, value in children.items():
        check_names(value, f"{section}.{name}")


def _suggest(name: str, known: Iterable[str]) -> str:
    """What else could have been meant by the unknown ``name``."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(sorted(known))}"
