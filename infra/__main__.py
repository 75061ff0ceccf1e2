"""What `pulumi up` runs: the stack, from the configuration of the stack that is selected."""

import sys
from pathlib import Path

import pulumi

# Pulumi runs the folder `infra`; the package of that name is found from the folder above it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.program import stack
from infra.settings import SettingsError, read_settings

try:
    settings = read_settings(pulumi.runtime.config.CONFIG.get(), pulumi.get_stack())
    outputs = stack(settings)
except SettingsError as error:
    # Its sentences are for people; a traceback above them would hide them.
    raise pulumi.RunError(str(error)) from None

for name, value in outputs.items():
    pulumi.export(name, value)
