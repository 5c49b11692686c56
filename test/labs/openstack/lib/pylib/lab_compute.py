"""nova-compute with the lab's driver. Nova looks for drivers inside its own package only, so it is put there by name."""

import sys

# First, for it patches Python's modules before others take hold of them.
from nova.cmd import compute

import lab_nova

sys.modules['nova.virt.lab_nova'] = lab_nova
sys.exit(compute.main())
