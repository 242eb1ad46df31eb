"""One file for each command. Every file of this folder is imported, so that a new one registers itself.

They import what they need when they run, so that help needs no torch.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)
