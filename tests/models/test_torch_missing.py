"""Without PyTorch, is one told what to install?"""

import sys

import pytest

from intarsia.ground import InputError
from intarsia.models import from_torch


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError) as error:
        from_torch(object())
    assert str(error.value) == "PyTorch is not installed; try: pip install 'intarsia[torch]'"
